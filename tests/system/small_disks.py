"""Disks that are full, and others that refuse to write, for whole instances under load.

Where the tests may mount, the data folder is a small file system of its own, which is really
full; elsewhere, and also with PINION_LONG=1, no file of the journaler may grow beyond a limit.
"""

import ctypes
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from engine.contract.port import Closed, Port

MAY_MOUNT = subprocess.run(
    ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True, check=False
).returncode == 0  # fmt: skip
IS_LONG = os.environ.get("PINION_LONG") == "1"
CAUSES = {
    "full": "the disk is full",
    "limited": "the disk refused a write or a sync",
}
HARMS = tuple(CAUSES) if MAY_MOUNT and IS_LONG else ("full",) if MAY_MOUNT else ("limited",)
LIMIT_BYTES = 2**20


CLONE_NEWNS = 0x00020000


@cache
def _see_mounts_alone() -> None:
    """Give this process mounts of its own, which its children share and which end with the last of them.

    A mount that everybody saw would outlive a test that is killed, and no run after it could
    remove the folder beneath.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "this process may not have mounts of its own")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


@contextmanager
def mounted(folder: Path, size_mb: int) -> Iterator[None]:
    """Let the folder be a file system of its own, of this size, for this process and its children."""
    folder.mkdir()
    _see_mounts_alone()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    """Give that file system other options."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def limit_files(pid: int) -> None:
    """Let no file that a process writes grow beyond the limit."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (LIMIT_BYTES, LIMIT_BYTES))


def fill_up(gate: Port, ticks: Any) -> None:
    """Send what makes no event as fast as it is taken, until the engine accepts nothing more."""
    while gate.closed_because() is None:
        if gate.submit(ticks) == 0:
            time.sleep(0.001)  # whoever empties the ring needs the core more
    assert gate.closed_because() is Closed.LATCHED
