"""Fees and reserves against exact Python integers (exchange rules S1, S20)."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.trading.kernels.money import PPM, SMALL_NOTIONAL, fee_of, reserve_of
from ringbuf.kernel import kernel

NOTIONALS = st.integers(0, 2**62 - 1) | st.integers(SMALL_NOTIONAL - 3, SMALL_NOTIONAL + 3)
RATES = st.integers(-PPM, PPM)


@kernel
def fee(notional: int, rate_ppm: int) -> int:
    return int(fee_of(notional, rate_ppm))


@kernel
def reserve(notional: int, maker_ppm: int, taker_ppm: int) -> int:
    return int(reserve_of(notional, maker_ppm, taker_ppm))


def exact_fee(notional: int, rate_ppm: int) -> int:
    """Return the fee: a charge rounded up, a rebate rounded down, both against the account."""
    return -(-notional * rate_ppm // PPM) if rate_ppm >= 0 else -(notional * -rate_ppm // PPM)


@settings(deadline=None)  # the first example compiles
@given(NOTIONALS, RATES)
@example(SMALL_NOTIONAL - 1, PPM)
@example(SMALL_NOTIONAL, PPM)
@example(2**62 - 1, PPM)
@example(1, 1)
def test_a_fee_is_exact_and_rounded_against_the_account(notional: int, rate_ppm: int) -> None:
    assert fee(notional, rate_ppm) == exact_fee(notional, rate_ppm)
    assert fee_of.py_func(np.int64(notional), np.int64(rate_ppm)) == exact_fee(notional, rate_ppm)


@settings(deadline=None)
@given(st.integers(0, 2**60), RATES, RATES)
def test_a_reserve_holds_the_higher_fee_and_no_rebate(notional: int, maker_ppm: int, taker_ppm: int) -> None:
    expected = notional + exact_fee(notional, max(maker_ppm, taker_ppm, 0))

    assert reserve(notional, maker_ppm, taker_ppm) == expected
