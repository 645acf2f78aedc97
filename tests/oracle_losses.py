"""The oracle's limits of loss: equity, daily loss, drawdown, their latches and the sweep (exchange rule S21).

Part of the naive exchange of oracle.py. Equity is a sum made anew each time it is asked for; who holds an
instrument is a plain list, whose first name is the one that the sweep passes next.
"""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests import oracle_groups, oracle_margin, oracle_reducing, oracle_windows
from tests.oracle_accounts import Account
from tests.oracle_market import LIMIT_OF_NUMBERS, AtDoor, Fields, Instrument, Order, Refused, exact, written
from tests.oracle_rounds import (
    LOSS_LIMITS,
    Ring,
    converted,
    equity,
    has_rate,
    is_measurable,
    is_watched,
    reporting,
    value,
    value_money,
    watch_or_not,
)

if TYPE_CHECKING:
    from tests.oracle import Exchange

PASSED_A_COMMAND = 16
LATCHING = (*LOSS_LIMITS, "max_fill_rate", oracle_margin.LATCH)
LEVELS = ("warn", "reduce_only", "cancel_and_block")


def judge_noted(exchange: "Exchange") -> None:
    """Judge the accounts that the command concerned, then the groups."""
    concerned = sorted(exchange.to_judge, key=lambda holder: isinstance(holder, oracle_groups.Group))
    if exchange.traded_in is not None:
        for account in concerned:
            if not isinstance(account, oracle_groups.Group):
                oracle_reducing.fit(exchange, account, exchange.traded_in)
    exchange.traded_in = None
    for account in concerned:
        if account.is_in_rounds and account in exchange.traders:
            judge(exchange, account)
        instrument = exchange.filled_in.get(account.account)
        if instrument is not None and can_rise(account, "max_fill_rate"):
            judge_fills(exchange, account, instrument)
        if "max_order_trade_ratio" in account.own:
            judge_ratio(exchange, account)
    exchange.to_judge, exchange.filled_in, exchange.traders = [], {}, []


def judge_fills(exchange: "Exchange", account: Account, instrument: Instrument) -> None:
    assert account.fill_limit is not None
    name, measured, allowed = (
        "max_fill_rate",
        oracle_windows.filled(exchange, account, instrument),
        account.fill_limit,
    )
    if measured >= allowed and account.on_breach[name] != "warn":
        latch(exchange, account, name)
        tell(exchange, account, name, account.latched[name], measured, allowed, instrument)
    elif name in account.latched:
        return
    elif 5 * measured < 4 * allowed:
        account.warned_of.discard(instrument.symbol)
    elif instrument.symbol not in account.warned_of:
        account.warned_of.add(instrument.symbol)
        tell(exchange, account, name, "warn", measured, allowed, instrument)


def judge_ratio(exchange: "Exchange", account: Account) -> None:
    name = "max_order_trade_ratio"
    messages, trades = oracle_windows.messages_and_trades(exchange, account)
    allowed = account.own[name] * (trades + 1)
    if 5 * messages < 4 * allowed:
        account.warned.discard(name)
    elif name not in account.warned:
        account.warned.add(name)
        tell(exchange, account, name, "warn", messages, allowed)


def can_rise(account: Account, name: str) -> bool:
    """Tell whether a limit has not latched, or could at a higher level."""
    level = account.latched.get(name)
    return level is None or LEVELS.index(account.on_breach[name]) > LEVELS.index(level)


def latch(exchange: "Exchange", account: Account, name: str) -> None:
    """Take off every order of an account, and take no new ones; or so with what could open a position."""
    account.latched[name] = account.on_breach[name]
    if account.latched[name] == "reduce_only":
        for part in account.parts():
            oracle_reducing.cancel_opening(exchange, part)
        return
    whose = [part.account for part in account.parts()]
    for of in exchange.instruments.values():
        for order in of.resting():
            if order.account in whose:
                exchange.take_off(of, order, "latch")


def sweep(exchange: "Exchange") -> None:
    """Value the next holders at the head of a command: currencies, instruments, each holder once a visit."""
    rings: dict[tuple[int, int], Ring] = {}
    rings |= {(0, place): ("currency", code) for place, code in enumerate(exchange.decimals)}
    rings |= {(1, place): ("symbol", symbol) for place, symbol in enumerate(exchange.instruments)}
    for _ in range(PASSED_A_COMMAND):
        due = [at for at, ring in rings.items() if ring in exchange.rounds and exchange.rounds[ring].due]
        if not due:
            return
        if not exchange.visit_left or exchange.visit_at not in due:
            exchange.visit_at = next((at for at in due if at >= exchange.visit_at), due[0])
            exchange.visit_left = len(exchange.rounds[rings[exchange.visit_at]].holders)
        ring = rings[exchange.visit_at]
        of = exchange.rounds[ring]
        number = of.holders.pop(0)
        of.holders.append(number)
        of.due -= 1
        exchange.visit_left -= 1
        if not of.due or not exchange.visit_left:
            exchange.visit_left = 0
            exchange.visit_at = (exchange.visit_at[0], exchange.visit_at[1] + 1)
        account = exchange.accounts[number]
        value(exchange, account, ring)
        judge(exchange, account)
        if account.group is not None and account.group.is_in_rounds:
            judge(exchange, account.group)


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
        if name not in account.loss_limits or not can_rise(account, name):
            continue
        measured, allowed = measure(exchange, account, name)
        amount = told(name, allowed)
        if measured >= amount and account.on_breach[name] != "warn":
            latch(exchange, account, name)
            tell(exchange, account, name, account.latched[name], measured, amount)
        elif name in account.latched:
            continue
        elif 5 * measured >= 4 * amount:
            if name not in account.warned:
                account.warned.add(name)
                tell(exchange, account, name, "warn", measured, amount)
        else:
            account.warned.discard(name)
    found = oracle_margin.judge(exchange, account)
    if found is not None:
        tell(exchange, account, oracle_margin.LATCH, *found)


def tell(
    exchange: "Exchange",
    account: Account,
    name: str,
    level: str | None,
    measured: int,
    allowed: int,
    instrument: Instrument | None = None,
) -> None:
    is_money = name in LOSS_LIMITS or name == oracle_margin.LATCH
    currency = reporting(exchange, account) if is_money else None
    amounts = [
        exchange.money_text(currency, amount)
        if currency
        else written(Fraction(amount, 10**9 if name == "max_fill_rate" else 1))
        for amount in (measured, allowed)
    ]
    exchange.emit(
        "latched",
        **{"account": account.account} | oracle_groups.told_by(account),
        symbol=instrument.symbol if instrument else None,
        limit=name,
        level=level,
        measured=amounts[0],
        allowed=amounts[1],
        currency=currency,
    )


# Commands


def check_order(exchange: "Exchange", account: Account, instrument: Instrument, order: Order) -> None:
    """Step 16 of a new order."""
    oracle_reducing.check_latched(account, instrument, order.side, order.quantity)
    if is_watched(account) and not has_rate(exchange, account, instrument.quote):
        raise Refused("no_rate")
    oracle_reducing.check_group_latched(account, instrument, order.side, order.quantity)


def check_pay_in(exchange: "Exchange", account: Account, deposit: Fields) -> None:
    if any(amount and not is_counted(exchange, account, code) for code, amount in deposit.items()):
        raise Refused("no_rate")


def is_counted(exchange: "Exchange", account: Account, code: str) -> bool:
    """Tell whether money of a currency could be measured in what the account reports in, if it has to be."""
    return not is_watched(account) or has_rate(exchange, account, code)


def move_money(exchange: "Exchange", account: Account, currency: str, amount: int) -> None:
    """Add money, or take it; what losses are measured from moves by what it is worth now."""
    held = account.money.get(currency, 0)
    account.money[currency] = held + amount
    if not is_watched(account):
        return
    value_money(exchange, account, currency)
    before, after = (converted(exchange, account, currency, each) for each in (held, held + amount))
    if max(abs(before), abs(after)) <= LIMIT_OF_NUMBERS:
        for holder in oracle_groups.with_group(account):
            if holder.is_in_rounds:
                holder.peak = bounded(holder.peak + after - before)
                holder.day_start = bounded(holder.day_start + after - before)


def bounded(amount: int) -> int:
    return max(-LIMIT_OF_NUMBERS, min(LIMIT_OF_NUMBERS, amount))


def choose_reporting(exchange: "Exchange", account: Account, code: str) -> None:
    in_money = (
        account.group is not None
        or is_watched(account)
        or account.own.keys() & {"max_gross_exposure", "max_concentration_ppm"}
    )
    if in_money and code != reporting(exchange, account):
        raise Refused("already_defined")


def at_door(given: Fields) -> None:
    """Refuse limits that no record carries."""
    oracle_windows.at_door(given)
    for name in ("max_daily_loss", "max_drawdown", "max_gross_exposure", "max_fill_rate"):
        if given.get(name) is not None and exact(given[name]) <= 0:
            raise AtDoor("out_of_range")


def set_limits(exchange: "Exchange", account: Account, request: Fields) -> None:
    """Set or lift limits of loss: all that a line names, or none."""
    named = {name: request[name] for name in (*LOSS_LIMITS, "max_gross_exposure") if name in request}
    currency = reporting(exchange, account)
    units = {name: 1 if name == "max_drawdown_bps" else 10 ** exchange.decimals[currency] for name in named}
    wanted = {name: None if given is None else exact(given) * units[name] for name, given in named.items()}
    for amount in wanted.values():
        if amount is not None and amount.denominator != 1:
            raise Refused("invalid_field")
        if amount is not None and amount > LIMIT_OF_NUMBERS:
            raise Refused("overflow")
    amounts = {name: None if amount is None else int(amount) for name, amount in wanted.items()}
    is_in_money = any(amounts.values()) or request.get("max_concentration_ppm")
    unmeasured = [part for part in account.parts() if not is_watched(part)]
    if is_in_money and not is_watched(account):
        if not all(is_measurable(exchange, part) for part in unmeasured):
            raise Refused("no_rate")
    if is_in_money and isinstance(account, oracle_groups.Group):
        if oracle_groups.open_money(exchange, account) > LIMIT_OF_NUMBERS:
            raise Refused("overflow")
    oracle_windows.set_limits(account, request, amounts.pop("max_gross_exposure", None))
    if "max_fill_rate" in request:
        limit = request["max_fill_rate"]
        account.fill_limit = None if limit is None else int(exact(limit) * 10**9)
        account.on_breach["max_fill_rate"] = request.get("on_breach") or "cancel_and_block"
        if limit is None:
            oracle_windows.forget(account, "max_fill_rate")
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


def session_start(exchange: "Exchange", request: Fields) -> None:
    del request
    for account in exchange.accounts.values():
        if account.is_in_rounds:
            for ring in account.worth:
                value(exchange, account, ring)
            account.day_start, _ = equity(exchange, account)
            judge(exchange, account)
    for group in exchange.groups.values():
        if group.is_in_rounds:
            group.day_start, _ = equity(exchange, group)
            judge(exchange, group)


def lift(exchange: "Exchange", account: Account, request: Fields, is_killed: bool) -> list[str]:
    """Check what a reset_latch of an account asks for; return the limits whose latches it lifts."""
    asked = request.get("limit")
    lifted = [name for name in LATCHING if name in account.latched and asked in (None, name)]
    for name in lifted:
        is_measured_anew = request.get("rebase") and name != oracle_margin.LATCH
        if not is_measured_anew and is_breached(exchange, account, name):
            raise Refused("still_breached")
    if not lifted and not (is_killed and asked in (None, "kill")):
        raise Refused("not_latched")
    return lifted


def is_breached(exchange: "Exchange", account: Account, name: str) -> bool:
    if name == "max_fill_rate":
        _, most = oracle_windows.fastest(exchange, account)
        return account.fill_limit is not None and most >= account.fill_limit
    if name == oracle_margin.LATCH:
        return account.on_margin and oracle_margin.maintenance(exchange, account)[2]
    measured, allowed = measure(exchange, account, name)
    return name in account.loss_limits and measured >= told(name, allowed)


def end_latches(exchange: "Exchange", account: Account, lifted: list[str], is_rebased: Any) -> None:
    for name in lifted:
        del account.latched[name]
        account.warned.discard(name)
        if name == "max_fill_rate":
            account.warned_of.clear()
            if is_rebased:
                oracle_windows.forget(account, name)
            instrument, most = oracle_windows.fastest(exchange, account)
            tell(exchange, account, name, None, most, account.fill_limit or 0, instrument)
            continue
        if name == oracle_margin.LATCH:
            used, owned, _ = oracle_margin.maintenance(exchange, account)
            tell(exchange, account, name, None, used, owned)
            continue
        now, is_bounded = equity(exchange, account)
        if is_rebased and is_bounded:
            if name == "max_daily_loss":
                account.day_start = now
            else:
                account.peak = now
        measured, allowed = measure(exchange, account, name)
        tell(exchange, account, name, None, measured, told(name, allowed))
    watch_or_not(exchange, account)
