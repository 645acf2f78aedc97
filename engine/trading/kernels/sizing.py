"""How many lots to trade: four methods of position sizing in exact int64 arithmetic (exchange rule S21).

    fixed_risk      equity * risk_ppm / 1e6 / (abs(entry - stop) * tick_value)
    fixed_notional  amount / (price * lot_value)
    vol_target      equity * target_ppm / volatility_ppm / (price * lot_value)
    kelly           equity * min(cap, max(0, win - (1 - win) / payoff)) / (price * lot_value)

Prices are ticks and money is minor units of one currency, each from 0 to 2**62. tick_value and lot_value
are the minor units that one tick of one lot is worth: the instrument's `scale` (exchange rule S1). Each
method returns whole lots, rounded down once: a quotient that is rounded down may be divided on, for
floor(floor(a / b) / c) = floor(a / (b * c)), so no divisor is ever multiplied out. Money that passes 2**62
on the way counts as 2**62. NO_DIVISOR stands for a quotient that there is not.
"""

import numpy as np

from engine.trading.kernels.money import PPM, share_of
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import kernel

NO_DIVISOR = np.int64(-1)
LARGEST = np.int64(MONEY_MAX)
NOTHING = np.int64(0)


@kernel
def multiplied(money, part, whole):
    """Return money * part // whole, at most 2**62: money, part from 0 to 2**62; whole from 1 to 2**62."""
    times = part // whole
    if times != 0 and money > LARGEST // times:
        return LARGEST
    more = share_of(money, part - times * whole, whole)
    return min(money * times + more, LARGEST)  # either is 2**62 at most, and their sum below 2**63


@kernel
def fixed_risk(equity, risk_ppm, entry, stop, tick_value, lot):
    """Return the quantity that loses risk_ppm of the equity where its price goes from entry to stop.

    lot : the quantity is a whole multiple of it; 1 where tick_value is of a lot
    """
    distance = abs(entry - stop)
    if distance == 0 or tick_value == 0 or lot == 0:
        return NO_DIVISOR
    if equity <= 0:
        return NOTHING
    quantity = multiplied(equity, risk_ppm, np.int64(PPM)) // distance // tick_value
    return quantity - quantity % lot


@kernel
def fixed_notional(amount, price, lot_value):
    """Return the lots that an amount of money buys at a price."""
    if price == 0 or lot_value == 0:
        return NO_DIVISOR
    return max(amount, NOTHING) // price // lot_value


@kernel
def vol_target(equity, target_ppm, volatility_ppm, price, lot_value):
    """Return the lots whose value moves, at their own volatility, by target_ppm of the equity."""
    if volatility_ppm == 0 or price == 0 or lot_value == 0:
        return NO_DIVISOR
    if equity <= 0:
        return NOTHING
    return multiplied(equity, target_ppm, volatility_ppm) // price // lot_value


@kernel
def kelly(equity, win_ppm, payoff_ppm, cap_ppm, price, lot_value):
    """Return the lots in which Kelly's share of the equity is staked, at most cap_ppm of it.

    win_ppm : from 0 to 1e6; cap_ppm : likewise; payoff_ppm : up to 2**41, so that every product is exact
    """
    if payoff_ppm == 0 or price == 0 or lot_value == 0:
        return NO_DIVISOR
    # The share is edge / (1e6 * payoff_ppm): win - (1 - win) / payoff, brought to one divisor.
    edge = win_ppm * payoff_ppm - (PPM - win_ppm) * PPM
    if equity <= 0 or edge <= 0:
        return NOTHING
    if edge >= cap_ppm * payoff_ppm:
        return multiplied(equity, cap_ppm, np.int64(PPM)) // price // lot_value
    return multiplied(equity, edge, PPM * payoff_ppm) // price // lot_value
