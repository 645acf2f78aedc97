"""Damage anywhere: cut where it was never declared durable, refused where it was (protocol rule 9).

The journal of these tests, slots of two segments:

    1: 0 head | 1..4 frame 1-3 | 5..7 frame 4-5 | zeros
    2: 0 head | 1..3 frame 6-7 | 4..8 frame 8-11 | zeros
"""

import random
from pathlib import Path

import pytest

from engine.runtime.journal.frames import NPY_HEAD_BYTES, Position
from engine.runtime.journal.journal import START, JournalError, segment_paths
from engine.runtime.journal.survey import survey
from tests.engine.runtime.echo import ENTRY
from tests.engine.runtime.journal.written import OWNER, SLOTS, Journal, byte_of, fill, marks_of, read

END_BYTE = byte_of(SLOTS)
LAST = (4, 9)
"""Slots of the last frame: head and end."""
ACTION = "bring the file back from a backup or the archive"
SEED = 7


@pytest.fixture
def written(journal: Journal) -> Journal:
    fill(journal, 3, 2)
    journal.rotate()
    fill(journal, 2, 4)
    return journal


def flipped(path: Path, whole: bytes, at: int, bit: int) -> None:
    damaged = bytearray(whole)
    damaged[at] ^= 1 << bit
    path.write_bytes(damaged)


def refusal(folder: Path, floor: Position = START) -> str:
    """Return why a start is refused, nothing when it is not."""
    try:
        survey(folder, floor, owner=OWNER)
    except JournalError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("number", [1, 2])
def test_a_flip_in_the_heads_of_a_segment_is_refused_wherever_it_is(written: Journal, number: int) -> None:
    path = segment_paths(written.folder)[number - 1]
    whole = path.read_bytes()
    rng = random.Random(SEED)

    for at in (*range(700), *range(700, NPY_HEAD_BYTES - 1, 16), *range(NPY_HEAD_BYTES - 1, byte_of(1))):
        flipped(path, whole, at, rng.randrange(8))
        text = refusal(written.folder)
        assert str(path) in text, at
        assert f"byte {min(at, NPY_HEAD_BYTES):,}" in text or "instead of" in text, at
        assert ACTION in text, at


@pytest.mark.parametrize(("number", "slots", "frame_slot"), [(1, (1, 5), 1), (1, (5, 8), 5), (2, (1, 4), 1)])
def test_a_flip_in_what_was_declared_durable_is_refused(
    written: Journal, number: int, slots: tuple[int, int], frame_slot: int
) -> None:
    path = segment_paths(written.folder)[number - 1]
    whole = path.read_bytes()
    rng = random.Random(SEED)

    for at in range(byte_of(slots[0]), byte_of(slots[1])):
        flipped(path, whole, at, rng.randrange(8))
        text = refusal(written.folder)
        assert f"{path}: no valid frame at byte {byte_of(frame_slot):,} " in text, at
        assert "durable" in text, at
        assert ACTION in text, at


def test_a_flip_in_the_last_frame_is_cut_and_reported(written: Journal) -> None:
    path = segment_paths(written.folder)[1]
    whole = path.read_bytes()
    rng = random.Random(SEED)

    for at in range(byte_of(LAST[0]), byte_of(LAST[1])):
        flipped(path, whole, at, rng.randrange(8))
        found = survey(written.folder)
        assert (found.end.seq, found.durable.seq) == (7, 5), at
        assert f"{path}: no valid frame at byte {byte_of(LAST[0]):,} (after seq 7)" in str(found.cut), at


def test_a_flip_in_the_last_frame_is_refused_when_a_snapshot_reaches_it(written: Journal) -> None:
    frame = read(written.folder)[1][-1]
    path = segment_paths(written.folder)[1]
    flipped(path, path.read_bytes(), byte_of(6), 3)

    text = refusal(written.folder, frame.end)

    assert f"{path}: no valid frame at byte {byte_of(LAST[0]):,} " in text
    assert "a snapshot or a reader reaches seq 11" in text


def test_a_flip_in_the_last_frame_is_refused_once_a_new_segment_vouches_for_it(written: Journal) -> None:
    path = segment_paths(written.folder)[1]
    written.rotate()
    flipped(path, path.read_bytes(), byte_of(6), 3)

    assert "goes on at seq 12" in refusal(written.folder)


def test_a_flip_in_the_zeros_behind_the_end_is_no_frame(written: Journal) -> None:
    path = segment_paths(written.folder)[1]
    whole = path.read_bytes()
    rng = random.Random(SEED)

    for at in range(byte_of(LAST[1]), END_BYTE, 3):
        flipped(path, whole, at, rng.randrange(8))
        found = survey(written.folder)
        assert found.end.seq == 11, at
        assert f"byte {byte_of(LAST[1]):,}" in str(found.cut), at


def test_a_flip_in_the_zeros_of_a_finished_segment_harms_nobody(written: Journal) -> None:
    path = segment_paths(written.folder)[0]
    whole = path.read_bytes()

    for at in range(byte_of(8), END_BYTE, 13):
        flipped(path, whole, at, at % 8)
        found = survey(written.folder)
        assert (found.end.seq, found.cut) == (11, None)


def test_a_last_frame_that_arrived_up_to_some_byte_is_cut(written: Journal) -> None:
    path = segment_paths(written.folder)[1]
    whole = path.read_bytes()

    for at in range(byte_of(LAST[0]), byte_of(LAST[1])):
        arrived = whole[:at] + bytes(len(whole) - at)
        path.write_bytes(arrived)
        found = survey(written.folder)
        assert found.end.seq == (11 if arrived == whole else 7), at
        is_anything_there = any(arrived[byte_of(LAST[0]) :])
        assert (found.cut is not None) == (is_anything_there and arrived != whole), at


def test_a_last_frame_of_which_only_the_end_arrived_is_cut(written: Journal) -> None:
    path = segment_paths(written.folder)[1]
    whole = path.read_bytes()

    for at in range(byte_of(LAST[0]) + 1, byte_of(LAST[1]), 7):
        path.write_bytes(whole[: byte_of(LAST[0])] + bytes(at - byte_of(LAST[0])) + whole[at:])
        found = survey(written.folder)
        assert found.end.seq == 7, at
        assert (found.cut is not None) == any(whole[at:]), at


def test_an_earlier_frame_that_lacks_its_end_is_refused(written: Journal) -> None:
    path = segment_paths(written.folder)[1]
    whole = path.read_bytes()

    for at in range(byte_of(1), byte_of(3), 7):
        path.write_bytes(whole[:at] + bytes(byte_of(4) - at) + whole[byte_of(4) :])
        assert f"no valid frame at byte {byte_of(1):,}" in refusal(written.folder), at


@pytest.mark.parametrize("number", [1, 2])
def test_a_file_that_was_made_shorter_or_longer_is_refused(written: Journal, number: int) -> None:
    path = segment_paths(written.folder)[number - 1]
    whole = path.read_bytes()

    for size in (*range(NPY_HEAD_BYTES, len(whole), 11), len(whole) - 1):
        path.write_bytes(whole[:size])
        text = refusal(written.folder)
        assert f"{path}: ends at byte {size:,} instead of {len(whole):,}" in text
        assert ACTION in text
    path.write_bytes(whole + b"x")
    assert "ends at byte" in refusal(written.folder)


def test_a_frame_of_another_journal_in_the_right_place_is_no_part_of_it(
    written: Journal, tmp_path: Path
) -> None:
    other = Journal(tmp_path / "other")
    other.start()
    fill(other, 3, 2)
    other.rotate()
    other.put(*range(6))
    other.write(2)
    other.write(4)
    path, foreign = (segment_paths(each.folder)[1] for each in (written, other))
    whole, part = path.read_bytes(), slice(byte_of(LAST[0]), byte_of(LAST[1]))

    path.write_bytes(whole[: part.start] + foreign.read_bytes()[part] + whole[part.stop :])

    found = survey(written.folder)
    assert found.end.seq == 7
    assert found.cut is not None
    other.close()


def test_two_frames_that_changed_places_are_refused(written: Journal) -> None:
    path = segment_paths(written.folder)[0]
    raw = path.read_bytes()
    first, second = raw[byte_of(1) : byte_of(5)], raw[byte_of(5) : byte_of(8)]

    path.write_bytes(raw[: byte_of(1)] + second + first + raw[byte_of(8) :])

    assert f"no valid frame at byte {byte_of(1):,}" in refusal(written.folder)


def test_a_start_after_a_cut_goes_on_and_never_meets_the_rest_again(written: Journal) -> None:
    path = segment_paths(written.folder)[1]
    flipped(path, path.read_bytes(), byte_of(6), 3)

    assert written.start().cut is not None
    fill(written, 4)

    found = survey(written.folder)
    assert (found.end.seq, found.cut) == (11, None)
    assert marks_of(read(written.folder)[1][-1].entries) == [1008, 1009, 1010, 1011]
    assert ENTRY.itemsize * 4 == byte_of(4) - byte_of(0)
