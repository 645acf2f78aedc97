"""A disk that refuses: nothing is promised that is not on it, and nothing is written after it."""

import errno
import gc
import os
import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import NPY_HEAD_BYTES
from engine.runtime.journal.survey import survey
from tests.engine.runtime.journal.faults import EVERY, FailingDisk
from tests.engine.runtime.journal.power import after_loss, make
from tests.engine.runtime.journal.written import SLOTS, Journal, byte_of, fill, read

LARGE = 2**12
"""Slots of a segment whose spare comes in several pieces."""


class SlowEater(Disk):
    """Takes seven bytes at a time."""

    def write_part(self, file: int, content: memoryview, offset: int) -> int:
        return super().write_part(file, content[:7], offset)


class FullEater(Disk):
    """Takes nothing and says so without an error."""

    def write_part(self, file: int, content: memoryview, offset: int) -> int:
        return 0


def live(journal: Journal) -> None:
    """Do everything that a journaler does: start, write, rotate, restart, start again."""
    journal.start()
    fill(journal, 3, 2, SLOTS - 2)
    journal.restart()
    fill(journal, 4)
    journal.rotate()
    journal.start()
    fill(journal, 1, 1)


def calls_of_a_life(folder: Path) -> list[str]:
    """Return the operations of a life on a sound disk, in order."""
    disk = FailingDisk(folder, {}, fails_at=-1, error=0)
    journal = Journal(folder, disk)
    live(journal)
    journal.close()
    return disk.calls


def test_every_kind_of_operation_occurs_in_these_tests(tmp_path: Path) -> None:
    assert set(calls_of_a_life(tmp_path / "journal")) == set(EVERY)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_whatever_operation_fails_what_was_promised_is_there(tmp_path: Path, error: int) -> None:
    calls = calls_of_a_life(tmp_path / "whole")
    raised: list[int | None] = []

    for at in range(len(calls)):
        disk = FailingDisk(tmp_path / str(at), {}, fails_at=at, error=error)
        journal = Journal(tmp_path / str(at), disk)
        try:
            live(journal)
            raised.append(0)  # only the making of a spare may fail without anybody's notice
        except OSError as failure:
            raised.append(failure.errno)
        assert disk.failed == calls[at]
        journal.close()

        for seed in range(3):
            after = tmp_path / f"{at}-{seed}"
            make(after, after_loss(disk.log, random.Random(seed)))
            marks, _ = read(after)
            assert marks[: journal.durable] == [1000 + seq for seq in range(1, journal.durable + 1)], calls[
                at
            ]
            assert survey(after).durable.seq <= journal.durable
            again = Journal(after)
            again.start()
            fill(again, 2)
            assert len(read(after)[0]) == len(marks) + 2
            again.close()
    assert set(raised) == {0, error}


def test_a_writer_that_failed_takes_nothing_more(tmp_path: Path) -> None:
    calls = calls_of_a_life(tmp_path / "whole")
    disk = FailingDisk(tmp_path / "journal", {}, fails_at=calls.index("sync_data"), error=errno.EIO)
    journal = Journal(tmp_path / "journal", disk)
    journal.start()
    with pytest.raises(OSError, match="sync_data"):
        fill(journal, 3)
    disk.mend()
    done = len(disk.log)

    with pytest.raises(OSError, match="took nothing since"):
        journal.write(1)
    with pytest.raises(OSError, match="took nothing since"):
        journal.rotate()

    assert len(disk.log) == done
    journal.close()


def test_a_spare_that_finds_no_room_is_reported_and_gives_its_part_back(tmp_path: Path) -> None:
    disk = FailingDisk(tmp_path / "journal", {}, fails_at=-1, error=errno.ENOSPC)
    journal = Journal(tmp_path / "journal", disk)
    journal.start()
    with_spare = journal.writer.remaining()
    full = FailingDisk(journal.folder, {}, fails_at=1, error=errno.ENOSPC, lasts=True)
    journal.writer.disk = full

    journal.writer.prepare_spare()

    assert full.failed == "reserve"
    assert isinstance(journal.writer.spare_error, OSError)
    assert (with_spare, journal.writer.remaining()) == (2 * SLOTS - 2, SLOTS - 1)
    assert not (journal.folder / "spare.tmp").exists()
    journal.writer.disk = disk
    journal.close()


def test_a_spare_whose_zeros_are_refused_is_reported_and_gives_its_part_back(tmp_path: Path) -> None:
    sound = FailingDisk(tmp_path / "sound", {}, fails_at=-1, error=0)
    whole = Journal(tmp_path / "sound", sound, LARGE)
    whole.start()
    fill(whole, LARGE // 2)
    whole.close()
    zeros = sound.calls.index("write_part", sound.calls.index("sync_data"))
    disk = FailingDisk(tmp_path / "journal", {}, fails_at=zeros, error=errno.EIO)
    journal = Journal(tmp_path / "journal", disk, LARGE)
    journal.start()

    marks = fill(journal, LARGE // 2)
    journal.writer.grow_spare()

    assert isinstance(journal.writer.spare_error, OSError)
    assert not (journal.folder / "spare.tmp").exists()
    assert read(journal.folder)[0] == marks
    journal.close()


def test_a_rotation_makes_the_spare_that_could_not_be_made_before(tmp_path: Path) -> None:
    creates = [at for at, name in enumerate(calls_of_a_life(tmp_path / "whole")) if name == "create"]
    disk = FailingDisk(tmp_path / "journal", {}, fails_at=creates[1], error=errno.ENOSPC)
    journal = Journal(tmp_path / "journal", disk)
    journal.start()
    assert journal.writer.spare_error is not None

    marks = fill(journal, 20, 20)

    assert journal.writer.spare_error is None
    assert read(journal.folder)[0] == marks
    journal.close()


def test_a_rotation_without_room_fails_and_promises_nothing(tmp_path: Path) -> None:
    creates = [at for at, name in enumerate(calls_of_a_life(tmp_path / "whole")) if name == "create"]
    disk = FailingDisk(tmp_path / "journal", {}, fails_at=creates[1], error=errno.ENOSPC, lasts=True)
    journal = Journal(tmp_path / "journal", disk)
    journal.start()
    marks = fill(journal, 20)

    with pytest.raises(OSError, match="create"):
        fill(journal, 20)

    assert journal.durable == 20
    assert read(journal.folder)[0] == marks
    journal.close()


def test_writes_taken_in_small_parts_are_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", SlowEater())
    journal.start()

    marks = fill(journal, 5, 7)

    assert read(journal.folder)[0] == marks
    journal.close()


def test_a_kernel_that_takes_nothing_is_an_error_not_a_loop(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", FullEater())

    with pytest.raises(OSError, match="nothing of"):
        journal.start()

    journal.close()


def test_a_real_limit_of_the_kernel_is_met_with_a_short_write_and_an_error(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.start()
    marks = fill(journal, 5)

    with limited(byte_of(10)), pytest.raises(OSError, match="File too large"):
        fill(journal, 9)  # of its slots 7 to 16 the first three are taken

    found = survey(journal.folder)
    assert (found.end.seq, found.cut is not None) == (5, True)
    assert read(journal.folder)[0] == marks
    journal.close()


@contextmanager
def limited(file_bytes: int) -> Iterator[None]:
    """Let no file of this process be written beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_failed_starts_leave_no_files_open(tmp_path: Path) -> None:
    gc.collect()  # files of earlier tests may be waiting for it
    before = len(os.listdir("/proc/self/fd"))

    for at in range(3, 8):
        disk = FailingDisk(tmp_path / str(at), {}, fails_at=at, error=errno.EIO)
        journal = Journal(tmp_path / str(at), disk)
        with pytest.raises(OSError, match="fails in this test"):
            journal.start()
        journal.close()

    assert len(os.listdir("/proc/self/fd")) == before
    assert NPY_HEAD_BYTES % 4096 == 0
