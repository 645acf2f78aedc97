"""A disk that remembers what was synced, and the folders that a loss of power can leave behind.

RecordingDisk does everything for real, but syncs nothing, and keeps a log. `after_loss` takes
the log up to some moment and makes a folder that the promises of the kernel allow:

    content   all that was written before a sync of its file; of the rest any parts, in any order,
              cut anywhere or at sectors, and any length of file
    names     all that was done before a sync of the folder; of the rest any part
    folder    its own name only after a sync of its parent
"""

import random
import threading
from pathlib import Path
from typing import Any

from engine.runtime.journal.disk import Disk

SECTOR_BYTES = 512
PAGE_BYTES = 4096
GRAINS = (1, SECTOR_BYTES, PAGE_BYTES)
PART_MAX = 97
KEPT_SHARES = (0.0, 0.3, 0.9, 1.0)

Files = dict[str, bytes]


class KilledError(Exception):
    """The process dies here: its files stay as the kernel has them."""


class RecordingDisk(Disk):
    """Logs every operation on one folder; may kill its process at one of them.

    Parameters
    ----------
    folder : holds `files` already, which are on the disk
    rng : decides how much of a write the kernel takes at once
    """

    def __init__(self, folder: Path, files: Files, rng: random.Random) -> None:
        self.folder = folder
        self.log: list[tuple[Any, ...]] = []
        self.kill_in = -1
        """Operations until the process dies, negative: it lives."""
        self._rng = rng
        self._inodes: dict[str, int] = {}
        self._open: dict[int, int] = {}
        self._made = 0
        for name, content in files.items():
            self._name(name)
            self.log += [("write", self._inodes[name], 0, content), ("sync", self._inodes[name])]
        if files:
            self.log += [("sync_folder",), ("sync_parent",)]
        self.first = len(self.log)
        """Where in the log this disk's own life begins."""

    def heard(self, seq: int) -> None:
        """Note that from here on everything up to `seq` is promised to somebody."""
        self.log.append(("heard", seq))

    def create(self, path: Path) -> int:
        self._turn()
        if path.name in self._inodes:
            self.log.append(("truncate", self._inodes[path.name]))
        else:
            self._name(path.name)
        return self._opened(super().create(path), path)

    def open(self, path: Path) -> int:
        return self._opened(super().open(path), path)

    def write_part(self, file: int, content: memoryview, offset: int) -> int:
        part = content[: self._rng.randint(1, len(content))] if self._rng.random() < 0.1 else content
        is_last = self.kill_in == 0
        if is_last:
            part = content[: self._rng.randint(0, len(content))]
        self.log.append(("write", self._open[file], offset, bytes(part)))
        taken = super().write_part(file, part, offset)
        self._turn()
        return taken

    def reserve(self, file: int, length: int) -> None:
        self.log.append(("write", self._open[file], 0, bytes(length)))
        super().reserve(file, length)

    def sync_data(self, file: int) -> None:
        self._turn()
        self.log.append(("sync", self._open[file]))

    def sync(self, file: int) -> None:
        self._turn()
        self.log.append(("sync", self._open[file]))

    def close(self, file: int) -> None:
        super().close(file)
        del self._open[file]

    def rename(self, old: Path, new: Path) -> None:
        self._turn()
        super().rename(old, new)
        self.log.append(("rename", old.name, new.name, self._inodes[old.name]))
        self._inodes[new.name] = self._inodes.pop(old.name)

    def remove(self, path: Path) -> None:
        self._turn()
        super().remove(path)
        if self._inodes.pop(path.name, None) is not None:
            self.log.append(("remove", path.name))

    def sync_folder(self, folder: Path) -> None:
        self._turn()
        self.log.append(("sync_folder",) if folder == self.folder else ("sync_parent",))

    def _name(self, name: str) -> None:
        self._made += 1
        self._inodes[name] = self._made
        self.log.append(("create", name, self._made))

    def _opened(self, file: int, path: Path) -> int:
        self._open[file] = self._inodes[path.name]
        return file

    def _turn(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        if self.kill_in == 0:
            self.kill_in = -1
            raise KilledError
        if self.kill_in > 0:
            self.kill_in -= 1


class _Remains:
    """What is on the disk for certain, and what may be."""

    def __init__(self) -> None:
        self.content: dict[int, bytearray] = {}
        self.writes: dict[int, list[tuple[int, bytes] | None]] = {}
        self.names: dict[str, int] = {}
        self.namings: list[tuple[Any, ...]] = []
        self.is_parent_synced = False

    def take(self, entry: tuple[Any, ...]) -> None:
        """Go one operation on."""
        match entry:
            case ("create", _, inode):
                self.content[inode], self.writes[inode] = bytearray(), []
                self.namings.append(entry)
            case ("truncate", inode):
                self.writes[inode].append(None)
            case ("write", inode, offset, part):
                self.writes[inode].append((offset, part))
            case ("sync", inode):
                for write in self.writes[inode]:
                    _apply(self.content[inode], write)
                self.writes[inode] = []
            case ("rename", _, _, _) | ("remove", _):
                self.namings.append(entry)
            case ("sync_folder",):
                for naming in self.namings:
                    _rename(self.names, naming)
                self.namings = []
            case ("sync_parent",):
                self.is_parent_synced = True


def after_loss(log: list[tuple[Any, ...]], rng: random.Random) -> Files:
    """Return the files of a folder that lost power at the end of the log."""
    remains = _Remains()
    for entry in log:
        remains.take(entry)
    if not remains.is_parent_synced and rng.random() < 0.5:
        return {}
    names = dict(remains.names)
    kept = rng.choice(KEPT_SHARES)
    is_in_order = rng.random() < 0.5  # as a journal of the file system would
    for naming in remains.namings:
        if rng.random() < kept:
            _rename(names, naming)
        elif is_in_order:
            break
    return {name: _survived(remains, inode, rng) for name, inode in names.items()}


def heard_in(log: list[tuple[Any, ...]]) -> int:
    """Return the last seq that was promised to anybody, 0 for none."""
    return max((entry[1] for entry in log if entry[0] == "heard"), default=0)


def make(folder: Path, files: Files) -> None:
    """Make a folder of these files."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _survived(remains: _Remains, inode: int, rng: random.Random) -> bytes:
    content = bytearray(remains.content[inode])
    kept, grain = rng.choice(KEPT_SHARES), rng.choice(GRAINS)
    parts: list[tuple[int, bytes] | None] = []
    for write in remains.writes[inode]:
        parts += [None] if write is None else _split(*write, grain, rng)
    parts = [part for part in parts if rng.random() < kept]
    rng.shuffle(parts)
    for part in parts:
        _apply(content, part)
    written = [write[0] + len(write[1]) for write in remains.writes[inode] if write is not None]
    if written and rng.random() < 0.5:  # the length arrived, not all of what fills it
        content.extend(bytes(max(0, max(written) - len(content))))
    return bytes(content)


def _split(offset: int, part: bytes, grain: int, rng: random.Random) -> list[tuple[int, bytes]]:
    """Return a write in pieces that arrive or not: of any length, or whole sectors or pages of the file."""
    pieces = []
    while part:
        if grain == 1:
            length = rng.randint(1, PART_MAX) if len(part) < PAGE_BYTES else rng.randint(1, len(part))
        else:
            length = grain - offset % grain
        pieces.append((offset, part[:length]))
        offset, part = offset + length, part[length:]
    return pieces


def _apply(content: bytearray, write: tuple[int, bytes] | None) -> None:
    if write is None:
        content.clear()
        return
    offset, part = write
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(part)] = part


def _rename(names: dict[str, int], naming: tuple[Any, ...]) -> None:
    match naming:
        case ("create", name, inode):
            names[name] = inode
        case ("rename", old, new, inode):
            if names.get(old) == inode:
                del names[old]
            names[new] = inode
        case ("remove", name):
            names.pop(name, None)
