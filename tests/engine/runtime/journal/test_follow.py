"""Following a journal that grows, rotates and is superseded: every command once, in order."""

import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest

from engine.runtime.journal.follow import Follower
from engine.runtime.journal.frames import Position, Records
from engine.runtime.journal.journal import START, JournalError, segment_paths
from tests.engine.runtime.journal.written import (
    OWNER,
    SLOTS,
    Journal,
    byte_of,
    commands,
    fill,
    marks_of,
    read,
)

FRAMES_RACED = 400


class Reading:
    """A follower and what it was given so far."""

    def __init__(self, folder: Path, position: Position = START) -> None:
        self.follower = Follower(folder, position, OWNER)
        self.marks: list[int] = []
        self.epochs: list[int] = []
        self._first_seq = position.seq + 1

    @property
    def next_seq(self) -> int:
        """The seq of the command that comes next."""
        return self._first_seq + len(self.marks)

    def read(self, upto: int) -> None:
        """Read until everything up to `upto` is there, and nothing behind it."""
        while self.next_seq <= upto:
            records, epoch = self.follower.read(upto)
            self._take(records)
            self.epochs.append(epoch)
        assert self.next_seq == upto + 1

    def _take(self, records: Records) -> None:
        marks = marks_of(records)
        assert records[records["seq"] > 0].tobytes() == commands(self.next_seq, marks).tobytes()
        self.marks += marks


def test_a_follower_stops_at_the_durable_seq_within_a_frame(journal: Journal) -> None:
    marks = fill(journal, 3, 9)
    reading = Reading(journal.folder)

    reading.read(5)
    assert (reading.marks, reading.follower.position.seq) == (marks[:5], 0)

    reading.read(6)
    reading.read(12)
    assert (reading.marks, reading.follower.position.seq) == (marks, 12)


def test_a_follower_begins_behind_any_frame(journal: Journal) -> None:
    marks = fill(journal, *[5] * 8)

    for frame in read(journal.folder)[1][:-1]:
        reading = Reading(journal.folder, frame.end)
        reading.read(40)
        assert reading.marks == marks[frame.last_seq :]


def test_a_follower_never_meets_what_was_superseded(journal: Journal) -> None:
    fill(journal, 3)
    reading = Reading(journal.folder)
    reading.read(2)
    journal.put(*range(50, 58))
    journal.write_unheard(8)
    journal.restart()
    journal.ring[:] = range(70, 74)  # were they other commands, it would show
    journal.write(3)

    reading.read(6)

    assert reading.marks == [1001, 1002, 1003, 70, 71, 72]
    assert reading.follower.position == Position(6, read(journal.folder)[1][-1].digest)


def test_a_follower_tells_the_starts_apart(journal: Journal) -> None:
    fill(journal, 3)
    journal.start()
    fill(journal, 2)
    reading = Reading(journal.folder)

    reading.read(5)

    assert reading.epochs == [1, 2]


def test_a_follower_looks_again_once_the_folder_has_changed(journal: Journal) -> None:
    fill(journal, 3)
    reading = Reading(journal.folder)
    os.utime(journal.folder, ns=(10**9, 10**9))  # long settled
    reading.read(2)

    marks = fill(journal, 20)
    reading.read(23)

    assert reading.marks == [1001, 1002, 1003, *marks]


@pytest.mark.parametrize("slot", [1, 3, 5])
def test_a_follower_refuses_damage_in_what_is_durable(journal: Journal, slot: int) -> None:
    fill(journal, 3, 2)
    [path] = segment_paths(journal.folder)
    raw = bytearray(path.read_bytes())
    raw[byte_of(slot) + 9] ^= 4
    path.write_bytes(raw)
    reading = Reading(journal.folder)

    with pytest.raises(
        JournalError, match=rf"{path}: seq .* at byte {byte_of(1 if slot < 5 else 5):,}; bring"
    ):
        reading.read(5)


def test_a_follower_refuses_a_position_of_another_journal(journal: Journal) -> None:
    fill(journal, 3, 2)

    with pytest.raises(JournalError, match="is not chained to the frame that ends at seq 3"):
        Reading(journal.folder, Position(3, b"x" * 32)).read(5)
    with pytest.raises(JournalError, match=r"byte .* but the reader reached seq 9"):
        Reading(journal.folder, Position(9, b"x" * 32)).read(10)


def test_a_follower_without_a_segment_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="holds no segment with seq 1"):
        Reading(tmp_path).read(1)


def test_a_follower_keeps_up_with_a_writer_beside_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.start()
    rng = random.Random(11)
    durable = np.zeros(2, np.int64)  # D; 1 once the writer ended
    given: list[int] = []
    failed: list[BaseException] = []
    grown = threading.Semaphore(0)

    def write() -> None:
        try:
            for turn in range(FRAMES_RACED):
                journal.put(*range(turn * SLOTS, turn * SLOTS + rng.randint(1, SLOTS - 3)))
                if rng.random() < 0.1:
                    journal.write_unheard(rng.randint(1, min(len(journal.ring), SLOTS - 2)))
                    journal.restart()
                count = rng.randint(1, min(len(journal.ring), SLOTS - 2))
                given.extend(journal.ring[:count])
                journal.write(count)
                durable[0] = journal.durable
                grown.release()
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            durable[1] = 1
            grown.release()

    writer = threading.Thread(target=write)
    reading = Reading(journal.folder)
    steps = 0
    writer.start()
    try:
        while not durable[1] or reading.next_seq <= durable[0]:
            if not durable[1]:
                grown.acquire()
            upto = int(durable[0])
            if reading.next_seq <= upto:
                reading.read(rng.randint(reading.next_seq, upto))
                steps += 1
    finally:
        writer.join()

    assert not failed
    assert reading.marks == given
    assert steps > 100
    assert len(segment_paths(journal.folder)) > FRAMES_RACED // 10
    journal.close()
