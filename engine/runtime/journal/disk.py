"""Every write, sync and rename of the journal and the snapshots goes through a Disk.

One object, so that a test can stand between the code and the file system: record what was
synced and what was not, fail a call, lose power between two of them.
"""

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

MODE = 0o600
SYNC_FILE_RANGE_WRITE = 2


class Disk:
    """The file system as the journal uses it. Every method raises OSError as the kernel reports it."""

    def create(self, path: Path) -> int:
        """Make an empty file, replacing one of that name; return its descriptor."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, MODE)

    @contextmanager
    def made(self, path: Path) -> Iterator[int]:
        """Create a file for the block to write; its content is on the disk behind it."""
        file = self.create(path)
        try:
            yield file
            self.sync(file)
        except OSError:
            self.remove(path)  # half a file holds room that the journal needs
            raise
        finally:
            self.close(file)

    def open(self, path: Path) -> int:
        """Open an existing file for reading and writing; return its descriptor."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def write(self, file: int, content: bytes | memoryview, offset: int) -> None:
        """Write all of `content` at `offset`, also when the kernel takes it in parts."""
        rest = memoryview(content)
        while rest:
            taken = self.write_part(file, rest, offset)
            if taken == 0:
                raise OSError(errno.EIO, f"nothing of {len(rest)} bytes was taken at offset {offset}")
            rest = rest[taken:]
            offset += taken

    def write_part(self, file: int, content: memoryview, offset: int) -> int:
        """Write as much of `content` as the kernel takes at once; return how many bytes that were."""
        return os.pwrite(file, content, offset)

    def reserve(self, file: int, length: int) -> None:
        """Make an empty file `length` bytes of zeros whose room is taken: writing them finds it."""
        os.posix_fallocate(file, 0, length)

    def begin_writing(self, file: int, offset: int, length: int) -> None:
        """Have the kernel send these bytes to the disk now, without waiting; promises nothing."""
        # Where that is not known the sync to come does it, and reports any error.
        _libc().sync_file_range(file, ctypes.c_int64(offset), ctypes.c_int64(length), SYNC_FILE_RANGE_WRITE)

    def sync_data(self, file: int) -> None:
        """Return once what was written to the file is on the disk."""
        os.fdatasync(file)

    def sync(self, file: int) -> None:
        """As sync_data, and the file's length and times with it."""
        os.fsync(file)

    def close(self, file: int) -> None:
        """Close a descriptor."""
        os.close(file)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its final name; on the disk after `sync_folder`."""
        os.rename(old, new)

    def remove(self, path: Path) -> None:
        """Remove a name, if it is there."""
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """Return once the names in the folder are on the disk."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
