"""Pairs come in the order of arrival, and what has no room is counted."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pinion.capture.keeper import HELD_BYTES_MAX, QUEUED_BYTES_MAX, Arrivals, Keeper
from pinion.capture.records import Record, read
from pinion.capture.verify import verify
from pinion.capture.writer import RecordWriter
from tests.pinion.capture.captured import ABOUT, pair
from tests.pinion.capture.disks import HarmedDisk


@contextmanager
def keeping(folder: Path, limit: int | None = None) -> Iterator[tuple[Keeper, HarmedDisk]]:
    """Run a keeper in a thread of its own; behind the block everything is written."""
    disk = HarmedDisk()
    writer = RecordWriter(folder, ABOUT, disk)
    keeper = Keeper(writer, limit)
    thread = threading.Thread(target=keeper.run)
    thread.start()
    try:
        yield keeper, disk
    finally:
        disk.may_write.set()
        keeper.end()
        thread.join()
        writer.close(9)


@given(order=st.permutations(range(8)))
def test_pairs_come_in_the_order_of_arrival_whenever_they_are_answered(order: list[int]) -> None:
    offered: list[Record | None] = []
    arrivals = Arrivals(lambda each, size: offered.append(each))
    places = [arrivals.arrived() for _ in order]

    for number in order:
        arrivals.close(places[number], None if number == 3 else pair(number), 1)

    assert [each and each.request for each in offered] == [
        None if number == 3 else f"request {number}" for number in range(8)
    ]


def test_a_request_that_is_not_answered_is_given_up_before_those_behind_it_are_too_many() -> None:
    offered: list[Record | None] = []
    arrivals = Arrivals(lambda each, size: offered.append(each))
    silent, first, second = (arrivals.arrived() for _ in range(3))

    arrivals.close(first, pair(1), HELD_BYTES_MAX)
    held = list(offered)
    arrivals.close(second, pair(2), 1)
    arrivals.close(silent, pair(0), 1)

    assert held == []
    assert [each and each.request for each in offered] == [None, "request 1", "request 2"]


def test_a_slow_disk_makes_nobody_wait_and_what_has_no_room_is_told(tmp_path: Path) -> None:
    with keeping(tmp_path) as (keeper, disk):
        disk.may_write.clear()
        for number in range(5):
            keeper.offer(pair(number), QUEUED_BYTES_MAX // 3)
        dropped = keeper.dropped
        keeper.offer(None, 0)

    assert dropped == 2
    assert [each.request for each in read(tmp_path)] == ["request 0", "request 1", "request 2"]
    assert verify(tmp_path).dropped == 3


def test_as_many_pairs_are_kept_as_the_limit_says(tmp_path: Path) -> None:
    with keeping(tmp_path, limit=7) as (keeper, _):
        for number in range(100):
            keeper.offer(pair(number) if number % 3 else None, 1)

    assert [each.request for each in read(tmp_path)] == [f"request {each}" for each in (1, 2, 4, 5, 7, 8, 10)]
    assert verify(tmp_path).dropped == 4
