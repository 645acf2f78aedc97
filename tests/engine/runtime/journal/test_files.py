"""What is written is found again: by a user's numpy, by the reader, by a start."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.runtime.journal.frames import NO_DIGEST, NPY_HEAD_BYTES, Position, npy_head, segment_head
from engine.runtime.journal.journal import (
    START,
    JournalError,
    JournalReader,
    open_segment,
    segment_name,
    segment_paths,
)
from engine.runtime.journal.survey import survey
from tests.engine.runtime.echo import ENTRY
from tests.engine.runtime.journal.written import OWNER, SLOTS, Journal, commands, fill, marks_of, read


def test_a_user_reads_the_commands_of_a_segment_with_numpy(journal: Journal) -> None:
    marks = fill(journal, 3, 1, 4)

    [path] = segment_paths(journal.folder)
    records: Any = np.load(path, mmap_mode="r")

    assert records[records["seq"] > 0].tobytes() == commands(1, marks).tobytes()


def test_numpys_own_header_is_what_a_segment_begins_with(tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", np.zeros(7, ENTRY))

    own = (tmp_path / "own.npy").read_bytes()
    own_text = own[10 : len(own) - 7 * ENTRY.itemsize]

    assert npy_head(7, ENTRY)[10:].rstrip() == own_text.rstrip()


def test_a_frame_of_two_parts_of_the_ring_reads_as_one(journal: Journal) -> None:
    journal.put(5, 6, 7)

    journal.write(3, wrap=2)

    marks, frames = read(journal.folder)
    assert marks == [5, 6, 7]
    assert len(frames) == 1


def test_frames_are_chained_and_say_what_was_durable(journal: Journal) -> None:
    fill(journal, 3, 2, 1)

    frames = read(journal.folder)[1]

    assert [frame.durable_upto for frame in frames] == [0, 3, 5]
    assert [frame.previous for frame in frames] == [NO_DIGEST, frames[0].digest, frames[1].digest]


def test_segments_rotate_and_read_as_one_journal(journal: Journal) -> None:
    marks = fill(journal, *[5] * 12)

    names = [path.name for path in segment_paths(journal.folder)]

    assert names == [segment_name(k, 15 * (k - 1) + 1) for k in (1, 2, 3, 4)]
    assert read(journal.folder)[0] == marks


def test_a_frame_may_fill_a_segment_to_its_last_slot(journal: Journal) -> None:
    marks = fill(journal, SLOTS - 2, SLOTS - 2, 1)

    assert len(segment_paths(journal.folder)) == 3
    assert read(journal.folder)[0] == marks
    assert survey(journal.folder).end.seq == len(marks)


def test_a_start_copies_what_no_later_frame_declares_durable(journal: Journal) -> None:
    marks = fill(journal, 3, 2)

    found = journal.start()

    assert [frame.entries["seq"].tolist() for frame in found.tail] == [[4, 5]]
    assert [path.name for path in segment_paths(journal.folder)] == [segment_name(1, 1), segment_name(2, 4)]
    assert read(journal.folder)[0] == marks


def test_the_journal_goes_on_behind_a_copied_tail(journal: Journal) -> None:
    marks = fill(journal, 3, 2)
    journal.start()

    marks += fill(journal, 4)

    assert read(journal.folder)[0] == marks
    assert survey(journal.folder).durable.seq == 5


def test_a_tail_longer_than_the_segments_now_are_finds_room(journal: Journal) -> None:
    journal.put(*range(20))
    journal.write_unheard(20)
    small = Journal(journal.folder, slot_count=6)

    small.start()

    fill(small, 2)
    assert read(journal.folder)[0] == [*range(20), 1021, 1022]
    small.close()


def test_a_warm_restart_supersedes_what_was_never_heard_of(journal: Journal) -> None:
    fill(journal, 3)
    journal.put(*range(50, 58))
    journal.write_unheard(8)

    journal.restart()
    journal.write(2)
    journal.write(6)

    marks, frames = read(journal.folder)
    assert marks == [1001, 1002, 1003, *range(50, 58)]
    assert [frame.command_count for frame in frames] == [3, 2, 6]


def test_a_new_segment_vouches_for_everything_before_it(journal: Journal) -> None:
    fill(journal, 3, 2)
    journal.rotate()

    found = survey(journal.folder)

    assert (found.durable.seq, found.tail) == (5, ())


def test_starts_without_commands_leave_segments_of_equal_first_seq(journal: Journal) -> None:
    marks = fill(journal, 4)
    journal.rotate()
    for _ in range(3):
        journal.start()

    marks += fill(journal, 2)

    firsts = [open_segment(path).head.first_seq for path in segment_paths(journal.folder)]
    assert firsts == [1, 5, 5, 5, 5]
    assert read(journal.folder)[0] == marks


def test_reading_begins_behind_any_frame(journal: Journal) -> None:
    marks = fill(journal, 5, 5, 5, 5, 1, 2)
    journal.start()

    for frame in read(journal.folder)[1]:
        start = frame.end
        assert read(journal.folder, start)[0] == marks[frame.last_seq :]


def test_stretches_are_the_same_commands_in_larger_pieces(journal: Journal) -> None:
    marks = fill(journal, *[2] * 20)

    stretches = list(JournalReader(journal.folder).stretches(40, slot_count=4))

    assert [mark for records, _, _ in stretches for mark in marks_of(records)] == marks
    assert stretches[-1][2].seq == 40
    assert all(3 <= len(records) <= 6 for records, _, _ in stretches)


def test_an_empty_folder_is_a_journal_at_its_start(tmp_path: Path) -> None:
    found = survey(tmp_path)

    assert (found.end, found.durable, found.tail, found.next_number, found.cut) == (START, START, (), 1, None)


def test_a_snapshot_without_any_segment_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no segment, but a snapshot reaches seq 9"):
        survey(tmp_path, Position(9, bytes(32)))


def test_a_journal_that_ends_before_the_snapshot_refuses_to_start(journal: Journal) -> None:
    fill(journal, 3, 2)

    with pytest.raises(JournalError, match=r"after seq 5\), but a snapshot or a reader reaches seq 9"):
        survey(journal.folder, Position(9, bytes(32)))


def test_a_snapshot_of_another_journal_is_refused(journal: Journal) -> None:
    fill(journal, 3, 2)

    with pytest.raises(JournalError, match="not the one that the snapshot was taken behind"):
        survey(journal.folder, Position(3, b"x" * 32))
    with pytest.raises(JournalError, match="no frame ends at seq 4"):
        survey(journal.folder, Position(4, b"x" * 32))


def test_a_journal_of_other_capacities_is_refused(journal: Journal) -> None:
    with pytest.raises(JournalError, match="other capacities or another application"):
        survey(journal.folder, START, replace(OWNER, identity=OWNER.identity + 1))


def test_a_missing_segment_is_named(journal: Journal) -> None:
    fill(journal, *[5] * 12)
    segment_paths(journal.folder)[1].unlink()

    with pytest.raises(JournalError, match=r"segment 2 is missing between 00000001-.* bring it back"):
        survey(journal.folder)


def test_a_missing_first_segment_is_named(journal: Journal) -> None:
    fill(journal, *[5] * 12)
    segment_paths(journal.folder)[0].unlink()

    with pytest.raises(JournalError, match="begins at seq 16, seq 1 is needed"):
        survey(journal.folder)


def test_old_segments_may_go_once_a_snapshot_reaches_behind_them(journal: Journal) -> None:
    marks = fill(journal, *[5] * 12)
    frame = read(journal.folder)[1][5]
    segment_paths(journal.folder)[0].unlink()

    found = survey(journal.folder, frame.end)

    assert found.end.seq == len(marks)


def test_two_segments_of_one_number_are_refused(journal: Journal) -> None:
    fill(journal, 3)
    [path] = segment_paths(journal.folder)
    (journal.folder / segment_name(1, 4)).write_bytes(path.read_bytes())

    with pytest.raises(JournalError, match="have one number"):
        survey(journal.folder)


def test_segments_that_go_back_are_refused(journal: Journal) -> None:
    fill(journal, 3)
    journal.rotate()
    (journal.folder / segment_name(3, 2)).write_bytes(segment_paths(journal.folder)[0].read_bytes())

    with pytest.raises(JournalError, match="begins before"):
        survey(journal.folder)


def test_a_renamed_segment_is_refused_with_its_true_name(journal: Journal) -> None:
    fill(journal, 3)
    [path] = segment_paths(journal.folder)
    path.rename(path.with_name(segment_name(1, 2)))

    with pytest.raises(JournalError, match=f"give it back its name {path.name}"):
        open_segment(path.with_name(segment_name(1, 2)))


def test_a_segment_of_another_journal_is_not_chained(journal: Journal, tmp_path: Path) -> None:
    fill(journal, 3)
    journal.rotate()
    other = Journal(tmp_path / "other")
    other.start()
    fill(other, 2, 1)
    other.rotate()
    foreign = segment_paths(other.folder)[1]
    (journal.folder / foreign.name).write_bytes(foreign.read_bytes())

    with pytest.raises(JournalError, match="is chained to another frame at seq 3"):
        survey(journal.folder)
    other.close()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", bytes(10_000)])
def test_a_foreign_file_under_a_segments_name_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / segment_name(1, 1)).write_bytes(content)

    with pytest.raises(JournalError, match=r"no journal segment: .* \(byte \d"):
        survey(tmp_path)


def test_an_array_of_something_else_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / segment_name(1, 1), np.zeros(5000))

    with pytest.raises(JournalError, match="no journal segment"):
        survey(tmp_path)


def test_other_files_in_the_folder_are_nobodys_business(journal: Journal) -> None:
    marks = fill(journal, 3)
    (journal.folder / "notes.npy").write_bytes(b"mine")
    (journal.folder / "00000001.npy").write_bytes(b"mine")

    assert survey(journal.folder).end.seq == len(marks)


def test_segments_of_another_version_are_told_apart_from_damage(tmp_path: Path) -> None:
    head = segment_head(OWNER, epoch=1, number=1, first_seq=1, created_at=0, anchor=NO_DIGEST)
    raw = bytearray(npy_head(3, ENTRY) + head + bytes(2 * ENTRY.itemsize))
    raw[NPY_HEAD_BYTES + 16] = 9
    (tmp_path / segment_name(1, 1)).write_bytes(raw)

    with pytest.raises(JournalError, match="format version is 9, this Pinion writes 1"):
        survey(tmp_path)
