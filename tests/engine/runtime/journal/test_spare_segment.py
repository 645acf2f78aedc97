"""The spare segment: its room at once, its zeros in step with the journal, whole when it is needed."""

import errno
import os
from pathlib import Path

import pytest

from engine.runtime.journal.frames import NPY_HEAD_BYTES
from engine.runtime.journal.spare_segment import PIECE_BYTES, SpareSegment
from tests.engine.runtime.echo import ENTRY
from tests.engine.runtime.journal.written import Journal, UnsyncedDisk, fill, read

SIZE = 30 * PIECE_BYTES + 1000
SLOTS = 2**13


class CountingDisk(UnsyncedDisk):
    """Counts the bytes that were written, by name of the file."""

    def __init__(self) -> None:
        self.written: dict[str, int] = {}

    def write_part(self, file: int, content: memoryview, offset: int) -> int:
        taken = super().write_part(file, content, offset)
        name = Path(os.readlink(f"/proc/self/fd/{file}")).name
        self.written[name] = self.written.get(name, 0) + taken
        return taken


@pytest.fixture
def disk() -> CountingDisk:
    return CountingDisk()


def test_its_room_is_taken_before_anything_is_written(disk: CountingDisk, tmp_path: Path) -> None:
    spare = SpareSegment(disk, tmp_path / "spare", SIZE)

    found = (tmp_path / "spare").stat()
    assert (found.st_size, found.st_blocks * 512 >= SIZE) == (SIZE, True)
    assert not disk.written
    spare.close()


def test_it_grows_in_pieces(disk: CountingDisk, tmp_path: Path) -> None:
    spare = SpareSegment(disk, tmp_path / "spare", SIZE)

    grown = []
    for upto in (PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES - 1, SIZE, SIZE):
        spare.grow(upto)
        spare.await_grown()
        grown.append(disk.written.get("spare", 0))

    whole = SIZE // PIECE_BYTES * PIECE_BYTES
    assert grown == [0, PIECE_BYTES, 2 * PIECE_BYTES, whole, whole]
    spare.finish()
    assert disk.written["spare"] == SIZE
    assert (tmp_path / "spare").read_bytes() == bytes(SIZE)


def test_whatever_stops_the_zeros_is_told_to_whoever_asks_next(tmp_path: Path) -> None:
    class Broken(UnsyncedDisk):
        def begin_writing(self, file: int, offset: int, length: int) -> None:
            raise AttributeError("no such call in this test")

    spare = SpareSegment(Broken(), tmp_path / "spare", SIZE)
    spare.grow(PIECE_BYTES)
    spare.await_grown()

    with pytest.raises(AttributeError):
        spare.grow(2 * PIECE_BYTES)
    assert not (tmp_path / "spare").exists()


def test_a_file_whose_closing_reports_an_error_is_closed_once_and_gone(tmp_path: Path) -> None:
    class NoClosing(UnsyncedDisk):
        closings = 0

        def close(self, file: int) -> None:
            super().close(file)
            self.closings += 1
            raise OSError(errno.EDQUOT, "refused in this test")

    disk = NoClosing()
    spare = SpareSegment(disk, tmp_path / "spare", SIZE)

    with pytest.raises(OSError, match="refused"):
        spare.finish()
    spare.close()

    assert disk.closings == 1
    assert not (tmp_path / "spare").exists()


def test_zeros_keep_step_with_the_journal_and_are_whole_before_it_is_full(
    disk: CountingDisk, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "journal", disk, SLOTS)
    journal.start()
    disk.written.clear()
    marks, size = [], NPY_HEAD_BYTES + SLOTS * ENTRY.itemsize

    for quarter in range(1, 5):
        marks += fill(journal, SLOTS // 4 - 2)
        behind = size * quarter // 4 * 17 // 16 - disk.written["spare.tmp"]
        assert quarter == 4 or -PIECE_BYTES < behind < 2 * PIECE_BYTES

    assert size - disk.written["spare.tmp"] < PIECE_BYTES
    marks += fill(journal, SLOTS - 2)
    assert read(journal.folder)[0] == marks
    journal.close()
