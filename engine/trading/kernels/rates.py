"""Rates of exchange: what an amount of one currency is in another (exchange rule S21).

A rate is for one ordered pair of currencies, in 1e-9. The state keeps it as a fraction of minor units too,
so that a conversion is one exact division: amount * times / parts.
"""

import numpy as np

from engine.trading.fields import RATE_DECIMALS
from engine.trading.kernels.money import UNBOUNDED, rated
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import kernel

UP, DOWN = True, False
PARTS_MAX = np.int64(10**18)


@kernel
def fraction_of(price, decimals_from, decimals_to):
    """Return (times, parts) of a rate, between minor units; (0, 0) where it takes larger numbers."""
    times, parts = price, np.int64(1)
    for _ in range(RATE_DECIMALS + decimals_from - decimals_to):  # 27 rounds at most
        if times % 10 == 0:
            times //= 10
        elif parts == PARTS_MAX:
            return np.int64(0), np.int64(0)
        else:
            parts *= 10
    for _ in range(decimals_to - decimals_from - RATE_DECIMALS):
        if times > MONEY_MAX // 10:
            return np.int64(0), np.int64(0)
        times *= 10
    return times, parts


@kernel
def has_rate(s, currency, into):
    """Tell whether an amount of a currency can be converted."""
    return currency == into or s.rates[currency, into].parts != 0


@kernel
def converted(s, amount, currency, into, is_up):
    """Return an amount in another currency, rounded up or towards minus infinity; beyond 2**62 UNBOUNDED.

    Of nothing there is no rate needed; else the caller has seen to it that there is one.
    """
    if currency == into or amount == 0 or amount == UNBOUNDED:
        return amount
    return rated(amount, s.rates[currency, into].times, s.rates[currency, into].parts, is_up)
