"""A disk that is full, or fails, when a test says so."""

import errno
import os
import threading

from pinion.capture.writer import CaptureDisk


class HarmedDisk(CaptureDisk):
    """Takes `room` bytes more of pairs, where that is set, and then fails; holds writes where told to."""

    def __init__(self) -> None:
        self.room: int | None = None
        self.is_cutting = True
        self.may_write = threading.Event()
        self.may_write.set()
        self.failed_count = 0

    def write_part(self, file: int, content: memoryview, offset: int) -> int:
        self.may_write.wait()
        if self.room is None:
            return super().write_part(file, content, offset)
        part = content[: self.room]
        if not part:
            self.failed_count += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(part)
        return super().write_part(file, part, offset)

    def cut(self, file: int, length: int) -> None:
        if not self.is_cutting:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().cut(file, length)
