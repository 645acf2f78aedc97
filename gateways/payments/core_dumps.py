"""No core dumps of processes that see card numbers: what is in memory alone must not become a file.

The limit is for files, and children inherit it. A system that pipes cores to a program does not ask for it:
there a process that is not dumpable leaves nothing either, and no other one of its user reads its memory.
"""

import ctypes
import os
import resource

PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """Leave no core dump from now on, nor let a child leave one."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE): " + os.strerror(ctypes.get_errno()))
