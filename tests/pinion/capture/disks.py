"""A disk that is full, or fails, when a test says so."""

import errno
import os
import threading
from pathlib import Path

from pinion.capture.writer import CaptureDisk


class HarmedDisk(CaptureDisk):
    """Takes `room` bytes more of pairs, where that is set, and then fails; holds writes where told to."""

    def __init__(self) -> None:
        self.room: int | None = None
        self.is_cutting = True
        self.may_write = threading.Event()
        self.may_write.set()
        self.has_written = threading.Event()
        """A pair, that is."""
        self.has_failed = threading.Event()

    def write_part(self, file: int, content: memoryview, offset: int) -> int:
        self.may_write.wait()
        if self.room is None:
            taken = super().write_part(file, content, offset)
            if b'"n":' in bytes(content):
                self.has_written.set()
            return taken
        part = content[: self.room]
        if not part:
            self.has_failed.set()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(part)
        return super().write_part(file, part, offset)

    def cut(self, file: int, length: int) -> None:
        if not self.is_cutting:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().cut(file, length)

    def sync(self, file: int) -> None:
        """Do nothing: what these tests look at is what a reader of the files sees."""

    def sync_folder(self, folder: Path) -> None:
        """Do nothing, as `sync`."""
