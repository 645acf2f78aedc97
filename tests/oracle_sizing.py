"""The oracle's position sizing: exact fractions, rounded down to whole lots last (exchange rule S21).

Part of the naive exchange of oracle.py. Each cap is found by asking for the largest quantity that its own
check would let pass.
"""

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from tests import oracle_checks, oracle_groups, oracle_margin, oracle_rounds
from tests.oracle_accounts import Account, reserve_of
from tests.oracle_market import LIMIT_OF_NUMBERS, AtDoor, Fields, Instrument, Order, Refused, exact, in_steps

if TYPE_CHECKING:
    from tests.oracle import Exchange

MILLION = 10**6
LARGEST_SHARE = 10**9
DECIMALS_MAX = 18
SHARES = {
    "fixed_risk": ("risk_ppm",),
    "fixed_notional": (),
    "vol_target": ("target_ppm", "volatility_ppm"),
    "kelly": ("win_ppm", "cap_ppm", "payoff_ppm"),
}
MILLION_AT_MOST = ("risk_ppm", "win_ppm", "cap_ppm")
DIVISORS = ("volatility_ppm", "payoff_ppm")


def at_door(instrument: Instrument, given: Fields) -> Fields:
    """Return the arguments of a method in shares, ticks and money; refuse what is out of range."""
    arguments = dict(given)
    for name in SHARES[given["method"]]:
        if given[name] == 0 and name in DIVISORS:
            raise AtDoor("invalid_field")
        highest = MILLION if name in MILLION_AT_MOST else LARGEST_SHARE
        if not (0 if name == "win_ppm" else 1) <= given[name] <= highest:
            raise AtDoor("out_of_range")
        arguments[name] = Fraction(given[name], MILLION)
    if given["method"] == "fixed_risk":
        arguments["stop"] = in_steps(given["stop"], instrument.tick, "off_tick")
        if arguments["stop"] < 1:
            raise AtDoor("out_of_range")
    if given["method"] == "fixed_notional":
        arguments["amount"] = amount = exact(given["amount"])
        decimals = next((count for count in range(40) if (amount * 10**count).denominator == 1), 40)
        if amount <= 0 or decimals > DECIMALS_MAX or amount * 10**decimals > LIMIT_OF_NUMBERS:
            raise AtDoor("out_of_range")
    return arguments


def check_arguments(instrument: Instrument, arguments: Fields) -> None:
    """Step 6: a stop is a price of the instrument."""
    if arguments["method"] == "fixed_risk" and arguments["stop"] > instrument.max_price:
        raise Refused("invalid_field")


def quantity(
    exchange: "Exchange", account: Account, instrument: Instrument, order: Order, limit: int, asked: Fields
) -> int:
    """Return the lots of an order that names a method, between steps 9 and 10."""
    entry = order.price if order.kind == "limit" else instrument.against(order.side)[0].price
    lots = wanted(exchange, account, instrument, entry, asked)
    for holder in oracle_groups.with_group(account):
        lots = min(lots, room_in_position(exchange, holder, instrument, order.side))
    if account.on_margin:
        lots = min(lots, oracle_margin.affordable(exchange, account, instrument, order.side, limit))
    elif order.side == "buy" and not account.unlimited:
        lots = min(lots, affordable(account, instrument, order, limit))
    if lots < 1:
        raise Refused("invalid_quantity")
    return lots


def wanted(exchange: "Exchange", account: Account, instrument: Instrument, entry: int, asked: Fields) -> int:
    """Return what the method says, of equity and values in minor units of the reporting currency."""
    currency = oracle_rounds.reporting(exchange, account)
    rates = exchange.rates_into(account)
    if instrument.quote not in rates:
        raise Refused("no_rate")
    value = Fraction(entry * instrument.scale)
    if asked["method"] == "fixed_notional":
        amount = Fraction(floor(asked["amount"] * 10 ** exchange.decimals[currency]))
        return whole_lots(in_quote(amount, rates[instrument.quote]), value)
    equity = in_quote(live_equity(exchange, account, currency), rates[instrument.quote])
    if asked["method"] == "fixed_risk":
        distance = abs(entry - asked["stop"])
        if distance == 0:
            raise Refused("invalid_field")
        return whole_lots(equity * asked["risk_ppm"], Fraction(distance * instrument.scale))
    if asked["method"] == "vol_target":
        return whole_lots(equity * asked["target_ppm"] / asked["volatility_ppm"], value)
    win, payoff = asked["win_ppm"], asked["payoff_ppm"]
    share = min(asked["cap_ppm"], max(Fraction(0), win - (1 - win) / payoff))
    return whole_lots(equity * share, value)


def in_quote(money: Fraction, rate: Fraction) -> Fraction:
    """Return money of the reporting currency in whole minor units of another, of which `rate` is one."""
    return Fraction(min(LIMIT_OF_NUMBERS, floor(money / rate)))


def whole_lots(money: Fraction, value: Fraction) -> int:
    """Return how often a value goes into money, of which no more is counted than there can be."""
    return max(0, int(min(money, Fraction(LIMIT_OF_NUMBERS)) // value))


def live_equity(exchange: "Exchange", account: Account, currency: str) -> Fraction:
    """Return money and positions: as valued last where limits of loss need it, else at the marks of now."""
    if oracle_rounds.is_watched(account):
        equity, is_bounded = oracle_rounds.equity(exchange, account)
        if not is_bounded:
            raise Refused("overflow")
        return Fraction(equity)
    rates = exchange.rates_into(account)
    if any(amount and code not in rates for code, amount in account.money.items()):
        raise Refused("no_rate")
    is_bounded = True
    worths = [floor(amount * rates[code]) for code, amount in account.money.items() if amount]
    for symbol, held in account.positions.items():
        instrument = exchange.instruments[symbol]
        if not held.quantity:
            continue
        if instrument.quote not in rates:
            raise Refused("no_rate")
        worth = held.quantity * oracle_rounds.mark_of(instrument) * instrument.scale
        is_bounded &= abs(worth) <= LIMIT_OF_NUMBERS
        worths.append(floor(worth * rates[instrument.quote]))
    total = sum(worths)
    if not is_bounded or max(abs(each) for each in (0, total, *worths)) > LIMIT_OF_NUMBERS:
        raise Refused("overflow")
    return Fraction(total)


def room_in_position(exchange: "Exchange", account: Account, instrument: Instrument, side: str) -> int:
    """Return the most lots that leave the position within max_position, all orders of the side filled."""
    most = oracle_checks.account_limit(exchange, account, "max_position")
    if most is None:
        return LIMIT_OF_NUMBERS
    held = account.position(instrument).quantity
    reach = account.open_quantity(instrument, side) + (held if side == "buy" else -held)
    return min(LIMIT_OF_NUMBERS, Fraction(most) // instrument.lot - reach)


def affordable(account: Account, instrument: Instrument, order: Order, limit: int) -> int:
    """Return the most lots whose cost and fee are free: halved until one lot more would not be."""
    free = account.available(instrument.quote)
    low, high = 0, max(0, free) // (limit * instrument.scale)
    while low < high:
        middle = (low + high + 1) // 2
        if reserve_of(instrument, order, limit, middle) <= free:
            low = middle
        else:
            high = middle - 1
    return low
