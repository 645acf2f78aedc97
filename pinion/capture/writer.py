"""Writes the lines of a capture; what the disk does not take is counted, and leaves no half line.

A file is written at offsets, so a failed write is cut off again before anything is written behind it. What
was not written is told by the next line that is: {"n", "dropped", "prev"}.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.runtime.journal.disk import Disk
from pinion.capture.records import (
    ABOUT,
    FILE_BYTES,
    FIRST,
    About,
    Dropped,
    Record,
    file_of,
    line_of,
    link_of,
)


class CaptureDisk(Disk):
    """The file system as a capture uses it."""

    def cut(self, file: int, length: int) -> None:
        """Leave the first `length` bytes of a file."""
        os.ftruncate(file, length)


class RecordWriter:
    """Appends pairs to the files of one folder, which it makes.

    A pair is a Record of any `n` and `prev`: those that it is written with are given here.
    """

    def __init__(
        self, folder: Path, about: About, disk: CaptureDisk | None = None, *, file_bytes: int = FILE_BYTES
    ):
        self.records = 0
        self.dropped = 0
        self._folder = folder
        self._about = about
        self._disk = disk or CaptureDisk()
        self._file_bytes = file_bytes
        self._last = FIRST
        self._untold = 0
        """Dropped pairs that no line tells of yet."""
        self._size = 0
        self._is_torn = False
        """Whether half a line may stand behind the last one."""
        self._file_number = 1
        self._file = self._disk.create(file_of(folder, 1))
        self._write_about(about)

    def append(self, pairs: Sequence[Record], dropped: int = 0) -> bool:
        """Write pairs; tell whether the disk took them. Where not, they are counted as dropped.

        dropped : how many more are missing before the first of them
        """
        self._drop(dropped)
        try:
            self._follow_on()
            self._write(pairs)
        except OSError:  # nobody waits for this disk; what is missing is told by the next line
            self._drop(len(pairs))
            with suppress(OSError):  # else it is cut before the next line
                self._cut()
            return False
        return True

    def close(self, ended_ms: int) -> None:
        """Have everything on the disk, and say in capture.json how much it is; OSError where that fails."""
        try:
            if self._untold:
                self._write([])
            self._disk.sync(self._file)
        finally:
            self._disk.close(self._file)
        self._write_about(
            msgspec.structs.replace(
                self._about,
                ended_ms=ended_ms,
                records=self.records,
                dropped=self.dropped,
                last=self._last,
            )
        )

    def _drop(self, count: int) -> None:
        self.dropped += count
        self._untold += count

    def _write(self, pairs: Sequence[Record]) -> None:
        """Write pairs, and what is missing before them, at once; nothing is changed where that fails."""
        number, last = self.records + 1, self._last
        parts = []
        if self._untold:
            parts.append(line_of(Dropped(n=number, dropped=self._untold, prev=last)))
            last = link_of(parts[-1])
        for pair in pairs:
            parts.append(line_of(msgspec.structs.replace(pair, n=number, prev=last)))
            last = link_of(parts[-1])
            number += 1
        if not parts:
            return
        content = b"\n".join(parts) + b"\n"
        self._cut()
        self._is_torn = True
        self._disk.write(self._file, content, self._size)
        self._is_torn = False
        self._size += len(content)
        self.records, self._last, self._untold = number - 1, last, 0

    def _cut(self) -> None:
        """Take away what a failed write may have left behind the last line."""
        if self._is_torn:
            self._disk.cut(self._file, self._size)
            self._is_torn = False

    def _follow_on(self) -> None:
        """Go on in another file where this one is large enough."""
        if self._size < self._file_bytes:
            return
        self._disk.sync(self._file)
        file = self._disk.create(file_of(self._folder, self._file_number + 1))
        self._disk.close(self._file)
        self._file, self._size, self._file_number = file, 0, self._file_number + 1

    def _write_about(self, about: About) -> None:
        """Write capture.json whole, or not at all."""
        path = self._folder / ABOUT
        draft = path.with_suffix(".draft")
        with self._disk.made(draft) as file:
            self._disk.write(file, line_of(about) + b"\n", 0)
        self._disk.rename(draft, path)
        with suppress(OSError):  # a folder that cannot be synced has its names all the same
            self._disk.sync_folder(self._folder)
