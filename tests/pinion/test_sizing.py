"""`pinion.sizing`: the functions that people call, with their ranges and refusals."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import pinion

MILLION = 10**6


def test_each_method_gives_what_its_formula_says() -> None:
    sizing = pinion.sizing

    assert sizing.fixed_risk(1_000_000, 5_000, 1_000, 990, 1) == 500
    assert sizing.fixed_risk(1_000_000, 5_000, 990, 1_000, 1, lot=120) == 480
    assert sizing.fixed_notional(10_999, 1_000, 1) == 10
    assert sizing.vol_target(1_000_000, 100_000, 400_000, 1_000, 1) == 250
    assert sizing.kelly(1_000_000, 550_000, MILLION, 250_000, 1_000, 1) == 100
    assert sizing.kelly(1_000_000, 900_000, 2 * MILLION, 250_000, 1_000, 1) == 250
    assert sizing.kelly(1_000_000, 500_000, MILLION, 250_000, 1_000, 1) == 0


def test_a_quotient_is_rounded_down_where_floats_would_round_up() -> None:
    equity = 2**62 - 1
    exact = Fraction(equity * 333_333, 999_999) // 7

    assert pinion.sizing.vol_target(equity, 333_333, 999_999, 7, 1) == exact
    assert pinion.sizing.fixed_notional(equity, 1, 1) == equity


def test_whole_numbers_of_numpy_are_taken_and_an_int_comes_back() -> None:
    answer = pinion.sizing.fixed_notional(np.int64(100), np.int32(10), np.int64(1))

    assert (answer, type(answer)) == (10, int)


@pytest.mark.parametrize("method", ["fixed_risk", "vol_target", "kelly"])
@pytest.mark.parametrize("equity", [0, -1, -(2**62)])
def test_nothing_is_staked_of_nothing(method: str, equity: int) -> None:
    arguments = {"fixed_risk": (1, 2, 1, 1), "vol_target": (1, 1, 1, 1), "kelly": (MILLION, 1, 1, 1, 1)}

    assert getattr(pinion.sizing, method)(equity, *arguments[method]) == 0


@pytest.mark.parametrize(
    ("method", "arguments", "named"),
    [
        ("fixed_risk", (100, 1, 7, 7, 1), "stop"),
        ("fixed_risk", (100, 0, 7, 6, 1), "risk_ppm"),
        ("fixed_risk", (100, MILLION + 1, 7, 6, 1), "risk_ppm"),
        ("fixed_risk", (100, 1, 0, 6, 1), "entry"),
        ("fixed_risk", (100, 1, 7, 6, 0), "tick_value"),
        ("fixed_risk", (100, 1, 7, 6, 1, 0), "lot"),
        ("fixed_risk", (2**62 + 1, 1, 7, 6, 1), "equity"),
        ("fixed_notional", (-1, 1, 1), "amount"),
        ("fixed_notional", (1, 2**40 + 1, 1), "price"),
        ("fixed_notional", (1, 1, 0), "lot_value"),
        ("vol_target", (100, 1, 0, 1, 1), "volatility_ppm"),
        ("vol_target", (100, 10**9 + 1, 1, 1, 1), "target_ppm"),
        ("kelly", (100, 1, 0, 1, 1, 1), "payoff_ppm"),
        ("kelly", (100, MILLION + 1, 1, 1, 1, 1), "win_ppm"),
        ("kelly", (100, 1, 1, 0, 1, 1), "cap_ppm"),
    ],
)
def test_what_is_out_of_range_or_divides_nothing_is_named(
    method: str, arguments: tuple[int, ...], named: str
) -> None:
    with pytest.raises(ValueError, match=f"^{named} "):
        getattr(pinion.sizing, method)(*arguments)


def test_fractions_are_no_money() -> None:
    amount: Any = 1.0

    with pytest.raises(TypeError):
        pinion.sizing.fixed_notional(amount, 1, 1)
