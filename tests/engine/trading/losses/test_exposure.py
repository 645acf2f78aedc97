"""Exposure against exact fractions, up to where numbers end; compiled and plain alike."""

from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trading import codes
from engine.trading.kernels.exposure import check_exposure, exposure_now, exposure_of
from engine.trading.kernels.money import UNBOUNDED
from engine.trading.kernels.state import new_state
from engine.trading.records import MONEY_MAX, Reason, Side
from ringbuf.kernel import COMPILED, kernel
from tests.capacities import SMALL

LOTS = st.integers(-(2**62), 2**62) | st.integers(-1000, 1000)
NOTIONALS = st.integers(0, 2**62) | st.integers(0, 10**6) | st.sampled_from((0, 2**62 - 1, 2**62))
MORE = st.integers(0, 2**62 - 1) | st.integers(0, 10**6)
RATES = st.sampled_from(((1, 1), (108, 100), (1, 3), (2**62, 1), (1, 10**18)))
HELD = st.lists(st.tuples(LOTS, st.integers(0, 2**40), NOTIONALS, NOTIONALS), min_size=1, max_size=3)


@kernel
def measure(state: Any, book: int, side: int, more: int) -> tuple[int, int]:
    gross, part = exposure_of(state[0], np.int64(0), book, side, more)
    return int(gross), int(part)


@kernel
def now(state: Any) -> tuple[int, int, int]:
    gross, part, book = exposure_now(state[0], np.int64(0))
    return int(gross), int(part), int(book)


@kernel
def check(state: Any, book: int, side: int, more: int) -> int:
    return int(check_exposure(state[0], np.int64(0), book, side, more))


def plain(function: Any) -> Any:
    return function.py_func if COMPILED else function


def made(held: list[tuple[int, int, int, int]], times: int, parts: int) -> Any:
    """Return a state whose account 0 has (lots, price, open buys, open sells), quoted in another currency."""
    state = new_state(SMALL).view(np.recarray)
    s = state[0]
    s.watches[0].reporting = 1
    s.rates[0, 1].times, s.rates[0, 1].parts = times, parts
    s.accounts[0].positions_head = len(held)
    for idx, (lots, px, buys, sells) in enumerate(held):
        s.positions[idx].key, s.positions[idx].qty = idx, lots
        s.positions[idx].account_next = idx
        s.dealings[idx].open_buys, s.dealings[idx].open_sells = buys, sells
        s.books[idx].mark_px, s.books[idx].scale, s.books[idx].max_qty = px, 1, 2**21
    return state


def exact(held: list[tuple[int, int, int, int]], rate: Fraction) -> tuple[int, list[int]]:
    """Return the gross exposure and its parts, UNBOUNDED where an amount or a sum passes 2**62."""
    parts = []
    for lots, px, buys, sells in held:
        amounts = [abs(lots) * px, buys, sells]
        found = [ceil(amount * rate) for amount in amounts]
        total = sum(found)
        is_within = max(*amounts, *found, total) <= MONEY_MAX
        parts.append(total if is_within else int(UNBOUNDED))
    gross = sum(parts)
    return (gross if gross <= MONEY_MAX else int(UNBOUNDED)), parts


@settings(deadline=None, max_examples=300)
@given(HELD, RATES, st.sampled_from((int(Side.BUY), int(Side.SELL))), MORE)
def test_exposure_is_the_exact_sum_or_out_of_bounds(
    held: list[tuple[int, int, int, int]], rate: tuple[int, int], side: int, more: int
) -> None:
    lots, px, buys, sells = held[0]
    with_more = [
        (lots, px, buys + more, sells) if side == Side.BUY else (lots, px, buys, sells + more),
        *held[1:],
    ]
    wanted, parts = exact(with_more, Fraction(*rate))
    at_rest, parts_at_rest = exact(held, Fraction(*rate))
    for ask, ask_now in ((measure, now), (plain(measure), plain(now))):
        state = made(held, *rate)
        with np.errstate(over="raise"):
            assert ask(state, np.int64(0), np.int64(side), np.int64(more)) == (wanted, parts[0])
            gross, part, _ = ask_now(state)
        assert (gross, part) == (at_rest, max(parts_at_rest))


@settings(deadline=None, max_examples=200)
@given(HELD, st.integers(1, 10**6), MORE)
def test_concentration_is_refused_above_its_part_exactly(
    held: list[tuple[int, int, int, int]], limit: int, more: int
) -> None:
    lots, px, buys, sells = held[0]
    gross, parts = exact([(lots, px, buys + more, sells), *held[1:]], Fraction(1))
    is_refused = gross == UNBOUNDED or parts[0] * 10**6 > limit * gross
    for ask in (check, plain(check)):
        state = made(held, 1, 1)
        state[0].watches[0].concentration_limit = limit
        with np.errstate(over="raise"):
            found = ask(state, np.int64(0), np.int64(codes.BUY), np.int64(more))
        assert found == (Reason.MAX_CONCENTRATION if is_refused else Reason.NONE)
