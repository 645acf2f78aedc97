"""Segments appear whole, are verified, belong to a living owner, and leave nothing behind."""

import multiprocessing
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ringbuf.segment import (
    Kind,
    SegmentForeignError,
    SegmentInUseError,
    SegmentMismatchError,
    SegmentMissingError,
    SegmentSpaceError,
    SegmentStaleError,
    attach,
    create,
    inspect,
    reclaim,
    reclaim_dead,
)
from ringbuf.segment_header import HEADER, process_start, record_hash

RECORD = np.dtype([("a", "<i8"), ("b", "<i4", (2,))])


def path_of(name: Any) -> Any:
    return f"/dev/shm/{name}"


def leave_behind(name: Any, record: Any = "<i8", capacity: Any = 8) -> None:
    """Create a segment in a process that dies at once without removing it."""
    program = (
        "import os; from ringbuf.segment import Kind, create; "
        f"create({name!r}, Kind.SPSC, {record!r}, {capacity}, epoch=5); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)


@pytest.fixture
def made(segment_name: str) -> Iterator[Any]:
    with create(segment_name, Kind.BROADCAST, RECORD, 16, epoch=3) as owned:
        yield owned


def test_a_new_segment_is_zeroed_and_says_what_it_is(made: Any) -> None:
    header = inspect(made.name)

    assert not made.control.any()
    assert made.slots.tobytes() == bytes(16 * RECORD.itemsize)
    assert (header.kind, header.capacity, header.record_bytes) == (Kind.BROADCAST, 16, 16)
    assert (header.epoch, header.owner_pid) == (3, os.getpid())
    assert header.is_owner_alive


def test_two_mappings_share_their_bytes(made: Any) -> None:
    other = attach(made.name, Kind.BROADCAST, RECORD)

    made.slots["a"][3] = 42
    other.control[0] = 7

    assert other.slots["a"][3] == 42
    assert made.control[0] == 7


def test_a_segment_is_for_its_user_alone(made: Any) -> None:
    assert stat.S_IMODE(os.stat(path_of(made.name)).st_mode) == 0o600


def test_a_reserved_segment_owns_its_pages(segment_name: str) -> None:
    with create(segment_name, Kind.STATE, RECORD, 65_536, reserve=True):
        status = os.stat(path_of(segment_name))

        assert status.st_blocks * 512 >= status.st_size


def test_a_populated_mapping_has_no_page_fault_ahead(segment_name: str) -> None:
    with create(segment_name, Kind.STATE, RECORD, 65_536, reserve=True):
        populated = attach(segment_name, Kind.STATE, RECORD, populate=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt

        total = int(populated.slots["a"].sum())

        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
        assert total == 0
        assert faults < populated.header.segment_bytes // 4096 // 4


def test_an_unreserved_segment_takes_pages_only_when_touched(segment_name: str) -> None:
    with create(segment_name, Kind.STATE, RECORD, 65_536):
        status = os.stat(path_of(segment_name))

        assert status.st_blocks * 512 < status.st_size // 10


def test_initial_records_are_there_from_the_first_moment(segment_name: str) -> None:
    records = np.array([(1, (2, 3)), (4, (5, 6))], RECORD)

    with create(segment_name, Kind.STATE, RECORD, 2, initial=records):
        assert attach(segment_name, Kind.STATE, RECORD).slots.tobytes() == records.tobytes()


def test_a_read_only_mapping_refuses_writes(made: Any) -> None:
    reader = attach(made.name, Kind.BROADCAST, RECORD, readonly=True)

    assert reader.readonly
    assert not made.readonly
    with pytest.raises(ValueError, match="read-only"):
        reader.slots["a"][0] = 1
    with pytest.raises(ValueError, match="read-only"):
        reader.control[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        reader.slots.flags.writeable = True


def test_the_processor_itself_refuses_a_write_through_a_read_only_mapping(made: Any) -> None:
    program = (
        "import ctypes, numpy as np; from ringbuf.segment import Kind, attach; "
        f"words = attach({made.name!r}, Kind.BROADCAST, {RECORD.descr!r}, readonly=True).control; "
        "ctypes.memset(words.ctypes.data, 1, 8)"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False)

    assert done.returncode == -11
    assert made.control[0] == 0


def test_arrays_outlive_the_segment_object_and_the_name(segment_name: str) -> None:
    with create(segment_name, Kind.STATE, RECORD, 2) as owned:
        slots = owned.slots
    del owned

    slots["a"][1] = 9

    assert slots["a"].tolist() == [0, 9]
    assert not os.path.exists(path_of(segment_name))


def test_a_missing_segment_is_named(segment_name: str) -> None:
    with pytest.raises(SegmentMissingError, match=segment_name):
        attach(segment_name, Kind.SPSC, RECORD)


@pytest.mark.parametrize(
    ("kind", "record", "capacity", "what"),
    [
        (Kind.SPSC, RECORD, None, "kind 2.* expects 1"),
        (Kind.BROADCAST, "<i8", None, "record size 16.* expects 8"),
        (Kind.BROADCAST, [("a", "<i8"), ("c", "<i4", (2,))], None, "record layout"),
        (Kind.BROADCAST, RECORD, 32, "capacity 16.* expects 32"),
    ],
)
def test_a_segment_of_another_make_is_refused(
    made: Any, kind: Any, record: Any, capacity: Any, what: Any
) -> None:
    with pytest.raises(SegmentMismatchError, match=what):
        attach(made.name, kind, record, capacity=capacity)


def test_a_segment_of_another_epoch_is_refused(made: Any) -> None:
    assert attach(made.name, Kind.BROADCAST, RECORD, epoch=3).header.epoch == 3

    with pytest.raises(SegmentStaleError, match=r"epoch 3, epoch 4"):
        attach(made.name, Kind.BROADCAST, RECORD, epoch=4)


def test_a_segment_of_another_layout_version_is_refused(made: Any) -> None:
    with open(path_of(made.name), "r+b") as file:
        file.seek(HEADER.fields["layout_version"][1])
        file.write((99).to_bytes(8, "little"))

    with pytest.raises(SegmentMismatchError, match="layout version 99"):
        attach(made.name, Kind.BROADCAST, RECORD)


@pytest.mark.parametrize("content", [b"", b"RING", b"somebody else's data" * 1000])
def test_a_foreign_file_is_neither_attached_nor_replaced(segment_name: str, content: Any) -> None:
    with open(path_of(segment_name), "wb") as file:
        file.write(content)

    for attempt in (
        lambda: attach(segment_name, Kind.SPSC, RECORD),
        lambda: create(segment_name, Kind.SPSC, RECORD, 8),
        lambda: reclaim(segment_name),
    ):
        with pytest.raises(SegmentForeignError, match=segment_name):
            attempt()

    with open(path_of(segment_name), "rb") as file:
        assert file.read() == content
    os.unlink(path_of(segment_name))


def test_a_truncated_segment_is_refused(made: Any) -> None:
    os.truncate(path_of(made.name), made.header.segment_bytes - 1)

    with pytest.raises(SegmentForeignError, match="truncated"):
        attach(made.name, Kind.BROADCAST, RECORD)


def test_the_name_of_a_living_owner_is_refused_and_its_segment_unharmed(made: Any) -> None:
    made.slots["a"][0] = 5

    with pytest.raises(SegmentInUseError, match=str(os.getpid())):
        create(made.name, Kind.BROADCAST, RECORD, 16)
    with pytest.raises(SegmentInUseError, match="running"):
        reclaim(made.name)

    assert attach(made.name, Kind.BROADCAST, RECORD).slots["a"][0] == 5


def test_a_dead_owners_leftover_is_refused_to_attach_unless_asked_for(segment_name: str) -> None:
    leave_behind(segment_name)

    with pytest.raises(SegmentStaleError, match="left behind"):
        attach(segment_name, Kind.SPSC, "<i8")

    assert attach(segment_name, Kind.SPSC, "<i8", dead_owner=True).header.epoch == 5
    assert reclaim(segment_name)


def test_a_dead_owners_leftover_is_replaced(segment_name: str) -> None:
    leave_behind(segment_name)

    with create(segment_name, Kind.STATE, RECORD, 3, epoch=6):
        assert attach(segment_name, Kind.STATE, RECORD, epoch=6).header.owner_pid == os.getpid()


def test_a_dead_owners_leftover_is_replaced_even_when_truncated(segment_name: str) -> None:
    leave_behind(segment_name)
    os.truncate(path_of(segment_name), 200)

    with create(segment_name, Kind.STATE, RECORD, 3):
        assert inspect(segment_name).capacity == 3


def test_a_pid_given_to_another_process_is_not_taken_for_the_owner(made: Any) -> None:
    with open(path_of(made.name), "r+b") as file:
        file.seek(HEADER.fields["owner_start"][1])
        file.write(((process_start(os.getpid()) or 0) - 1).to_bytes(8, "little"))

    assert not inspect(made.name).is_owner_alive
    with pytest.raises(SegmentStaleError):
        attach(made.name, Kind.BROADCAST, RECORD)


def test_reclaiming_what_is_not_there_says_so(segment_name: str) -> None:
    assert not reclaim(segment_name)


def test_only_dead_instances_leftovers_are_reclaimed_by_prefix(segment_name: str) -> None:
    leave_behind(f"{segment_name}-dead-a")
    leave_behind(f"{segment_name}-dead-b")
    foreign = path_of(f"{segment_name}-foreign")
    with open(foreign, "wb"):
        pass

    with create(f"{segment_name}-alive", Kind.STATE, RECORD, 3):
        names = reclaim_dead(segment_name)

        assert names == [f"{segment_name}-dead-a", f"{segment_name}-dead-b"]
        assert inspect(f"{segment_name}-alive").capacity == 3
    assert os.path.exists(foreign)
    os.unlink(foreign)


def test_a_draft_of_a_creator_that_died_is_swept(segment_name: str) -> None:
    draft = path_of(f"{segment_name}.999999999.1")
    with open(draft, "wb"):
        pass

    with create(segment_name, Kind.SPSC, RECORD, 4):
        assert not os.path.exists(draft)


def test_an_old_owner_does_not_remove_its_successors_segment(segment_name: str) -> None:
    first = create(segment_name, Kind.SPSC, RECORD, 4)
    first.unlink()
    with create(segment_name, Kind.SPSC, RECORD, 8):
        first.unlink()

        assert inspect(segment_name).capacity == 8


def test_a_child_of_the_owner_does_not_remove_the_segment(made: Any, start: Any) -> None:
    def leave_the_block() -> None:
        with attach(made.name, Kind.BROADCAST, RECORD):
            pass
        with made:
            pass

    start(leave_the_block).join()

    assert inspect(made.name).capacity == 16


def test_nothing_is_left_when_there_is_no_room(segment_name: str) -> None:
    with pytest.raises(SegmentSpaceError, match="/dev/shm has"):
        create(segment_name, Kind.STATE, RECORD, 2**44)

    assert not os.path.exists(path_of(segment_name))


def test_nothing_is_left_when_creating_fails_half_way(segment_name: str) -> None:
    with pytest.raises(ValueError, match="broadcast"):
        create(segment_name, Kind.STATE, RECORD, 3, initial=np.zeros(2, RECORD))

    assert not [entry for entry in os.listdir("/dev/shm") if entry.startswith(segment_name)]


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "a.b", "x" * 201])
def test_a_name_that_is_no_plain_word_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="segment name"):
        attach(name, Kind.SPSC, RECORD)


def test_a_capacity_that_makes_no_sense_is_refused(segment_name: str) -> None:
    with pytest.raises(ValueError, match="power of two"):
        create(segment_name, Kind.SPSC, RECORD, 12)
    with pytest.raises(ValueError, match="at least one"):
        create(segment_name, Kind.STATE, RECORD, 0)


def test_two_creators_at_once_get_one_segment(segment_name: str, start: Any) -> None:
    context = multiprocessing.get_context("fork")
    finished, stay = context.Semaphore(0), context.Semaphore(0)

    def contend(verdicts: Any, idx: Any) -> None:
        try:
            create(segment_name, Kind.STATE, RECORD, 4, epoch=idx + 1)
        except SegmentInUseError:
            verdicts[idx] = 2
        else:
            verdicts[idx] = 1
        finished.release()
        stay.acquire()

    leave_behind(segment_name)
    with create(f"{segment_name}-verdicts", Kind.STATE, "<i8", 8) as board:
        for idx in range(8):
            start(contend, board.slots, idx)
        for _ in range(8):
            finished.acquire()
        verdicts = board.slots.tolist()

        assert sorted(verdicts) == [1] + [2] * 7
        assert inspect(segment_name).epoch == verdicts.index(1) + 1

    os.unlink(path_of(segment_name))


def test_a_segment_survives_every_process_that_attached_it(made: Any) -> None:
    program = (
        "from ringbuf.segment import Kind, attach; "
        f"attach({made.name!r}, Kind.BROADCAST, {RECORD.descr!r}).slots['a'][1] = 8"
    )

    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert made.slots["a"][1] == 8
    assert attach(made.name, Kind.BROADCAST, RECORD).slots["a"][1] == 8


def test_a_creator_that_exits_without_unlinking_leaves_its_segment_and_no_warning(segment_name: str) -> None:
    program = f"from ringbuf.segment import Kind, create; create({segment_name!r}, Kind.SPSC, '<i8', 8)"

    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert inspect(segment_name).capacity == 8
    assert reclaim(segment_name)


def test_record_hashes_tell_layouts_apart() -> None:
    layouts: list[Any] = [
        [("a", "<i8"), ("b", "<i8")],
        [("b", "<i8"), ("a", "<i8")],
        [("a", "<i8"), ("b", "<u8")],
        [("a", "<i8"), ("b", "<i4", (2,))],
        [("a", "<i8"), ("b", [("c", "<i8")])],
        {"names": ["a", "b"], "formats": ["<i8", "<i8"], "offsets": [0, 16]},
        {"names": ["a", "b"], "formats": ["<i8", "<i8"], "itemsize": 64},
        "<i8",
        "<f8",
    ]

    assert len({record_hash(layout) for layout in layouts}) == len(layouts)
    assert record_hash(RECORD) == record_hash([("a", "<i8"), ("b", "<i4", (2,))])
