"""The oracle's limits of exposure, of messages, and of the rates of changes and fills (exchange rule S21).

Part of the naive exchange of oracle.py. Every sum is made anew from orders, positions and lists of what
happened when.
"""

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from tests import oracle_groups
from tests.oracle_accounts import Account
from tests.oracle_market import LIMIT_OF_NUMBERS, AtDoor, Fields, Instrument

if TYPE_CHECKING:
    from tests.oracle import Exchange

BUCKETS_IN_A_WINDOW = 12
RANGES = {
    "max_open_orders": (0, 2**31 - 1),
    "order_rate": (0, 10**9),
    "order_burst": (0, 10**9),
    "max_concentration_ppm": (1, 10**6),
    "modify_rate": (0, 10**9),
    "modify_burst": (0, 10**9),
    "fill_window_ms": (1, 24 * 3600 * 1000),
    "max_order_trade_ratio": (1, 2**31 - 1),
    "order_trade_window_ms": (1, 24 * 3600 * 1000),
    "max_drawdown_bps": (1, 10**4),
}
WINDOWS_MS = {"fill_window_ms": 1000, "order_trade_window_ms": 60_000}


def at_door(given: Fields) -> None:
    for name, (lowest, highest) in RANGES.items():
        if given.get(name) is not None and not lowest <= given[name] <= highest:
            raise AtDoor("out_of_range")


def set_limits(account: Account, request: Fields, gross: int | None) -> None:
    """Set or lift those limits that are numbers; gross: the limit of the gross exposure, minor units."""
    for name, window_ms in WINDOWS_MS.items():
        if name in request:
            new = window_ms if request[name] is None else request[name]
            if new != account.own.get(name, window_ms):
                forget(account, "max_fill_rate" if name == "fill_window_ms" else "max_order_trade_ratio")
            account.own[name] = new
    for name in ("max_concentration_ppm", "modify_rate", "modify_burst", "max_order_trade_ratio"):
        if name in request:
            account.own.pop(name, None)
            if request[name] is not None:
                account.own[name] = request[name]
            elif name == "max_order_trade_ratio":
                forget(account, name)
    if "max_gross_exposure" in request:
        account.own.pop("max_gross_exposure", None)
        if gross is not None:
            account.own["max_gross_exposure"] = gross


def forget(account: Account, limit: str) -> None:
    """Begin to measure anew."""
    if limit == "max_fill_rate":
        account.past.fills.clear()
        account.warned_of.clear()
    else:
        account.past.messages.clear()
        account.past.trades.clear()
        account.warned.discard(limit)


def in_window(exchange: "Exchange", account: Account, name: str, moment: int) -> bool:
    length = account.own.get(name, WINDOWS_MS[name]) * 10**6 // BUCKETS_IN_A_WINDOW
    return exchange.eng_ts // length - moment // length < BUCKETS_IN_A_WINDOW


# Messages and changes


def messages_and_trades(exchange: "Exchange", account: Account) -> tuple[int, int]:
    messages, trades = (
        sum(in_window(exchange, account, "order_trade_window_ms", moment) for moment in moments)
        for moments in (account.past.messages, account.past.trades)
    )
    return messages, trades


def count_message(exchange: "Exchange", account: Account) -> None:
    for holder in oracle_groups.with_group(account):
        if "max_order_trade_ratio" in holder.own:
            holder.past.messages.append(exchange.eng_ts)
            note(exchange, holder)


def check_ratio(exchange: "Exchange", account: Account) -> None:
    """Count a new or replace, or refuse it."""
    for holder in oracle_groups.with_group(account):
        if "max_order_trade_ratio" in holder.own:
            messages, trades = messages_and_trades(exchange, holder)
            if Fraction(messages + 1, trades + 1) > holder.own["max_order_trade_ratio"]:
                raise oracle_groups.refused(holder, "order_trade_ratio")
    count_message(exchange, account)


def check_changes(exchange: "Exchange", account: Account) -> bool:
    """Take a token of the account's own rate of changes; False where it has none."""
    rate = account.own.get("modify_rate")
    if rate is None:
        return False
    if not account.modify_bucket.take(exchange.eng_ts, rate, account.own.get("modify_burst", rate)):
        raise oracle_groups.refused(account, "rate_limit")
    return True


def note(exchange: "Exchange", account: Account) -> None:
    """Have an account judged when the command is over."""
    if account not in exchange.to_judge:
        exchange.to_judge.append(account)


# Fills


def count_fill(exchange: "Exchange", account: Account, instrument: Instrument, lots: int) -> None:
    """Count a fill for an account or a group."""
    if "max_order_trade_ratio" in account.own:
        account.past.trades.append(exchange.eng_ts)
        note(exchange, account)
    if account.fill_limit is not None:
        account.past.fills.append((exchange.eng_ts, instrument.symbol, lots))
        note(exchange, account)
        exchange.filled_in[account.account] = instrument


def filled(exchange: "Exchange", account: Account, instrument: Instrument) -> int:
    """Return what the account was filled in an instrument within its window, in 1e-9 of a unit."""
    lots = sum(
        lots
        for moment, symbol, lots in account.past.fills
        if symbol == instrument.symbol and in_window(exchange, account, "fill_window_ms", moment)
    )
    nano = lots * instrument.lot * 10**9
    assert nano.denominator == 1
    return min(LIMIT_OF_NUMBERS, int(nano))


def fastest(exchange: "Exchange", account: Account) -> tuple[Instrument | None, int]:
    """Return the instrument in which an account was filled most, the latest in which it dealt of equals."""
    best, most = None, 0
    for symbol in reversed(account.dealt_in):
        instrument = exchange.instruments[symbol]
        if filled(exchange, account, instrument) > most:
            best, most = instrument, filled(exchange, account, instrument)
    return best, most


# Exposure


def check_exposure(
    exchange: "Exchange", account: Account, instrument: Instrument, side: str, more: int
) -> None:
    """Step 15: what an account has and has open, with `more` open on a side of an instrument."""
    limit, part = account.own.get("max_gross_exposure"), account.own.get("max_concentration_ppm")
    if limit is None and part is None:
        return
    rates = exchange.rates_into(account)
    if instrument.quote not in rates:
        raise oracle_groups.refused(account, "no_rate")
    by_symbol: dict[str, int] = {}
    is_bounded = True
    net_part = 0  # what of the instrument counts: of a group its net position
    for of in exchange.instruments.values():
        mark = (of.mark or of.last or 0) * of.scale
        worth, net = account.held_lots(of) * mark, abs(account.position(of).quantity) * mark
        opened = {
            each: sum(of.notional(order.price, order.leaves) for order in account.live(of, each))
            for each in ("buy", "sell")
        }
        if of is instrument:
            opened[side] += more
        amounts = [worth, *opened.values()]
        if not any(amounts):
            continue
        converted = [ceil(amount * rates[of.quote]) for amount in amounts]
        is_bounded &= all(amount <= LIMIT_OF_NUMBERS for amount in (*amounts, *converted))
        by_symbol[of.symbol] = sum(converted)
        if of is instrument:
            net_part = sum(converted) - converted[0] + ceil(net * rates[of.quote])
    gross = sum(by_symbol.values())
    is_bounded &= gross <= LIMIT_OF_NUMBERS
    if limit is not None and (not is_bounded or gross > limit):
        raise oracle_groups.refused(account, "max_gross_exposure")
    if part is not None and (not is_bounded or net_part * 10**6 > part * gross):
        raise oracle_groups.refused(account, "max_concentration")
