"""The oracle's accounts on margin (exchange rule S21): exact fractions, rounded up where the rule says so.

Part of the naive exchange of oracle.py. Margins are summed anew each time they are asked for, from the
positions as they were valued last and from the live orders.
"""

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from tests import oracle_reducing, oracle_rounds
from tests.oracle_accounts import Account
from tests.oracle_market import LIMIT_OF_NUMBERS, Fields, Instrument, Refused

if TYPE_CHECKING:
    from tests.oracle import Exchange

MILLION = 10**6
LATCH = "maintenance_margin"
PARTS = ("initial_ppm", "maintenance_ppm")


def of_instrument(
    exchange: "Exchange",
    account: Account,
    instrument: Instrument,
    part: str,
    side: str = "buy",
    more: int = 0,
) -> int | None:
    """Return the margin of one instrument with `more` notional open on a side; None beyond all numbers."""
    worth = account.valued.get(instrument.symbol, 0)
    opened = {
        each: sum(instrument.notional(order.price, order.leaves) for order in account.live(instrument, each))
        for each in ("buy", "sell")
    }
    opened[side] += more
    worse = max(worth + opened["buy"], opened["sell"] - worth)
    if worse == 0:
        return 0
    own = ceil(Fraction(worse * getattr(instrument, part), MILLION))
    converted = ceil(own * exchange.rates_into(account)[instrument.quote])
    amounts = (worth, worse, *opened.values(), own, converted)
    return converted if max(map(abs, amounts)) <= LIMIT_OF_NUMBERS else None


def in_use(
    exchange: "Exchange", account: Account, part: str, but: Instrument | None = None, with_it: int | None = 0
) -> int | None:
    """Return the margin in use, in place of an instrument's own `with_it`."""
    if not account.on_margin:
        return 0
    parts = [
        with_it if instrument is but else of_instrument(exchange, account, instrument, part)
        for instrument in exchange.instruments.values()
    ]
    known = [each for each in parts if each is not None]
    return sum(known) if len(known) == len(parts) and sum(known) <= LIMIT_OF_NUMBERS else None


def lets_pass(exchange: "Exchange", account: Account, instrument: Instrument, side: str, more: int) -> bool:
    """Tell whether step 18 lets `more` notional be opened."""
    before = of_instrument(exchange, account, instrument, "initial_ppm")
    after = of_instrument(exchange, account, instrument, "initial_ppm", side, more)
    if after is not None and (before is None or after <= before):
        return True
    return covers(exchange, account, in_use(exchange, account, "initial_ppm", instrument, after))


def covers(exchange: "Exchange", account: Account, used: int | None) -> bool:
    equity, is_bounded = oracle_rounds.equity(exchange, account)
    return is_bounded and used is not None and used <= equity


def check_order(exchange: "Exchange", account: Account, instrument: Instrument, side: str, more: int) -> None:
    """Step 18 of an account on margin."""
    if account.on_margin and not lets_pass(exchange, account, instrument, side, more):
        raise Refused("insufficient_margin")


def affordable(exchange: "Exchange", account: Account, instrument: Instrument, side: str, limit: int) -> int:
    """Return the most lots that step 18 lets pass."""
    unit = instrument.notional(limit, 1)
    low, high = 0, LIMIT_OF_NUMBERS // unit
    while low < high:
        middle = (low + high + 1) // 2
        if lets_pass(exchange, account, instrument, side, middle * unit):
            low = middle
        else:
            high = middle - 1
    return low


def leaves_enough(exchange: "Exchange", account: Account, currency: str, amount: int) -> bool:
    """Tell whether an amount can be taken: it is worth what it is at the rate of now."""
    if not account.on_margin:
        return True
    own = oracle_rounds.reporting(exchange, account)
    equity, is_bounded = oracle_rounds.equity(exchange, account)
    held = account.money.get(currency, 0)
    before = held if currency == own else account.worth.get(("currency", currency), 0)
    after = oracle_rounds.converted(exchange, account, currency, held - amount)
    used = in_use(exchange, account, "initial_ppm")
    equity = max(-LIMIT_OF_NUMBERS, min(LIMIT_OF_NUMBERS, equity - before + after))
    return is_bounded and abs(after) <= LIMIT_OF_NUMBERS and used is not None and used <= equity


def choose_funding(exchange: "Exchange", account: Account, request: Fields, deposit: dict[str, int]) -> bool:
    """Check what a line says of the account's funding; return whether it is on margin then."""
    wanted = request["funding"] == "margin" if "funding" in request else account.on_margin
    if wanted and request.get("unlimited"):
        raise Refused("invalid_field")
    if wanted != account.on_margin and not is_flat(account):
        raise Refused("not_flat")
    own = request.get("reporting_currency") or oracle_rounds.reporting(exchange, account)
    rates = {own} | {code for code, into in exchange.rates if into == own}
    has = {code for code, amount in (*account.money.items(), *deposit.items()) if amount}
    if wanted and not has <= rates:
        raise Refused("no_rate")
    return wanted


def is_flat(account: Account) -> bool:
    return not account.open and not any(held.quantity for held in account.positions.values())


def maintenance(exchange: "Exchange", account: Account) -> tuple[int, int, bool]:
    """Return the maintenance margin, the equity, and whether that is below it."""
    used = in_use(exchange, account, "maintenance_ppm")
    equity, is_bounded = oracle_rounds.equity(exchange, account)
    is_below = not is_bounded or used is None or used > equity
    return LIMIT_OF_NUMBERS if used is None else used, equity, is_below


def judge(exchange: "Exchange", account: Account) -> tuple[str, int, int] | None:
    """Latch, or warn; return (level, measured, allowed) where that is to be told."""
    if not account.on_margin or LATCH in account.latched:
        return None
    used, equity, is_below = maintenance(exchange, account)
    if is_below:
        account.latched[LATCH] = "reduce_only"
        oracle_reducing.cancel_opening(exchange, account)
        return "reduce_only", used, equity
    if used == 0 or 5 * used < 4 * equity:
        account.warned.discard(LATCH)
    elif LATCH not in account.warned:
        account.warned.add(LATCH)
        return "warn", used, equity
    return None
