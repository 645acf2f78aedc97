"""Windows of twelve buckets against lists of all that ever happened."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.payments.kernels.rows import BUCKETS, COUNTS, DISTINCT_MAX, SIGHTING, SUMS
from engine.payments.kernels.windows import add_at, count_at, distinct_at, see_card, total_at
from ringbuf.kernel import COMPILED, kernel

steps = st.lists(st.tuples(st.integers(0, 15), st.integers(1, 40)), min_size=1, max_size=80)


def record(dtype: np.dtype[Any]) -> Any:
    made = np.zeros(1, dtype)
    return made if COMPILED else made.view(np.recarray)


@kernel
def counted(window: Any, bucket: int) -> Any:
    """Count one in a bucket; return what the window held before."""
    before = total_at(window[0], bucket)
    count_at(window[0], bucket)
    return before


@kernel
def added(window: Any, bucket: int, amount: int) -> Any:
    before = total_at(window[0], bucket)
    add_at(window[0], bucket, amount)
    return before


@kernel
def seen(rows: Any, bucket: int, card: int) -> Any:
    before = distinct_at(rows[0], bucket, card)
    see_card(rows[0], bucket, card)
    return before


@settings(deadline=None)  # the first example compiles
@given(steps)
def test_a_count_is_that_of_the_last_twelve_buckets(given_steps: list[tuple[int, int]]) -> None:
    past: list[int] = []
    window, bucket = record(COUNTS), 100
    for ahead, _ in given_steps:
        bucket += ahead
        assert counted(window, bucket) == sum(bucket - BUCKETS < each <= bucket for each in past)
        past.append(bucket)


@settings(deadline=None)  # the first example compiles
@given(steps)
def test_a_sum_is_that_of_the_last_twelve_buckets(given_steps: list[tuple[int, int]]) -> None:
    past: list[tuple[int, int]] = []
    window, bucket = record(SUMS), 100
    for ahead, amount in given_steps:
        bucket += ahead
        expected = sum(each for at, each in past if bucket - BUCKETS < at <= bucket)
        assert added(window, bucket, amount * 10**9) == expected
        past.append((bucket, amount * 10**9))


@settings(deadline=None)  # the first example compiles
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 60)), min_size=1, max_size=200))
def test_distinct_cards_are_those_of_the_last_twelve_buckets(given_steps: list[tuple[int, int]]) -> None:
    past: list[tuple[int, int]] = []
    rows, bucket = record(SIGHTING), 100
    for ahead, card in given_steps:
        bucket += ahead
        expected = {each for at, each in past if bucket - BUCKETS < at <= bucket} | {card}
        assert seen(rows, bucket, card) == min(len(expected), DISTINCT_MAX)
        past.append((bucket, card))
