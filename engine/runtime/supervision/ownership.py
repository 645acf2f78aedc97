"""A data folder belongs to one start at a time: whoever would write into it takes it first.

The lock is that of the supervisor's role. It ends with the process, so none is ever left behind.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.contract.instance import HISTORY, JOURNALER, SHADOW, SUPERVISOR, WORKER, make_private
from engine.runtime.process import RoleTakenError, await_role, take_role
from engine.runtime.supervision.endings import StartError

ROLE_WAIT_S = 5.0


@contextmanager
def owned(data_dir: Path, doors: Sequence[str] = ()) -> Iterator[int]:
    """Own the folder for the block, made where it is missing; yield the lock's descriptor.

    doors : names of their processes: those of a dead supervisor may still be ending

    Raises StartError that names the process that has it.
    """
    make_private(data_dir)
    try:
        lock = take_role(data_dir, SUPERVISOR)
    except RoleTakenError as error:
        raise StartError(
            f"{data_dir} is in use by process {error.pid}: stop it (kill {error.pid}) "
            f"or give another folder with --data DIR"
        ) from error
    try:
        for role in (JOURNALER, WORKER, SHADOW, HISTORY, *doors):
            try:
                await_role(data_dir, role, ROLE_WAIT_S)
            except RoleTakenError as error:
                raise StartError(f"a process of an earlier start still runs: {error}; kill it") from error
        yield lock
    finally:
        os.close(lock)
