"""The oracle's limits of loss: equity, daily loss, drawdown, their latches and the sweep (exchange rule S21).

Part of the naive exchange of oracle.py. Equity is a sum made anew each time it is asked for; who holds an
instrument is a plain list, whose first name is the one that the sweep passes next.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.oracle_accounts import Account
from tests.oracle_market import LIMIT_OF_NUMBERS, AtDoor, Fields, Instrument, Refused, exact

if TYPE_CHECKING:
    from tests.oracle import Exchange

PASSED_A_COMMAND = 16
LOSS_LIMITS = ("max_daily_loss", "max_drawdown", "max_drawdown_bps")
LEVELS = ("warn", "reduce_only", "cancel_and_block")


@dataclass
class Round:
    """The holders of one instrument whose accounts are watched, and how many of them are still to be valued.

    `holders` begins with the next to be valued; `oldest` is who came first of them.
    """

    holders: list[int] = field(default_factory=list)
    oldest: int | None = None
    due: int = 0


def equity(exchange: "Exchange", account: Account) -> tuple[int, bool]:
    """Return cash and positions as they were valued last, and whether that is within bounds."""
    worths = [account.worth[symbol] for symbol in account.worth]
    total = account.money.get(reporting(exchange, account), 0)
    total += sum(worth for worth in worths if abs(worth) <= LIMIT_OF_NUMBERS)
    is_bounded = abs(total) <= LIMIT_OF_NUMBERS and all(abs(worth) <= LIMIT_OF_NUMBERS for worth in worths)
    return max(-LIMIT_OF_NUMBERS, min(LIMIT_OF_NUMBERS, total)), is_bounded


def reporting(exchange: "Exchange", account: Account) -> str:
    return account.reporting or next(iter(exchange.decimals))


def is_watched(account: Account) -> bool:
    return bool(account.loss_limits or account.blocked_by)


def mark_of(instrument: Instrument) -> int:
    return instrument.mark or instrument.last or 0


def value(account: Account, instrument: Instrument) -> None:
    held = account.positions.get(instrument.symbol)
    lots = held.quantity if held else 0
    account.worth[instrument.symbol] = lots * mark_of(instrument) * instrument.scale


def round_of(exchange: "Exchange", symbol: str) -> Round:
    return exchange.rounds.setdefault(symbol, Round())


def join(exchange: "Exchange", account: Account, symbol: str) -> None:
    """Value a position and put it behind all others of its instrument that are watched."""
    of = round_of(exchange, symbol)
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
    value(account, exchange.instruments[symbol])


def leave(exchange: "Exchange", account: Account, symbol: str) -> None:
    of = round_of(exchange, symbol)
    if of.oldest == account.account:
        later = of.holders[of.holders.index(account.account) :] + of.holders
        of.oldest = next((each for each in later if each != account.account), None)
    of.holders.remove(account.account)
    of.due = min(of.due, len(of.holders))


def watch_or_not(exchange: "Exchange", account: Account) -> None:
    """Bring the rounds to what the account's limits and latches are now."""
    if is_watched(account) and not account.is_in_rounds:
        for symbol in account.dealt_in:
            join(exchange, account, symbol)
        account.is_in_rounds = True
    elif account.is_in_rounds and not is_watched(account):
        for symbol in account.dealt_in:
            leave(exchange, account, symbol)
        account.worth.clear()
        account.warned.clear()
        account.is_in_rounds = False


def dealt(exchange: "Exchange", account: Account, symbol: str) -> None:
    """An order of the account was accepted in an instrument."""
    if symbol not in account.dealt_in:
        account.dealt_in.append(symbol)
        if account.is_in_rounds:
            join(exchange, account, symbol)


def mark_changed(exchange: "Exchange", instrument: Instrument) -> None:
    of = round_of(exchange, instrument.symbol)
    of.due = len(of.holders)


def filled(exchange: "Exchange", account: Account, instrument: Instrument) -> None:
    """A fill values the position; the account is judged when the command is over."""
    if account.is_in_rounds:
        value(account, instrument)
        if account not in exchange.to_judge:
            exchange.to_judge.append(account)


def judge_filled(exchange: "Exchange") -> None:
    for account in exchange.to_judge:
        judge(exchange, account)
    exchange.to_judge = []


def sweep(exchange: "Exchange") -> None:
    """Value the next holders at the head of a command: instruments in order, each holder once a visit."""
    symbols = list(exchange.instruments)
    for _ in range(PASSED_A_COMMAND):
        due = [symbol for symbol in symbols if round_of(exchange, symbol).due]
        if not due:
            return
        if not exchange.visit_left or not round_of(exchange, symbols[exchange.visit_at]).due:
            later = [symbol for symbol in due if symbols.index(symbol) >= exchange.visit_at]
            exchange.visit_at = symbols.index((later or due)[0])
            exchange.visit_left = len(round_of(exchange, symbols[exchange.visit_at]).holders)
        symbol = symbols[exchange.visit_at]
        of = round_of(exchange, symbol)
        number = of.holders.pop(0)
        of.holders.append(number)
        of.due -= 1
        exchange.visit_left -= 1
        if not of.due or not exchange.visit_left:
            exchange.visit_left = 0
            exchange.visit_at += 1
        account = exchange.accounts[number]
        value(account, exchange.instruments[symbol])
        judge(exchange, account)


# Measures and latches


def measure(exchange: "Exchange", account: Account, name: str) -> tuple[int, Fraction]:
    """Return what counts against a limit, and what it allows; no loss at all is never a breach."""
    now, is_bounded = equity(exchange, account)
    limit = Fraction(account.loss_limits.get(name, 0))
    allowed = limit * max(account.peak, 0) / 10**4 if name == "max_drawdown_bps" else limit
    if not is_bounded:
        return LIMIT_OF_NUMBERS, allowed
    since = account.day_start if name == "max_daily_loss" else account.peak
    return min(LIMIT_OF_NUMBERS, max(0, since - now)), allowed


def told(name: str, allowed: Fraction) -> int:
    """Return the least whole amount that reaches a limit."""
    least = -(-allowed.numerator // allowed.denominator)
    return max(1, least) if name == "max_drawdown_bps" else least


def judge(exchange: "Exchange", account: Account) -> None:
    now, is_bounded = equity(exchange, account)
    if is_bounded:
        account.peak = max(account.peak, now)
    for name in LOSS_LIMITS:
        if name not in account.loss_limits or name in account.blocked_by:
            continue
        measured, allowed = measure(exchange, account, name)
        amount = told(name, allowed)
        if measured >= amount and account.on_breach[name] == "cancel_and_block":
            account.blocked_by.append(name)
            for of in exchange.instruments.values():
                for order in of.resting():
                    if order.account == account.account:
                        exchange.take_off(of, order, "latch")
            tell(exchange, account, name, "cancel_and_block", measured, amount)
        elif 5 * measured >= 4 * amount:
            if name not in account.warned:
                account.warned.add(name)
                tell(exchange, account, name, "warn", measured, amount)
        else:
            account.warned.discard(name)


def tell(
    exchange: "Exchange", account: Account, name: str, level: str | None, measured: int, allowed: int
) -> None:
    currency = reporting(exchange, account)
    exchange.emit(
        "latched",
        account=account.account,
        symbol=None,
        limit=name,
        level=level,
        measured=exchange.money_text(currency, measured),
        allowed=exchange.money_text(currency, allowed),
        currency=currency,
    )


# Commands


def check_order(exchange: "Exchange", account: Account, instrument: Instrument) -> None:
    """Steps 15 and 16 of a new order."""
    if not is_watched(account):
        return
    if account.blocked_by:
        raise Refused("blocked")
    if instrument.quote != reporting(exchange, account):
        raise Refused("no_rate")


def check_pay_in(exchange: "Exchange", account: Account, deposit: Fields) -> None:
    if is_watched(account) and any(
        amount and code != reporting(exchange, account) for code, amount in deposit.items()
    ):
        raise Refused("no_rate")


def paid_in(account: Account, amount: int) -> None:
    if is_watched(account):
        account.peak = min(LIMIT_OF_NUMBERS, account.peak + amount)
        account.day_start = min(LIMIT_OF_NUMBERS, account.day_start + amount)


def choose_reporting(exchange: "Exchange", account: Account, code: str) -> None:
    if is_watched(account) and code != reporting(exchange, account):
        raise Refused("already_defined")


def at_door(given: Fields) -> None:
    """Refuse limits of loss that no record carries."""
    for name in LOSS_LIMITS:
        value = given.get(name)
        if value is None:
            continue
        if name == "max_drawdown_bps":
            if not 1 <= value <= 10**4:
                raise AtDoor("out_of_range")
        elif exact(value) <= 0:
            raise AtDoor("out_of_range")


def set_limits(exchange: "Exchange", account: Account, request: Fields) -> None:
    """Set or lift limits of loss: all that a line names, or none."""
    named = {name: request[name] for name in LOSS_LIMITS if name in request}
    if request.get("on_breach") == "reduce_only":
        raise Refused("unsupported")
    currency = reporting(exchange, account)
    units = {name: 1 if name == "max_drawdown_bps" else 10 ** exchange.decimals[currency] for name in named}
    wanted = {name: None if given is None else exact(given) * units[name] for name, given in named.items()}
    for amount in wanted.values():
        if amount is not None and amount.denominator != 1:
            raise Refused("invalid_field")
        if amount is not None and amount > LIMIT_OF_NUMBERS:
            raise Refused("overflow")
    amounts = {name: None if amount is None else int(amount) for name, amount in wanted.items()}
    if any(amounts.values()) and not is_watched(account) and not is_measurable(exchange, account):
        raise Refused("no_rate")
    had = set(account.loss_limits)
    account.loss_limits |= {name: amount for name, amount in amounts.items() if amount is not None}
    watch_or_not(exchange, account)
    now, _ = equity(exchange, account)
    for name, limit in amounts.items():
        account.on_breach[name] = request.get("on_breach") or "cancel_and_block"
        if limit is None:
            account.loss_limits.pop(name, None)
            account.warned.discard(name)
        elif name == "max_daily_loss" and name not in had:
            account.day_start = now
        elif name != "max_daily_loss" and not had & {"max_drawdown", "max_drawdown_bps"}:
            account.peak = now
    watch_or_not(exchange, account)


def is_measurable(exchange: "Exchange", account: Account) -> bool:
    """Tell whether everything that the account has or could get is in its reporting currency."""
    currency = reporting(exchange, account)
    traded = [exchange.instruments[symbol] for symbol, held in account.positions.items() if held.quantity]
    traded += [of for of, _ in account.open.values()]
    return all(of.quote == currency for of in traded) and not any(
        amount for code, amount in account.money.items() if code != currency
    )


def session_start(exchange: "Exchange", request: Fields) -> None:
    del request
    for account in exchange.accounts.values():
        if account.is_in_rounds:
            for symbol in account.dealt_in:
                value(account, exchange.instruments[symbol])
            account.day_start, _ = equity(exchange, account)
            judge(exchange, account)


def lift(exchange: "Exchange", account: Account, request: Fields, is_killed: bool) -> list[str]:
    """Check what a reset_latch of an account asks for; return the limits whose latches it lifts."""
    asked = request.get("limit")
    lifted = [name for name in LOSS_LIMITS if name in account.blocked_by and asked in (None, name)]
    if not request.get("rebase"):
        for name in lifted:
            measured, allowed = measure(exchange, account, name)
            if name in account.loss_limits and measured >= told(name, allowed):
                raise Refused("still_breached")
    if not lifted and not (is_killed and asked in (None, "kill")):
        raise Refused("not_latched")
    return lifted


def end_latches(exchange: "Exchange", account: Account, lifted: list[str], is_rebased: Any) -> None:
    for name in lifted:
        now, is_bounded = equity(exchange, account)
        if is_rebased and is_bounded:
            if name == "max_daily_loss":
                account.day_start = now
            else:
                account.peak = now
        account.blocked_by.remove(name)
        account.warned.discard(name)
        measured, allowed = measure(exchange, account, name)
        tell(exchange, account, name, None, measured, told(name, allowed))
    watch_or_not(exchange, account)
