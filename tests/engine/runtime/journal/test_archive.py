"""Segments that go to the archive and come back: nothing is lost at any moment, nothing comes back wrong."""

import random
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import Position
from engine.runtime.journal.journal import START, JournalError, first_seq_of, open_segment, segment_paths
from engine.runtime.upkeep import archive
from tests.engine.runtime.journal.power import KilledError
from tests.engine.runtime.journal.written import OWNER, Journal, UnsyncedDisk, byte_of, fill, read


class DyingDisk(UnsyncedDisk):
    """Logs what is asked of it and dies at one of these."""

    def __init__(self, lives: int = 10**6) -> None:
        self.lives = lives
        self.log: list[tuple[str, str]] = []

    def _turn(self, what: str, path: Path | None = None) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # a spare segment: nobody depends on it
        if self.lives == 0:
            raise KilledError
        self.lives -= 1
        self.log.append((what, "" if path is None else path.name))

    def create(self, path: Path) -> int:
        self._turn("create", path)
        return super().create(path)

    def write(self, file: int, content: bytes | memoryview, offset: int) -> None:
        self._turn("write")
        super().write(file, content, offset)

    def sync(self, file: int) -> None:
        self._turn("sync")

    def rename(self, old: Path, new: Path) -> None:
        self._turn("rename", new)
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        self._turn("remove", path)
        super().remove(path)

    def sync_folder(self, folder: Path) -> None:
        self._turn("sync_folder", folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty archive."""
    made = tmp_path / "archive"
    made.mkdir()
    return made


def grow(journal: Journal, segments: int = 4) -> list[int]:
    """Fill so many segments, one of them cut short by a restart; return all marks."""
    marks = []
    for number in range(segments):
        marks += fill(journal, 3, 1, 4)
        if number == 1:
            journal.restart()
        else:
            journal.rotate()
    return marks + fill(journal, 2)


def archive_all(journal: Journal, folder: Path, needed_seq: int, disk: Disk) -> list[Path]:
    """Archive what is not needed; return the names that went."""
    paths = archive.spare_paths(journal.folder, needed_seq)
    everything = segment_paths(journal.folder)
    for path, following in pairwise(everything):
        if path in paths:
            archive.pack(path, following, folder, disk)
    return paths


def restore_all(journal: Journal, folder: Path, disk: Disk) -> None:
    archive.clear_drafts(journal.folder)
    for packed, following in archive.missing_paths(folder, journal.folder):
        archive.unpack(packed, following, disk)
    archive.clear_drafts(journal.folder)


def contents(journal: Journal) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in segment_paths(journal.folder)}


def test_what_comes_back_is_what_went_byte_for_byte(journal: Journal, folder: Path) -> None:
    marks = grow(journal)
    before = contents(journal)

    gone = archive_all(journal, folder, journal.durable + 1, UnsyncedDisk())
    kept = contents(journal)
    restore_all(journal, folder, UnsyncedDisk())

    assert len(gone) >= 3
    assert before.keys() - kept.keys() == {path.name for path in gone}
    assert contents(journal) == before
    assert read(journal.folder)[0] == marks
    assert not (journal.folder / archive.RESTORED).exists()


@pytest.mark.parametrize("seed", range(20))
def test_every_reader_behind_the_floor_finds_all_it_needs(journal: Journal, folder: Path, seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(rng.randint(2, 8)):
        fill(journal, *(rng.randint(1, 4) for _ in range(rng.randint(0, 3))))
        rng.choice((journal.restart, journal.rotate, journal.start))()
    fill(journal, 2)
    marks, frames = read(journal.folder)
    floor = rng.choice([START, *(frame.end for frame in frames)])

    gone = archive_all(journal, folder, floor.seq + 1, UnsyncedDisk())

    assert read(journal.folder, floor)[0] == marks[floor.seq :]
    later = [frame.end for frame in frames if frame.last_seq > floor.seq]
    for position in later:
        assert read(journal.folder, position)[0] == marks[position.seq :]
    assert all(first_seq_of(path) <= floor.seq for path in gone)
    restore_all(journal, folder, UnsyncedDisk())
    assert read(journal.folder)[0] == marks


def test_killed_at_any_moment_a_segment_is_in_one_place_at_least_and_the_next_run_ends_it(
    tmp_path: Path,
) -> None:
    alive = DyingDisk()
    lives = 0
    while not lives or alive.lives == 0:
        journal, folder = Journal(tmp_path / f"{lives}" / "journal"), tmp_path / f"{lives}" / "archive"
        folder.mkdir()
        journal.start()
        marks = grow(journal)
        before = contents(journal)
        alive = DyingDisk(lives)
        with suppress(KilledError):
            archive_all(journal, folder, journal.durable + 1, alive)

        kept = contents(journal)
        packed = {archive.segment_name_of(path) for path in archive.archived_paths(folder)}
        assert before.keys() == kept.keys() | packed
        assert read(journal.folder, _start_of(journal))[0] == marks[first_seq_of(_first(journal)) - 1 :]
        archive_all(journal, folder, journal.durable + 1, UnsyncedDisk())
        restore_all(journal, folder, UnsyncedDisk())
        assert contents(journal) == before
        journal.close()
        lives += 1
    assert lives > 20


def test_killed_at_any_moment_of_a_restore_the_journal_is_one_piece(journal: Journal, folder: Path) -> None:
    marks = grow(journal)
    before = contents(journal)
    lives, alive = 0, DyingDisk()
    while not lives or alive.lives == 0:
        archive_all(journal, folder, journal.durable + 1, UnsyncedDisk())
        alive = DyingDisk(lives)
        with suppress(KilledError):
            restore_all(journal, folder, alive)
        assert read(journal.folder, _start_of(journal))[0] == marks[first_seq_of(_first(journal)) - 1 :]
        restore_all(journal, folder, UnsyncedDisk())
        assert contents(journal) == before
        lives += 1
    assert lives > 10


def test_the_original_goes_only_after_file_and_name_are_on_the_disk(journal: Journal, folder: Path) -> None:
    grow(journal, 1)
    disk = DyingDisk()

    archive_all(journal, folder, journal.durable + 1, disk)

    done = [entry for entry in disk.log if entry[0] != "write"]
    name = done[-2][1]
    assert done == [
        ("create", archive.DRAFT),
        ("sync", ""),
        ("rename", f"{name}.zst"),
        ("sync_folder", folder.name),
        ("remove", name),
        ("sync_folder", journal.folder.name),
    ]


def test_a_damaged_segment_is_not_archived(journal: Journal, folder: Path) -> None:
    grow(journal)
    damaged = segment_paths(journal.folder)[0]
    content = bytearray(damaged.read_bytes())
    content[byte_of(3) + 50] ^= 1
    damaged.write_bytes(content)

    with pytest.raises(JournalError, match=f"{damaged.name}: no valid frame at byte"):
        archive_all(journal, folder, journal.durable + 1, UnsyncedDisk())

    assert damaged.exists()
    assert not archive.archived_paths(folder)


def test_another_journals_archive_is_refused_and_nothing_removed(
    journal: Journal, folder: Path, tmp_path: Path
) -> None:
    grow(journal)
    other = Journal(tmp_path / "other" / "journal")
    other.start()
    fill(other, 3)
    grow(other)
    archive_all(other, folder, other.durable + 1, UnsyncedDisk())
    other.close()
    before = contents(journal)

    with pytest.raises(JournalError, match=r"holds something else than .* with --to"):
        archive_all(journal, folder, journal.durable + 1, UnsyncedDisk())

    assert contents(journal) == before


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("how", ["flipped", "cut", "longer"])
def test_a_damaged_archive_never_comes_back(journal: Journal, folder: Path, how: str, share: float) -> None:
    grow(journal)
    archive_all(journal, folder, journal.durable + 1, UnsyncedDisk())
    kept = contents(journal)
    packed = archive.archived_paths(folder)[-1]
    content = bytearray(packed.read_bytes())
    at = int(share * len(content))
    if how == "flipped":
        content[at] ^= 1
    elif how == "cut":
        del content[at:]
    else:
        content += b"\0"
    packed.write_bytes(content)

    with pytest.raises(JournalError, match=packed.name.removesuffix(".zst")):
        restore_all(journal, folder, UnsyncedDisk())

    assert contents(journal) == kept


def test_a_missing_segment_of_the_archive_is_named(journal: Journal, folder: Path) -> None:
    grow(journal)
    archive_all(journal, folder, journal.durable + 1, UnsyncedDisk())
    archive.archived_paths(folder)[1].unlink()

    with pytest.raises(
        JournalError, match=r"segment 2 is neither in .* nor in .*: .*--from FOLDER.* or bring it back"
    ):
        restore_all(journal, folder, UnsyncedDisk())


def test_a_reader_that_needs_what_is_archived_is_told_how_to_get_it(journal: Journal, folder: Path) -> None:
    grow(journal)
    archive_all(journal, folder, journal.durable + 1, UnsyncedDisk())

    with pytest.raises(JournalError, match=f"pinion journal restore {journal.folder.parent}"):
        read(journal.folder)


def _first(journal: Journal) -> Path:
    return segment_paths(journal.folder)[0]


def _start_of(journal: Journal) -> Position:
    head = open_segment(_first(journal), OWNER).head
    return head.begin
