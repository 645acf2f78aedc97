"""Position sizing for people: the engine's own kernels, their arguments checked by name.

    from pinion import sizing
    btc = view.catalogue.instrument("BTC-USD")               # of a pinion.LiveView
    sizing.fixed_risk(equity, 5_000, btc.px("60000"), btc.px("58800"), btc.scale)

Everything is a whole number. Prices are ticks, quantities lots, money minor units of the account's reporting
currency, shares parts per million (ppm). What one tick of one lot is worth, tick_value or lot_value, is the
instrument's `scale` where its quote currency is the reporting currency. Each function returns whole lots,
rounded down once from the exact quotient; an equity of zero or less gives 0, and money that passes 2**62 on
the way counts as 2**62. An argument out of its range, and a divisor of zero, is a ValueError that names it.
The engine caps what it chooses for `size_by` by max_position and buying power; these functions do not.
"""

from operator import index
from typing import Any, SupportsIndex

from engine.trading.fields import SIZING_PPM_MAX
from engine.trading.kernels import sizing as kernels
from engine.trading.records import MONEY_MAX, PX_MAX

__all__ = ["fixed_notional", "fixed_risk", "kelly", "vol_target"]

WHOLE_PPM = 1_000_000
_EQUITY = (-MONEY_MAX, MONEY_MAX)
_MONEY = (1, MONEY_MAX)
_PRICE = (1, PX_MAX)
_SHARE = (1, WHOLE_PPM)
_LARGE_SHARE = (1, SIZING_PPM_MAX)


def fixed_risk(
    equity: SupportsIndex,
    risk_ppm: SupportsIndex,
    entry: SupportsIndex,
    stop: SupportsIndex,
    tick_value: SupportsIndex,
    lot: SupportsIndex = 1,
) -> int:
    """Return the quantity that loses a fixed share of the equity if its price goes from entry to stop.

    quantity = equity * risk_ppm / 1e6 / (abs(entry - stop) * tick_value), down to a multiple of lot

    Parameters
    ----------
    equity : minor units
    risk_ppm : share of the equity that may be lost, 1 to 1e6 ppm
    entry, stop : ticks; where the position begins, and where its loss is taken
    tick_value : minor units that a quantity of 1 gains or loses with one tick
    lot : the quantity is a whole multiple of it

    Source: fixed fractional trading, R. Vince, Portfolio Management Formulas (Wiley 1990); the percent
    risk model of V. K. Tharp, Trade Your Way to Financial Freedom (McGraw-Hill 1998).
    """
    _check("equity", equity, _EQUITY)
    _check("risk_ppm", risk_ppm, _SHARE)
    _check("entry", entry, _PRICE)
    _check("stop", stop, _PRICE)
    _check("tick_value", tick_value, _MONEY)
    _check("lot", lot, _MONEY)
    if index(entry) == index(stop):
        raise ValueError(f"stop {stop}: must differ from entry, for the distance between them is divided by")
    return _asked(kernels.fixed_risk, equity, risk_ppm, entry, stop, tick_value, lot)


def fixed_notional(amount: SupportsIndex, price: SupportsIndex, lot_value: SupportsIndex) -> int:
    """Return the lots that an amount of money buys.

    quantity = amount / (price * lot_value)

    Parameters
    ----------
    amount : minor units, 0 to 2**62
    price : ticks
    lot_value : minor units of one tick of one lot

    Source: the definition of notional value.
    """
    _check("amount", amount, (0, MONEY_MAX))
    _check("price", price, _PRICE)
    _check("lot_value", lot_value, _MONEY)
    return _asked(kernels.fixed_notional, amount, price, lot_value)


def vol_target(
    equity: SupportsIndex,
    target_ppm: SupportsIndex,
    volatility_ppm: SupportsIndex,
    price: SupportsIndex,
    lot_value: SupportsIndex,
) -> int:
    """Return the lots whose value moves, at their own volatility, by a target share of the equity.

    quantity = equity * target_ppm / volatility_ppm / (price * lot_value)

    Parameters
    ----------
    equity : minor units
    target_ppm : volatility wanted of the equity, 1 to 1e9 ppm
    volatility_ppm : volatility of the instrument's price over the same period, 1 to 1e9 ppm
    price : ticks
    lot_value : minor units of one tick of one lot

    Source: T. J. Moskowitz, Y. H. Ooi, L. H. Pedersen, Time Series Momentum, Journal of Financial Economics
    104 (2012), 228-250: positions scaled by a target volatility over the instrument's own.
    """
    _check("equity", equity, _EQUITY)
    _check("target_ppm", target_ppm, _LARGE_SHARE)
    _check("volatility_ppm", volatility_ppm, _LARGE_SHARE)
    _check("price", price, _PRICE)
    _check("lot_value", lot_value, _MONEY)
    return _asked(kernels.vol_target, equity, target_ppm, volatility_ppm, price, lot_value)


def kelly(
    equity: SupportsIndex,
    win_ppm: SupportsIndex,
    payoff_ppm: SupportsIndex,
    cap_ppm: SupportsIndex,
    price: SupportsIndex,
    lot_value: SupportsIndex,
) -> int:
    """Return the lots in which the share of the equity is put that lets it grow fastest, up to a cap.

    quantity = equity * min(cap, max(0, win - (1 - win) / payoff)) / (price * lot_value)

    Parameters
    ----------
    equity : minor units
    win_ppm : probability of a gain, 0 to 1e6 ppm
    payoff_ppm : gain over loss, 1 to 1e9 ppm: 2_000_000 where a gain is twice a loss
    cap_ppm : most of the equity that is put in, 1 to 1e6 ppm
    price : ticks
    lot_value : minor units of one tick of one lot

    Source: J. L. Kelly, A New Interpretation of Information Rate, Bell System Technical Journal 35 (1956),
    917-926; with a payoff in E. O. Thorp, The Kelly Criterion in Blackjack, Sports Betting and the Stock
    Market, Handbook of Asset and Liability Management 1 (2006).
    """
    _check("equity", equity, _EQUITY)
    _check("win_ppm", win_ppm, (0, WHOLE_PPM))
    _check("payoff_ppm", payoff_ppm, _LARGE_SHARE)
    _check("cap_ppm", cap_ppm, _SHARE)
    _check("price", price, _PRICE)
    _check("lot_value", lot_value, _MONEY)
    return _asked(kernels.kelly, equity, win_ppm, payoff_ppm, cap_ppm, price, lot_value)


def _check(name: str, value: SupportsIndex, bounds: tuple[int, int]) -> None:
    """Refuse what is no whole number, with the TypeError of Python, or is out of bounds."""
    low, high = bounds
    if not low <= index(value) <= high:
        raise ValueError(f"{name} {value}: must be a whole number from {low} to {high}")


def _asked(kernel: Any, *arguments: SupportsIndex) -> int:
    quantity = int(kernel(*(index(each) for each in arguments)))
    assert quantity >= 0, "a divisor of zero was let through"
    return quantity
