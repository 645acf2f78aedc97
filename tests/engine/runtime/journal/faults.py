"""A disk on which one operation, counted from the first, fails."""

import random
from pathlib import Path
from typing import Any

from tests.engine.runtime.journal.power import Files, RecordingDisk

EVERY = ("create", "open", "reserve", "write_part", "sync_data", "sync", "rename", "remove", "sync_folder")


class FailingDisk(RecordingDisk):
    """Raises `error` at the operation number `fails_at`, and at all of its kind from there on if asked to."""

    def __init__(self, folder: Path, files: Files, *, fails_at: int, error: int, lasts: bool = False) -> None:
        self.calls: list[str] = []
        self.failed = ""
        """The operation that failed."""
        self._fails_at = fails_at
        self._error = error
        self._lasts = lasts
        super().__init__(folder, files, random.Random(1))

    def create(self, path: Path) -> int:
        self._count("create", path)
        return super().create(path)

    def open(self, path: Path) -> int:
        self._count("open", path)
        return super().open(path)

    def reserve(self, file: int, length: int) -> None:
        self._count("reserve", file)
        super().reserve(file, length)

    def write_part(self, file: int, content: memoryview, offset: int) -> int:
        self._count("write_part", file)
        return super().write_part(file, content, offset)

    def sync_data(self, file: int) -> None:
        self._count("sync_data", file)
        super().sync_data(file)

    def sync(self, file: int) -> None:
        self._count("sync", file)
        super().sync(file)

    def rename(self, old: Path, new: Path) -> None:
        self._count("rename", old)
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        self._count("remove", path)
        super().remove(path)

    def sync_folder(self, folder: Path) -> None:
        self._count("sync_folder", folder)
        super().sync_folder(folder)

    def mend(self) -> None:
        """Work from now on."""
        self._fails_at, self.failed = -1, ""

    def _count(self, name: str, what: Any) -> None:
        is_due = len(self.calls) == self._fails_at
        self.calls.append(name)
        if is_due:
            self.failed = name
        if is_due or (self._lasts and name == self.failed):
            raise OSError(self._error, f"{name} of {what} fails in this test")
