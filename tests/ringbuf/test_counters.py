"""Counters are found by name from any process, and heartbeats have an age."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numba import njit

from ringbuf.counters import Counters
from ringbuf.counting import add, beat
from ringbuf.layout import LINE_WORDS
from ringbuf.segment import SegmentMissingError


@njit
def count_in_a_kernel(words: Any, i: Any, rounds: Any) -> None:
    for _ in range(rounds):
        add(words, i, 2)
    beat(words, 0)


@pytest.fixture
def counters(segment_name: str) -> Iterator[Any]:
    made = Counters.create(segment_name, ["worker.beat", "orders", "fills"])
    yield made
    made.segment.unlink()


def test_counters_start_at_zero_in_the_order_given(counters: Any) -> None:
    assert {name: counters[name] for name in counters} == {"worker.beat": 0, "orders": 0, "fills": 0}
    assert len(counters) == 3


def test_a_counter_is_read_by_name_through_another_mapping(counters: Any, segment_name: str) -> None:
    reader = Counters.attach(segment_name, readonly=True)

    counters.add("orders")
    counters.add("orders", 41)
    counters["fills"] = 7

    assert list(reader) == ["worker.beat", "orders", "fills"]
    assert (reader["orders"], reader["fills"]) == (42, 7)


def test_a_kernel_counts_by_word(counters: Any) -> None:
    count_in_a_kernel(counters.words, counters.word("fills"), 10)

    assert counters["fills"] == 20
    assert counters["worker.beat"] > 0


def test_values_lie_on_lines_of_their_own(counters: Any) -> None:
    assert np.diff([counters.word(name) for name in counters]).tolist() == [LINE_WORDS] * 2


def test_a_heartbeat_has_no_age_before_its_first_beat(counters: Any) -> None:
    assert counters.age_ns("worker.beat") is None


def test_a_heartbeat_ages(counters: Any) -> None:
    counters.beat("worker.beat")
    first = counters.age_ns("worker.beat")

    assert 0 <= first < counters.age_ns("worker.beat")


def test_an_unknown_counter_is_a_key_error(counters: Any) -> None:
    with pytest.raises(KeyError):
        counters["order"]


@pytest.mark.parametrize("names", [["a", "a"], [""], ["x" * 65]])
def test_names_that_cannot_be_told_apart_are_refused(segment_name: str, names: Any) -> None:
    with pytest.raises(ValueError, match="counter name"):
        Counters.create(segment_name, names)


def test_counters_that_nobody_created_are_missing(segment_name: str) -> None:
    with pytest.raises(SegmentMissingError):
        Counters.attach(segment_name)
