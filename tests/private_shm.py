"""A /dev/shm of a test's own: a small file system that can really be full, and nobody else's."""

import subprocess
import sys
from pathlib import Path


def within(mebibytes: int, *, as_root: bool) -> tuple[str, ...]:
    """Return the command that runs the one behind it where /dev/shm is new and holds that much."""
    become = () if as_root else ("--user", "--map-root-user")
    mount = f'mount -t tmpfs -o size={mebibytes}m none /dev/shm && exec "$@"'
    return ("unshare", *become, "--mount", "sh", "-c", mount, "sh")


def _works(as_root: bool) -> bool:
    return (
        subprocess.run([*within(1, as_root=as_root), "true"], capture_output=True, check=False).returncode
        == 0
    )


AS_ROOT = _works(as_root=True)
SIZES_ALLOWED = AS_ROOT or _works(as_root=False)
"""Whether a test may have one at all: else its parameters are none."""


def command(mebibytes: int, *arguments: str) -> list[str]:
    """Return the command of a Python that runs there."""
    return [*within(mebibytes, as_root=AS_ROOT), sys.executable, *arguments]


def entered(pid: int, *arguments: str) -> list[str]:
    """Return the command of a Python that joins a process which runs there."""
    become = () if AS_ROOT else ("--user", "--preserve-credentials")
    return [
        "nsenter",
        "--target",
        str(pid),
        *become,
        "--mount",
        f"--wd={Path.cwd()}",
        sys.executable,
        *arguments,
    ]
