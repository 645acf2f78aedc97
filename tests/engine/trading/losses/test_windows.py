"""Windows of twelve buckets against a list of what happened when."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trading.kernels.watch_records import BUCKETS
from engine.trading.kernels.windows import advance, total_in
from ringbuf.kernel import kernel

STEPS = st.lists(st.tuples(st.integers(0, 30) | st.just(0), st.integers(1, 10**12)), max_size=40)


@kernel
def count(window: Any, newest: int, now: int, amount: int) -> None:
    advance(window, newest, now)
    window[now % BUCKETS] += amount


@kernel
def total(window: Any, newest: int, now: int) -> int:
    return int(total_in(window, newest, now))


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**40), STEPS, st.integers(0, 30))
def test_a_window_is_the_sum_of_its_last_twelve_buckets(
    first: int, steps: list[tuple[int, int]], idle: int
) -> None:
    window = np.zeros(BUCKETS, np.int64)
    happened: list[tuple[int, int]] = []
    newest, now = 0, first
    for passed, amount in steps:
        now += passed
        count(window, newest, now, amount)
        happened.append((now, amount))
        newest = now
        assert total(window, newest, now) == sum(each for at, each in happened if now - at < BUCKETS)
    later = now + idle
    assert total(window, newest, later) == sum(each for at, each in happened if later - at < BUCKETS)
