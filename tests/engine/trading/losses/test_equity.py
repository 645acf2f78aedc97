"""Equity and its measures against exact integers, up to where numbers end; compiled and plain alike."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trading.kernels.equity import equity_of, value_position
from engine.trading.kernels.latches import allowed_by, measured_loss
from engine.trading.kernels.money import UNBOUNDED
from engine.trading.kernels.state import ACCOUNT_IDX_BITS, new_state
from engine.trading.records import MONEY_MAX, Latch
from ringbuf.kernel import COMPILED, kernel
from tests.capacities import SMALL

EDGE = st.sampled_from((-(2**62), -(2**62) + 1, -1, 0, 1, 2**62 - 1, 2**62))
MONEY = st.integers(-(2**62), 2**62) | EDGE
LOTS = st.integers(-(2**62), 2**62) | st.integers(-1000, 1000) | EDGE
PRICES = st.integers(0, 2**40)
SCALES = st.integers(1, 2**21)


@kernel
def value_all(state: Any, count: int) -> None:
    s = state[0]
    for position in range(count):
        value_position(s, np.int64(position), np.int64(0))


@kernel
def equity(state: Any) -> Any:
    return equity_of(state[0], np.int64(0))


@kernel
def measured(state: Any, latch: int) -> int:
    s = state[0]
    now, is_bounded = equity_of(s, np.int64(0))
    return int(measured_loss(s, np.int64(0), latch, now, is_bounded))


@kernel
def allowed(state: Any, latch: int) -> int:
    return int(allowed_by(state[0], np.int64(0), latch))


def plain(function: Any) -> Any:
    return function.py_func if COMPILED else function


def made(cash: int, held: list[tuple[int, int, int]]) -> Any:
    """Return a state with one watched account that holds (lots, price, scale) of an instrument each."""
    state = new_state(SMALL).view(np.recarray)
    s = state[0]
    s.seq = 1
    s.balances[0, 0].total = cash
    for idx, (lots, px, scale) in enumerate(held):
        s.positions[idx].key = idx
        s.positions[idx].qty = lots
        s.books[idx].mark_px = px
        s.books[idx].scale = scale
        s.books[idx].max_qty = (2**62 - 1) // (2**40 * scale)
    assert len(held) <= 2**ACCOUNT_IDX_BITS
    return state


@settings(deadline=None, max_examples=300)
@given(MONEY, st.lists(st.tuples(LOTS, PRICES, SCALES), max_size=4))
def test_equity_is_the_exact_sum_or_out_of_bounds(cash: int, held: list[tuple[int, int, int]]) -> None:
    worths = [lots * px * scale for lots, px, scale in held]
    total = cash + sum(worth for worth in worths if abs(worth) <= MONEY_MAX)
    is_bounded = abs(total) <= MONEY_MAX and all(abs(worth) <= MONEY_MAX for worth in worths)
    for value, ask in ((value_all, equity), (plain(value_all), plain(equity))):
        state = made(cash, held)
        with np.errstate(over="raise"):
            value(state, len(held))
            found, found_bounded = ask(state)

        assert bool(found_bounded) == is_bounded
        assert int(found) == max(-MONEY_MAX, min(MONEY_MAX, total))
        s = state[0]
        assert [int(each) for each in s["stakes"]["worth"][: len(held)]] == [
            worth if abs(worth) <= MONEY_MAX else UNBOUNDED for worth in worths
        ]


@settings(deadline=None, max_examples=300)
@given(MONEY, MONEY, MONEY, st.integers(1, 10_000))
def test_measures_are_exact_and_end_at_two_to_the_sixty_second(
    cash: int, peak: int, day_start: int, bps: int
) -> None:
    state = made(cash, [])
    watch = state[0].watches[0]
    watch.peak, watch.day_start = peak, day_start
    watch.limit[Latch.MAX_DRAWDOWN_BPS] = bps
    for ask, ask_allowed in ((measured, allowed), (plain(measured), plain(allowed))):
        with np.errstate(over="raise"):
            assert ask(state, int(Latch.MAX_DRAWDOWN)) == min(MONEY_MAX, max(0, peak - cash))
            assert ask(state, int(Latch.MAX_DAILY_LOSS)) == min(MONEY_MAX, max(0, day_start - cash))
            assert ask_allowed(state, int(Latch.MAX_DRAWDOWN_BPS)) == max(1, -(-max(peak, 0) * bps // 10_000))


def test_what_cannot_be_counted_breaches_whatever_it_feeds() -> None:
    state = made(0, [(2**62, 2**40, 1)])
    state[0].watches[0].peak = -MONEY_MAX
    value_all(state, 1)

    assert not equity(state)[1]
    assert measured(state, int(Latch.MAX_DRAWDOWN)) == MONEY_MAX
