"""The oracle's rounds: what watched accounts have, as it was valued last, and who is to be valued next.

Part of the naive exchange of oracle.py. Equity is a sum made anew each time it is asked for; who holds an
instrument is a plain list, whose first name is the one that the sweep passes next.
"""

from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING

from tests import oracle_windows
from tests.oracle_accounts import Account
from tests.oracle_market import LIMIT_OF_NUMBERS, Instrument

if TYPE_CHECKING:
    from tests.oracle import Exchange

LOSS_LIMITS = ("max_daily_loss", "max_drawdown", "max_drawdown_bps")
Ring = tuple[str, str]
"""("currency", code) or ("symbol", symbol)."""


@dataclass
class Round:
    """Who has money of one currency, or a position in one instrument, of those whose accounts are watched.

    `holders` begins with the next to be valued, `due` so many are; `oldest` is who came first of them.
    """

    holders: list[int] = field(default_factory=list)
    oldest: int | None = None
    due: int = 0


def equity(exchange: "Exchange", account: Account) -> tuple[int, bool]:
    """Return cash and positions as they were valued last, and whether that is within bounds."""
    worths = [worth for part in account.parts() for worth in part.worth.values()]
    total = sum(part.money.get(reporting(exchange, part), 0) for part in account.parts())
    total += sum(worth for worth in worths if abs(worth) <= LIMIT_OF_NUMBERS)
    is_bounded = abs(total) <= LIMIT_OF_NUMBERS and all(abs(worth) <= LIMIT_OF_NUMBERS for worth in worths)
    return max(-LIMIT_OF_NUMBERS, min(LIMIT_OF_NUMBERS, total)), is_bounded


def reporting(exchange: "Exchange", account: Account) -> str:
    return account.reporting or next(iter(exchange.decimals))


def is_watched(account: Account) -> bool:
    """Tell whether what an account is worth is kept: for its limits of loss, its margin, or its group's."""
    latched = set(account.latched) & {*LOSS_LIMITS, "maintenance_margin"}
    own = bool(account.loss_limits or account.on_margin or latched)
    return own or (account.group is not None and is_watched(account.group))


def mark_of(instrument: Instrument) -> int:
    return instrument.mark or instrument.last or 0


def has_rate(exchange: "Exchange", account: Account, currency: str) -> bool:
    into = reporting(exchange, account)
    return currency == into or (currency, into) in exchange.rates


def converted(exchange: "Exchange", account: Account, currency: str, amount: int) -> int:
    """Return an amount in the account's reporting currency, rounded towards minus infinity."""
    into = reporting(exchange, account)
    if amount == 0 or currency == into:
        return amount
    return floor(amount * exchange.rates[currency, into])


def value(exchange: "Exchange", account: Account, ring: Ring) -> None:
    """Value a position or money at the mark and the rate of this moment."""
    kind, name = ring
    if kind == "currency":
        account.worth[ring] = converted(exchange, account, name, account.money.get(name, 0))
        return
    instrument = exchange.instruments[name]
    held = account.positions.get(name)
    worth = (held.quantity if held else 0) * mark_of(instrument) * instrument.scale
    account.valued[name] = worth
    is_within = abs(worth) <= LIMIT_OF_NUMBERS
    account.worth[ring] = converted(exchange, account, instrument.quote, worth) if is_within else worth


def value_money(exchange: "Exchange", account: Account, currency: str) -> None:
    """Value money that is not of the account's reporting currency."""
    if currency != reporting(exchange, account):
        join(exchange, account, ("currency", currency))
        value(exchange, account, ("currency", currency))


def join(exchange: "Exchange", account: Account, ring: Ring) -> None:
    """Value a position or money, and put it behind all others of its instrument or currency."""
    of = exchange.rounds.setdefault(ring, Round())
    if account.account in of.holders:
        return
    if not of.holders:
        of.oldest = account.account
    assert of.oldest is not None or not of.holders
    place = of.holders.index(of.oldest) if of.holders and of.oldest is not None else 0
    if place == 0:
        of.holders.append(account.account)
    else:
        of.holders.insert(place, account.account)
    of.due += of.due > 0
    value(exchange, account, ring)


def leave(exchange: "Exchange", account: Account, ring: Ring) -> None:
    of = exchange.rounds[ring]
    if of.oldest == account.account:
        later = of.holders[of.holders.index(account.account) :] + of.holders
        of.oldest = next((each for each in later if each != account.account), None)
    of.holders.remove(account.account)
    of.due = min(of.due, len(of.holders))


def watch_or_not(exchange: "Exchange", account: Account) -> None:
    """Bring the rounds to what the account's limits and latches are now, and its group's."""
    if account.parts() != [account]:
        for member in account.parts():
            watch_or_not(exchange, member)
        if account.is_in_rounds and not is_watched(account):
            account.warned -= set(LOSS_LIMITS)
        account.is_in_rounds = is_watched(account)
        return
    if is_watched(account) and not account.is_in_rounds:
        for currency, amount in account.money.items():
            if amount:
                value_money(exchange, account, currency)
        for symbol in account.dealt_in:
            join(exchange, account, ("symbol", symbol))
        account.is_in_rounds = True
    elif account.is_in_rounds and not is_watched(account):
        for ring in account.worth:
            leave(exchange, account, ring)
        account.worth.clear()
        account.valued.clear()
        account.warned -= set(LOSS_LIMITS)
        account.is_in_rounds = False


def dealt(exchange: "Exchange", account: Account, symbol: str) -> None:
    """An order of the account was accepted in an instrument."""
    if account.group is not None and symbol not in account.group.dealt_in:
        account.group.dealt_in.append(symbol)
    if symbol not in account.dealt_in:
        account.dealt_in.append(symbol)
        if account.is_in_rounds:
            join(exchange, account, ("symbol", symbol))


def mark_changed(exchange: "Exchange", instrument: Instrument) -> None:
    make_due(exchange, ("symbol", instrument.symbol))


def rate_changed(exchange: "Exchange", currency: str) -> None:
    make_due(exchange, ("currency", currency))
    for instrument in exchange.instruments.values():
        if instrument.quote == currency:
            mark_changed(exchange, instrument)


def make_due(exchange: "Exchange", ring: Ring) -> None:
    of = exchange.rounds.setdefault(ring, Round())
    of.due = len(of.holders)


def filled(exchange: "Exchange", account: Account, instrument: Instrument) -> None:
    """A fill values the position and the money paid; the account is judged when the command is over."""
    if account.is_in_rounds:
        value(exchange, account, ("symbol", instrument.symbol))
        value_money(exchange, account, instrument.quote)
        oracle_windows.note(exchange, account)
        if account.group is not None and account.group.is_in_rounds:
            oracle_windows.note(exchange, account.group)


def is_measurable(exchange: "Exchange", account: Account) -> bool:
    """Tell whether everything that the account has or could get can be converted."""
    traded = [exchange.instruments[symbol] for symbol, held in account.positions.items() if held.quantity]
    traded += [of for of, _ in account.open.values()]
    return all(has_rate(exchange, account, of.quote) for of in traded) and all(
        has_rate(exchange, account, code) for code, amount in account.money.items() if amount
    )
