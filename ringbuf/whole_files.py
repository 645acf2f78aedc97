"""A small file is written whole: readers see the old or the new content, never half of it.

    FILE.PID      the draft, written beside the file that is meant, then
    FILE          the draft takes its place in one step

Each process has a draft of its own, so two that write one file leave what one of them wrote; within a
process one thread at a time writes a file.
"""

import os
from pathlib import Path

PRIVATE = 0o600


def write_atomically(path: Path, content: bytes, *, sync: bool = False, mode: int = PRIVATE) -> None:
    """Replace a file, or make it, in one step; the draft is gone where that fails.

    sync : the content is on the disk before it has the name; the name is once the folder is synced
    mode : who may read and write the file, less what the umask takes away
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(descriptor)
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
