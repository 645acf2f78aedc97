"""A journal folder written as the journaler would, with commands that can be told apart.

`Journal` keeps what the journaler keeps in shared memory: D, and the commands of the ring that
are not durable yet. A command is known by its `mark`: two commands of one seq have different ones.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.contract.application import JournalOwner
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import NPY_HEAD_BYTES, Frame, Position, Records
from engine.runtime.journal.journal import START, JournalReader, number_of, segment_paths
from engine.runtime.journal.survey import Found, survey
from engine.runtime.journal.writer import JournalWriter
from tests.engine.runtime.echo import ADD, ENTRY

OWNER = JournalOwner(ENTRY, 77)
SLOTS = 24
NOTHING = np.zeros(0, ENTRY)


class UnsyncedDisk(Disk):
    """The kernel's memory is enough where no power is lost: no test waits for a real disk."""

    def sync_data(self, file: int) -> None:
        """Promise only."""

    def sync(self, file: int) -> None:
        """Promise only."""

    def sync_folder(self, folder: Path) -> None:
        """Promise only."""


def commands(first_seq: int, marks: Sequence[int]) -> Records:
    """Return one command per mark, dense from first_seq on."""
    made = np.zeros(len(marks), ENTRY)
    made["seq"] = np.arange(first_seq, first_seq + len(marks))
    made["eng_ts"] = made["seq"] * 10
    made["ring_seq"] = np.asarray(marks) // 3
    made["command"]["op"] = ADD
    made["command"]["mark"] = marks
    made["command"]["count"] = 1 + np.asarray(marks) % 3
    return made


def marks_of(records: Records) -> list[int]:
    """Return the marks of the commands among records, heads of frames left out."""
    marks: list[int] = records["command"]["mark"][records["seq"] > 0].tolist()
    return marks


def read(folder: Path, start: Position = START) -> tuple[list[int], list[Frame]]:
    """Return the marks of all commands, checked byte for byte, and the frames that hold them."""
    frames = list(JournalReader(folder, start, OWNER))
    marks = [mark for frame in frames for mark in marks_of(frame.entries)]
    content = b"".join(frame.entries.tobytes() for frame in frames)
    assert content == commands(start.seq + 1, marks).tobytes()
    return marks, frames


class Journal:
    """A folder, its writer, D and the ring."""

    def __init__(self, folder: Path, disk: Disk | None = None, slot_count: int = SLOTS) -> None:
        self.folder = folder
        self.disk = disk or UnsyncedDisk()
        self.slot_count = slot_count
        self.durable = 0
        self.ring: list[int] = []
        """Marks of the commands behind D that were handed to the writer."""
        self._epoch = 0
        folder.mkdir(exist_ok=True, parents=True)
        self.writer = self._new_writer()

    def start(self, floor: Position = START) -> Found:
        """Start on what is there, as everything does after a loss of power (cold)."""
        self._renew()
        found = survey(self.folder, floor, OWNER)
        self.writer.begin(found.next_number, found.durable, found.tail)
        self.durable, self.ring = found.end.seq, []
        return found

    def restart(self) -> None:
        """Restart the journaler alone (warm): all behind D will be written anew from the ring."""
        self._renew()
        reader = JournalReader(self.folder, START, OWNER)
        if reader.position.seq < self.durable:
            for frame in reader:
                if frame.last_seq >= self.durable:
                    break
        assert reader.position.seq == self.durable
        number = number_of(segment_paths(self.folder)[-1]) + 1
        self.writer.begin(number, reader.position)

    def put(self, *marks: int) -> None:
        """Have these commands come into the ring."""
        self.ring += marks

    def write(self, count: int, wrap: int = 0) -> None:
        """Write one frame of the ring's first `count` commands, rotating when there is no room; D follows."""
        self.write_unheard(count, wrap)
        self.durable += count
        del self.ring[:count]
        self.writer.grow_spare()
        self.writer.await_spare()

    def write_unheard(self, count: int, wrap: int = 0) -> None:
        """As `write`, but die before D moves."""
        if self.writer.room < count:
            self.rotate()
        records = commands(self.durable + 1, self.ring[:count])
        self.writer.append(records[:wrap].view(np.uint8), records[wrap:].view(np.uint8), self.durable)

    def rotate(self) -> None:
        """Go on in the next segment."""
        self.writer.rotate()

    def close(self) -> None:
        """Let the files go."""
        self.writer.close()

    def _renew(self) -> None:
        self.writer.close()
        self._epoch += 1
        self.writer = self._new_writer()

    def _new_writer(self) -> JournalWriter:
        return JournalWriter(
            self.folder, self.disk, owner=OWNER, epoch=self._epoch, slot_count=self.slot_count
        )


def fill(journal: Journal, *counts: int) -> list[int]:
    """Write frames of so many commands each; return all their marks."""
    first = journal.durable + 1
    marks = [1000 + seq for seq in range(first, first + sum(counts))]
    journal.put(*marks)
    for count in counts:
        journal.write(count)
    return marks


def byte_of(slot: int) -> int:
    """Return where in its file a slot begins."""
    return NPY_HEAD_BYTES + slot * ENTRY.itemsize
