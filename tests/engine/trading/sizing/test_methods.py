"""Every method of position sizing against exact fractions, compiled and plain (exchange rules S1, S21)."""

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.trading.fields import SIZING_PPM_MAX
from engine.trading.kernels.sizing import (
    LARGEST,
    NO_DIVISOR,
    fixed_notional,
    fixed_risk,
    kelly,
    multiplied,
    vol_target,
)
from engine.trading.records import MONEY_MAX, PX_MAX
from ringbuf.kernel import kernel
from tests.engine.trading.sizing.plainly import both

MILLION = 10**6
EDGES = (1, 2, 3, 999_999, MILLION, 2**31 - 1, 2**31, 2**61 + 1, MONEY_MAX - 1, MONEY_MAX)
MONEY = st.integers(0, MONEY_MAX) | st.integers(0, 10**9) | st.sampled_from(EDGES)
EQUITY = MONEY | st.integers(-MONEY_MAX, 0)
PRICES = st.integers(1, PX_MAX) | st.integers(1, 10**5) | st.just(PX_MAX)
VALUES = st.integers(1, 10**4) | st.integers(1, MONEY_MAX)
SHARES = st.integers(1, MILLION) | st.sampled_from((1, MILLION - 1, MILLION))
LARGE_SHARES = SHARES | st.integers(1, SIZING_PPM_MAX) | st.just(SIZING_PPM_MAX)
checked = settings(deadline=None, max_examples=400)


@kernel
def product_of(money: int, part: int, whole: int) -> int:
    return int(multiplied(money, part, whole))


@kernel
def risked(equity: int, risk_ppm: int, entry: int, stop: int, tick_value: int, lot: int) -> int:
    return int(fixed_risk(equity, risk_ppm, entry, stop, tick_value, lot))


@kernel
def bought(amount: int, price: int, lot_value: int) -> int:
    return int(fixed_notional(amount, price, lot_value))


@kernel
def targeted(equity: int, target_ppm: int, volatility_ppm: int, price: int, lot_value: int) -> int:
    return int(vol_target(equity, target_ppm, volatility_ppm, price, lot_value))


@kernel
def staked(equity: int, win_ppm: int, payoff_ppm: int, cap_ppm: int, price: int, lot_value: int) -> int:
    return int(kelly(equity, win_ppm, payoff_ppm, cap_ppm, price, lot_value))


def ways(function: Any, *arguments: int) -> set[int]:
    return {int(answer) for answer in both(function, *arguments)}


def lots(money: Fraction, value: int) -> int:
    """Return the whole lots of a value that an exact amount pays for; none counts for more than 2**62."""
    return max(0, int(min(money, Fraction(MONEY_MAX)) // value))


def kelly_share(win_ppm: int, payoff_ppm: int, cap_ppm: int) -> Fraction:
    win, payoff = Fraction(win_ppm, MILLION), Fraction(payoff_ppm, MILLION)
    return min(Fraction(cap_ppm, MILLION), max(Fraction(0), win - (1 - win) / payoff))


@checked
@given(MONEY, MONEY, st.integers(1, MONEY_MAX))
@example(MONEY_MAX, MONEY_MAX, 1)
@example(MONEY_MAX, MONEY_MAX, MONEY_MAX)
@example(MONEY_MAX, MONEY_MAX - 1, MONEY_MAX)
@example(MONEY_MAX - 1, MONEY_MAX, MONEY_MAX - 1)
def test_a_product_is_divided_exactly_and_ends_at_two_to_the_sixty_second(
    money: int, part: int, whole: int
) -> None:
    assert ways(product_of, money, part, whole) == {min(money * part // whole, MONEY_MAX)}


@checked
@given(EQUITY, SHARES, PRICES, PRICES, VALUES, st.integers(1, 1000))
def test_fixed_risk_is_the_exact_quotient_rounded_down_once(
    equity: int, risk_ppm: int, entry: int, stop: int, tick_value: int, lot: int
) -> None:
    found = ways(risked, equity, risk_ppm, entry, stop, tick_value, lot)

    if entry == stop:
        assert found == {NO_DIVISOR}
    else:
        units = lots(Fraction(equity * risk_ppm, MILLION), abs(entry - stop) * tick_value)
        assert found == {units - units % lot}


@checked
@given(EQUITY, PRICES, VALUES)
def test_fixed_notional_is_the_exact_quotient_rounded_down_once(
    amount: int, price: int, lot_value: int
) -> None:
    assert ways(bought, amount, price, lot_value) == {lots(Fraction(amount), price * lot_value)}


@checked
@given(EQUITY, LARGE_SHARES, LARGE_SHARES, PRICES, VALUES)
def test_vol_target_is_the_exact_quotient_rounded_down_once(
    equity: int, target_ppm: int, volatility_ppm: int, price: int, lot_value: int
) -> None:
    exact = lots(Fraction(equity * target_ppm, volatility_ppm), price * lot_value)

    assert ways(targeted, equity, target_ppm, volatility_ppm, price, lot_value) == {exact}


@checked
@given(EQUITY, st.integers(0, MILLION), LARGE_SHARES, SHARES, PRICES, VALUES)
@example(MONEY_MAX, MILLION, SIZING_PPM_MAX, MILLION, 1, 1)
@example(MONEY_MAX, 999_999, SIZING_PPM_MAX, MILLION, 1, 1)
@example(MONEY_MAX, 0, SIZING_PPM_MAX, MILLION, 1, 1)
@example(MONEY_MAX, 500_001, MILLION, MILLION, 1, 1)
def test_kelly_is_the_exact_share_rounded_down_once(
    equity: int, win_ppm: int, payoff_ppm: int, cap_ppm: int, price: int, lot_value: int
) -> None:
    exact = lots(equity * kelly_share(win_ppm, payoff_ppm, cap_ppm), price * lot_value)

    assert ways(staked, equity, win_ppm, payoff_ppm, cap_ppm, price, lot_value) == {exact}


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (risked, (100, 1, 5, 5, 1, 1)),
        (risked, (100, 1, 5, 4, 0, 1)),
        (risked, (100, 1, 5, 4, 1, 0)),
        (risked, (-100, 1, 5, 5, 1, 1)),
        (bought, (100, 0, 1)),
        (bought, (100, 1, 0)),
        (targeted, (100, 1, 0, 1, 1)),
        (targeted, (100, 1, 1, 0, 1)),
        (targeted, (0, 1, 1, 1, 0)),
        (staked, (100, 1, 0, 1, 1, 1)),
        (staked, (100, 1, 1, 1, 0, 1)),
        (staked, (100, 1, 1, 1, 1, 0)),
    ],
)
def test_a_divisor_of_zero_has_no_quotient(function: Any, arguments: tuple[int, ...]) -> None:
    assert ways(function, *arguments) == {NO_DIVISOR}


def test_extremes_are_the_same_compiled_and_plain_and_nothing_overflows() -> None:
    money, price, value = (1, MONEY_MAX), (1, PX_MAX), (1, MONEY_MAX)
    share, large = (1, MILLION), (1, SIZING_PPM_MAX)
    for equity, px, lot_value in product(money, price, value):
        assert ways(bought, equity, px, lot_value) == {equity // (px * lot_value)}
        for first, second in product(large, large):
            exact = lots(Fraction(equity * first, second), px * lot_value)
            assert ways(targeted, equity, first, second, px, lot_value) == {exact}
        for risk, stop in product(share, (PX_MAX, PX_MAX - 1)):
            if stop != px:
                exact = lots(Fraction(equity * risk, MILLION), abs(px - stop) * lot_value)
                assert ways(risked, equity, risk, px, stop, lot_value, 1) == {exact}
        for win, payoff, cap in product((0, 1, MILLION - 1, MILLION), (*large, 2**41), share):
            exact = lots(equity * kelly_share(win, payoff, cap), px * lot_value)
            assert ways(staked, equity, win, payoff, cap, px, lot_value) == {exact}
    assert ways(targeted, MONEY_MAX, SIZING_PPM_MAX, 1, 1, 1) == {LARGEST}
