"""What sizes an order, of hand-made states up to where numbers end: equity and the rooms of its caps."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.trading.kernels.size_by import (
    funds_room,
    is_legal_size,
    live_equity,
    position_room,
    wanted_quantity,
)
from engine.trading.kernels.state import NO_LIMIT, new_state
from engine.trading.records import MONEY_MAX, PX_MAX, Reason, Side, SizingMethod
from ringbuf.kernel import kernel
from tests.capacities import SMALL
from tests.engine.trading.sizing.plainly import both

MONEY = st.integers(-MONEY_MAX, MONEY_MAX) | st.sampled_from((-MONEY_MAX, -1, 0, 1, MONEY_MAX))
LOTS = (
    st.integers(-MONEY_MAX, MONEY_MAX) | st.integers(-1000, 1000) | st.sampled_from((-MONEY_MAX, MONEY_MAX))
)
PRICES, SCALES = st.integers(0, PX_MAX), st.integers(1, 2**21)
OPEN = st.integers(0, MONEY_MAX) | st.integers(0, 1000)
checked = settings(deadline=None, max_examples=300)


@kernel
def equity(state: Any) -> Any:
    return live_equity(state[0], np.int64(0))


@kernel
def room(state: Any, side: int) -> int:
    return int(position_room(state[0], np.int64(0), np.int64(0), np.int64(0), side))


@kernel
def funds(state: Any, side: int, px: int) -> int:
    return int(funds_room(state[0], np.int64(0), np.int64(0), np.int64(0), side, px))


@kernel
def is_legal(state: Any, first: int, second: int) -> bool:
    return bool(is_legal_size(state[0], np.int64(0), first, second))


@kernel
def wanted(state: Any, px: int, first: int, second: int) -> Any:
    return wanted_quantity(state[0], np.int64(0), np.int64(0), px, first, second)


def made(cash: int, held: list[tuple[int, int, int]]) -> Any:
    """Return a state with one account that holds (lots, price, scale) of an instrument each."""
    state = new_state(SMALL).view(np.recarray)
    s = state[0]
    s.accounts[0].position_limit = NO_LIMIT
    s.balances[0, 0].total = cash
    s.currencies_used, s.books_used = 2, max(len(held), 1)
    s.accounts[0].positions_head = len(held)
    for idx, (lots, px, scale) in enumerate(held):
        s.positions[idx].key = idx
        s.positions[idx].qty = lots
        s.positions[idx].account_next = idx
        s.books[idx].mark_px = px
        s.books[idx].scale = scale
        s.books[idx].max_qty = (2**62 - 1) // (2**40 * scale)
    return state


@checked
@given(MONEY, st.lists(st.tuples(LOTS, PRICES, SCALES), max_size=4))
@example(MONEY_MAX, [])
@example(MONEY_MAX, [(1, 1, 1)])
@example(-MONEY_MAX, [(-1, 1, 1)])
@example(-MONEY_MAX, [(MONEY_MAX, 1, 1), (MONEY_MAX, 1, 1)])
def test_live_equity_is_the_exact_sum_or_refused(cash: int, held: list[tuple[int, int, int]]) -> None:
    worths = [lots * px * scale for lots, px, scale in held]
    total = cash + sum(worths)
    fits = abs(total) <= MONEY_MAX and all(abs(worth) <= MONEY_MAX for worth in worths)

    for reason, found in both(equity, made(cash, held)):
        assert int(reason) == (Reason.NONE if fits else Reason.OVERFLOW)
        if fits:
            assert int(found) == total


def test_what_is_of_another_currency_has_no_rate() -> None:
    with_money, with_position, with_neither = (made(5, [(3, 7, 1)]) for _ in range(3))
    with_money[0].balances[1, 0].total = -1
    with_position[0].books[0].quote = 1
    with_neither[0].books[0].quote = 1
    with_neither[0].positions[0].qty = 0

    assert {int(reason) for reason, _ in both(equity, with_money)} == {Reason.NO_RATE}
    assert {int(reason) for reason, _ in both(equity, with_position)} == {Reason.NO_RATE}
    assert {(int(reason), int(found)) for reason, found in both(equity, with_neither)} == {(Reason.NONE, 5)}


@checked
@given(
    LOTS, OPEN, OPEN, st.integers(0, MONEY_MAX) | st.integers(0, 10**12), st.sampled_from((1, 10**9, 10**13))
)
@example(-MONEY_MAX, 0, 0, MONEY_MAX, 1)
@example(MONEY_MAX, 0, MONEY_MAX, MONEY_MAX, 1)
def test_the_room_of_max_position_is_exact(
    held: int, open_buy: int, open_sell: int, limit: int, lot_nano: int
) -> None:
    state = made(0, [(held, 1, 1)])
    s = state[0]
    s.positions[0].open_buy, s.positions[0].open_sell = open_buy, open_sell
    s.accounts[0].position_limit, s.books[0].lot_nano = limit, lot_nano
    lots = limit // lot_nano

    for side, reach in ((Side.BUY, held + open_buy), (Side.SELL, open_sell - held)):
        exact = max(0, min(MONEY_MAX, lots - reach))
        if abs(reach) <= MONEY_MAX:  # as the engine keeps it
            assert {int(answer) for answer in both(room, state, int(side))} == {exact}


@checked
@given(
    MONEY, OPEN, st.integers(1, PX_MAX), SCALES, st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6)
)
@example(MONEY_MAX, 0, 1, 1, 10**6, 10**6)
@example(MONEY_MAX, 0, 1, 1, -(10**6), 0)
def test_the_room_of_buying_power_is_the_most_whose_reserve_is_free(
    cash: int, reserved: int, px: int, scale: int, maker_ppm: int, taker_ppm: int
) -> None:
    state = made(cash, [(0, 1, scale)])
    s = state[0]
    s.balances[0, 0].reserved = reserved
    s.books[0].maker_ppm, s.books[0].taker_ppm = maker_ppm, taker_ppm
    free, rate = min(cash - reserved, MONEY_MAX), max(maker_ppm, taker_ppm, 0)

    (lots,) = {int(answer) for answer in both(funds, state, int(Side.BUY), px)}

    def reserve(quantity: int) -> int:
        notional = quantity * px * scale
        return notional - (-notional * rate // 10**6)

    assert lots >= 0
    assert lots == 0 or reserve(lots) <= free
    assert reserve(lots + 1) > free
    assert {int(answer) for answer in both(funds, state, int(Side.SELL), px)} == {MONEY_MAX}
    s.accounts[0].unlimited = 1
    assert {int(answer) for answer in both(funds, state, int(Side.BUY), px)} == {MONEY_MAX}


RISK, NOTIONAL, VOLATILITY, KELLY = SizingMethod
MILLION, PPM_MAX = 10**6, 10**9


@pytest.mark.parametrize(
    ("first", "second", "legal"),
    [
        (1, RISK | 1 << 8, True),
        (MILLION, RISK | 1000 << 8, True),
        (0, RISK | 1 << 8, False),
        (MILLION + 1, RISK | 1 << 8, False),
        (1, RISK, False),
        (1, RISK | 1001 << 8, False),
        (MONEY_MAX, NOTIONAL | 18 << 8, True),
        (MONEY_MAX + 1, NOTIONAL, False),
        (0, NOTIONAL, False),
        (1, NOTIONAL | 19 << 8, False),
        (PPM_MAX, VOLATILITY | PPM_MAX << 8, True),
        (PPM_MAX + 1, VOLATILITY | 1 << 8, False),
        (1, VOLATILITY, False),
        (1, VOLATILITY | (PPM_MAX + 1) << 8, False),
        (0 | 1 << 32, KELLY | 1 << 8, True),
        (MILLION | MILLION << 32, KELLY | PPM_MAX << 8, True),
        (MILLION + 1 | 1 << 32, KELLY | 1 << 8, False),
        (1, KELLY | 1 << 8, False),
        (1 | (MILLION + 1) << 32, KELLY | 1 << 8, False),
        (1 | 1 << 32, KELLY, False),
        (-1, KELLY | 1 << 8, False),
        (1, -1, False),
        (1, 0 | 1 << 8, False),
        (1, 5 | 1 << 8, False),
        (1, 255, False),
        (2**63 - 1, 2**63 - 1, False),
        (-(2**63), -(2**63), False),
    ],
)
def test_only_arguments_of_a_method_are_legal(first: int, second: int, legal: bool) -> None:
    state = made(0, [(0, 1, 1)])
    state[0].books[0].max_px = 1000

    assert {bool(answer) for answer in both(is_legal, state, first, second)} == {legal}


@pytest.mark.parametrize(
    ("decimals_of_currency", "amount", "decimals", "lots"),
    [
        (0, 1999, 2, 19),
        (2, 1999, 2, 1999),
        (4, 1999, 2, 199_900),
        (18, 5, 0, MONEY_MAX),
        (18, 4, 0, 4 * 10**18),
        (0, 999_999_999_999_999_999, 18, 0),
    ],
)
def test_an_amount_is_brought_to_minor_units_and_rounded_down(
    decimals_of_currency: int, amount: int, decimals: int, lots: int
) -> None:
    state = made(0, [(0, 1, 1)])
    state[0].currencies[0].decimals = decimals_of_currency

    for reason, found, _ in both(wanted, state, 1, amount, int(NOTIONAL) | decimals << 8):
        assert (int(reason), int(found)) == (Reason.NONE, lots)
