"""The space in /dev/shm: how much is left once everybody takes what was promised.

A segment's size is declared when it is made, its memory is taken page by page when it is first
touched, and who touches a page that is not there any more dies of SIGBUS. So what the segments of
living instances have declared and not touched yet counts as taken: the free bytes that the file
system tells are promised to them already. A segment is declared first and counted then: of two that
are made at the same moment each sees the other.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from ringbuf.segment_header import SHM, SegmentError, SegmentSpaceError, process_start, read_header

BLOCK_BYTES = 512
"""Of st_blocks, whatever the file system's own are."""
DRAFT = re.compile(r".+\.(\d+)\.(\d+)")
"""Of the name under which a segment is built: its creator's pid and start time."""


def require_memory(folder: Path) -> None:
    """Raise SegmentSpaceError where there is no shared memory to be had: no folder, or none to write to."""
    if not folder.is_dir():
        raise SegmentSpaceError(
            f"{folder}: there is no such folder, and shared memory is made of its files: "
            f"mount -t tmpfs -o mode=1777 tmpfs {folder}"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SegmentSpaceError(
            f"{folder}: this process may not write to it, and shared memory is made of its files: "
            f"mount it for writing (mount -o remount,rw,mode=1777 {folder})"
        )


def free_bytes() -> int:
    """Return how many bytes nobody has taken."""
    found = os.statvfs(SHM)
    # A tmpfs without a limit counts no blocks.
    return found.f_bavail * found.f_frsize if found.f_blocks else 2**62


def promised_bytes(family: str, but: str = "") -> int:
    """Return what segments of living processes have declared and not touched.

    family : what their names begin with
    but : the name of one that is left out
    """
    promised = 0
    with os.scandir(SHM) as entries:
        for entry in entries:
            if not entry.name.startswith(family) or entry.name == but:
                continue
            with suppress(FileNotFoundError):  # gone since it was listed
                if entry.is_file(follow_symlinks=False) and _is_creator_alive(Path(entry.path)):
                    found = entry.stat(follow_symlinks=False)
                    promised += max(0, found.st_size - found.st_blocks * BLOCK_BYTES)
    return promised


def require_room(name: str, segment_bytes: int) -> None:
    """Raise SegmentSpaceError unless a segment that is declared and untouched finds room beside others."""
    family = name.partition("-")[0] + "-"
    promised = promised_bytes(family, but=name)
    if segment_bytes + promised > free_bytes():
        raise no_room(name, segment_bytes, promised)


def no_room(name: str, segment_bytes: int, promised: int = 0) -> SegmentSpaceError:
    """Return the error that says what is needed and what there is."""
    others = f", {promised:,} of them for what running instances have declared" if promised else ""
    return SegmentSpaceError(
        f"segment {name.partition('.')[0]!r} needs {segment_bytes:,} bytes, /dev/shm has {free_bytes():,} "
        f"free{others}: lower the capacities or enlarge /dev/shm (a container: --shm-size)"
    )


def _is_creator_alive(path: Path) -> bool:
    draft = DRAFT.fullmatch(path.name)
    if draft:
        return process_start(int(draft[1])) == int(draft[2])
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except PermissionError:
        return True  # another user's: nobody can be asked, and it may well run
    try:
        return read_header(path.name, file, leftover=True).is_owner_alive
    except SegmentError:
        return False  # something else of that name
    finally:
        os.close(file)
