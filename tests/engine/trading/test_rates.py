"""Rates of exchange against exact fractions (exchange rules S1, S21)."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.trading.kernels.money import UNBOUNDED, rated
from engine.trading.kernels.rates import PARTS_MAX, fraction_of
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import COMPILED, kernel

AMOUNTS = st.integers(-MONEY_MAX, MONEY_MAX) | st.integers(-(10**6), 10**6)
TIMES = st.integers(1, MONEY_MAX) | st.integers(1, 10**6)
PARTS = st.integers(1, int(PARTS_MAX)) | st.sampled_from([10**power for power in range(19)])


@kernel
def rate(amount: int, times: int, parts: int, is_up: bool) -> int:
    return int(rated(amount, times, parts, is_up))


@kernel
def fraction(price: int, decimals_from: int, decimals_to: int) -> tuple[int, int]:
    times, parts = fraction_of(price, decimals_from, decimals_to)
    return int(times), int(parts)


@settings(deadline=None, max_examples=500)  # the first example compiles
@given(AMOUNTS, TIMES, PARTS, st.booleans())
@example(MONEY_MAX, 1, 1, True)
@example(-MONEY_MAX, MONEY_MAX, 10**18, False)
@example(10**18 - 1, MONEY_MAX, 10**18, True)
@example(-1, 1, 10**18, False)
@example(-1, 1, 10**18, True)
def test_a_conversion_is_exact_or_beyond_every_bound(
    amount: int, times: int, parts: int, is_up: bool
) -> None:
    exact = Fraction(amount * times, parts)
    rounded = ceil(exact) if is_up else floor(exact)
    wanted = rounded if abs(rounded) <= MONEY_MAX else int(UNBOUNDED)

    assert rate(amount, times, parts, is_up) == wanted
    with np.errstate(over="raise"):
        plain = rated.py_func if COMPILED else rated
        assert int(plain(np.int64(amount), np.int64(times), np.int64(parts), is_up)) == wanted


@settings(deadline=None, max_examples=500)
@given(st.integers(1, MONEY_MAX) | st.integers(1, 10**12), st.integers(0, 18), st.integers(0, 18))
@example(10**9, 0, 0)
@example(1, 18, 0)
@example(MONEY_MAX, 0, 18)
def test_a_rate_is_kept_as_the_exact_fraction_of_minor_units_or_refused(
    price: int, decimals_from: int, decimals_to: int
) -> None:
    times, parts = fraction(price, decimals_from, decimals_to)

    wanted = Fraction(price, 10**9) * Fraction(10) ** (decimals_to - decimals_from)
    if parts:
        assert Fraction(times, parts) == wanted
        assert times <= MONEY_MAX
        assert parts <= PARTS_MAX
    else:
        tens = Fraction(10) ** min(0, decimals_to - decimals_from - 9)
        assert wanted.numerator > MONEY_MAX or tens < Fraction(1, 10**18)
