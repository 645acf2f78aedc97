"""The SPSC ring delivers every record once, in order, and refuses when it is full."""

from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringbuf.layout import CONTROL_WORDS, PUBLISHED, RELEASED, RELEASED_SEEN
from ringbuf.spsc import NO_SLOT, SpscRing, available, publish, release, room, try_claim

RECORD = np.dtype([("number", "<i8"), ("half", "<i4"), ("rest", "<i4")])


def records(first: Any, count: Any) -> Any:
    made = np.zeros(count, RECORD)
    made["number"] = np.arange(first, first + count)
    return made


def test_records_come_out_in_the_order_they_went_in() -> None:
    ring = SpscRing.private(RECORD, 8)

    assert ring.push(records(0, 5)) == 5

    assert ring.pop(3)["number"].tolist() == [0, 1, 2]
    assert ring.pop(3)["number"].tolist() == [3, 4]
    assert len(ring.pop(3)) == 0


def test_a_full_ring_takes_what_fits_and_says_how_many() -> None:
    ring = SpscRing.private(RECORD, 4)

    assert ring.push(records(0, 3)) == 3
    assert ring.push(records(3, 3)) == 1
    assert ring.push(records(4, 1)) == 0
    assert ring.pop(9)["number"].tolist() == [0, 1, 2, 3]


def test_every_slot_is_used() -> None:
    ring = SpscRing.private(RECORD, 2)

    assert ring.push(records(0, 2)) == 2
    assert room(ring.control, 2) == 0
    assert len(ring) == 2


def test_claim_gives_the_same_slot_until_it_is_published() -> None:
    ring = SpscRing.private(RECORD, 2)

    assert try_claim(ring.control, 2) == 0
    assert try_claim(ring.control, 2) == 0
    publish(ring.control)
    assert try_claim(ring.control, 2) == 1
    publish(ring.control, 1)
    assert try_claim(ring.control, 2) == NO_SLOT


def test_a_released_slot_can_be_claimed_again() -> None:
    ring = SpscRing.private(RECORD, 2)
    ring.push(records(0, 2))

    assert available(ring.control) == 2
    release(ring.control, 1)

    assert try_claim(ring.control, 2) == 0
    assert available(ring.control) == 1


def test_a_claimed_slot_is_invisible_until_published() -> None:
    ring = SpscRing.private(RECORD, 2)

    ring.slots[try_claim(ring.control, 2)]["number"] = 7

    assert len(ring.pop(1)) == 0
    publish(ring.control)
    assert ring.pop(1)["number"].tolist() == [7]


def test_a_successor_goes_on_at_the_cursors() -> None:
    ring = SpscRing.private(RECORD, 4)
    ring.push(records(0, 4))
    ring.pop(2)

    successor = SpscRing(ring.control, ring.slots)

    assert successor.push(records(4, 9)) == 2
    assert successor.pop(9)["number"].tolist() == [2, 3, 4, 5]


def test_a_ring_far_into_its_life_works_as_a_new_one() -> None:
    ring = SpscRing.private(RECORD, 4)
    for cursor in (PUBLISHED, RELEASED, RELEASED_SEEN):
        ring.control[cursor] = 2**62 + 3

    assert ring.push(records(0, 9)) == 4
    assert ring.pop(9)["number"].tolist() == [0, 1, 2, 3]
    assert ring.published == 2**62 + 7


def test_a_consumer_ahead_of_its_producer_is_an_error() -> None:
    ring = SpscRing.private(RECORD, 4)
    ring.control[RELEASED] = 1

    with pytest.raises(AssertionError):
        room(ring.control, 4)
    with pytest.raises(AssertionError):
        available(ring.control)


def test_records_of_another_layout_are_refused() -> None:
    ring = SpscRing.private(RECORD, 4)

    with pytest.raises(TypeError, match="carries"):
        ring.push(np.zeros(1, np.int64))


@pytest.mark.parametrize("capacity", [0, 3, 12])
def test_a_capacity_that_is_no_power_of_two_is_refused(capacity: Any) -> None:
    with pytest.raises(ValueError, match="power of two"):
        SpscRing.private(RECORD, capacity)


def test_records_that_are_not_whole_words_are_refused() -> None:
    with pytest.raises(ValueError, match="8-byte words"):
        SpscRing.private(np.dtype([("a", "<i4")]), 4)


def test_a_control_block_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="control block"):
        SpscRing(np.zeros(CONTROL_WORDS - 1, np.int64), np.zeros(4, RECORD))


@given(
    capacity_bits=st.integers(0, 4),
    start=st.sampled_from([0, 1, 5, 2**31 - 2, 2**53 - 1, 2**62]),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=60),
)
def test_any_mix_of_pushes_and_pops_behaves_as_a_bounded_queue(
    capacity_bits: int, start: Any, steps: Any
) -> None:
    capacity = 1 << capacity_bits
    ring = SpscRing.private(RECORD, capacity)
    ring.control[[PUBLISHED, RELEASED, RELEASED_SEEN]] = start
    model: deque[int] = deque()
    pushed = 0

    for is_push, count in steps:
        if is_push:
            accepted = ring.push(records(pushed, count))
            assert accepted == min(count, capacity - len(model))
            model.extend(range(pushed, pushed + accepted))
            pushed += accepted
        else:
            popped = ring.pop(count)["number"].tolist()
            assert popped == [model.popleft() for _ in range(min(count, len(model)))]
        assert len(ring) == len(model)
