"""Fees, reserves, shares and conversions in exact int64 arithmetic (exchange rules S1, S20)."""

import numpy as np

from engine.trading.records import MONEY_MAX
from ringbuf.kernel import inlined, kernel

PPM = 1_000_000
UNSIGNED_PPM = np.uint64(PPM)
SMALL_NOTIONAL = 2**42
"""Below it the product with a rate, which is 2**20 at most, stays in int64."""
WORD_BITS = 62
SMALL = 2**31
UNBOUNDED = np.int64(MONEY_MAX + 1)
"""Stands for an amount that passes 2**62."""


@inlined
def fee_of(notional, rate_ppm):
    """Return the fee on notional (minor units, from 0 to 2**62): charges round up, rebates down.

    The product is split as in exchange rule S1, so nothing leaves int64.
    """
    if notional < SMALL_NOTIONAL and rate_ppm >= 0:  # the product is exact, and one division does
        return np.int64(np.uint64(notional * rate_ppm + (PPM - 1)) // UNSIGNED_PPM)
    whole = notional // PPM
    rest = notional - whole * PPM
    if rate_ppm >= 0:
        return whole * rate_ppm + (rest * rate_ppm + (PPM - 1)) // PPM
    return -(whole * -rate_ppm + (rest * -rate_ppm) // PPM)


@inlined
def reserve_of(notional, maker_ppm, taker_ppm):
    """Return what an open buy must hold: its notional and the higher of its two fees."""
    rate_ppm = maker_ppm if maker_ppm > taker_ppm else taker_ppm
    return notional + fee_of(notional, rate_ppm) if rate_ppm > 0 else notional


@kernel
def share_of(cost, part, whole):
    """Return cost * part // whole for 0 <= part <= whole, exactly.

    Small numbers take one division.
    """
    if part == whole:
        return cost
    quotient = cost // whole
    rest = cost - quotient * whole
    if rest < SMALL and part < SMALL:
        return quotient * part + rest * part // whole
    carried, _ = _long_share(rest, part, whole)
    return quotient * part + carried


@kernel
def _long_share(rest, part, whole):
    """Return rest * part // whole and what that leaves, for rest < whole and a share below 2**62.

    The product is built bit by bit modulo `whole`, as in schoolbook long multiplication.
    """
    carried = np.int64(0)
    remainder = np.int64(0)
    for bit in range(WORD_BITS, -1, -1):
        carried *= 2
        remainder *= 2
        if remainder >= whole:
            remainder -= whole
            carried += 1
        if (part >> bit) & 1:
            remainder += rest
            if remainder >= whole:
                remainder -= whole
                carried += 1
    return carried, remainder


@kernel
def plus(amount, other):
    """Return the sum, UNBOUNDED where it or a part of it is."""
    if amount == UNBOUNDED or other == UNBOUNDED or amount > MONEY_MAX - other:
        return UNBOUNDED
    return amount + other


@kernel
def rated(amount, times, parts, is_up):
    """Return amount * times / parts, rounded up or towards minus infinity; beyond 2**62 UNBOUNDED.

    amount : int64 within 2**62; times : 1 to 2**62; parts : 1 to 2**60
    """
    size = abs(amount)
    whole = size // parts
    rest = size - whole * parts
    if whole > MONEY_MAX // times:
        return UNBOUNDED
    if rest <= MONEY_MAX // times:
        share = rest * times // parts
        is_rounded = share * parts != rest * times
    else:
        share, left = _long_share(rest, times, parts)
        is_rounded = left != 0
    share += whole * times
    if is_rounded and (amount < 0) != is_up:
        share += 1
    if share > MONEY_MAX:
        return UNBOUNDED
    return -share if amount < 0 else share
