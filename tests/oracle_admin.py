"""The oracle's administration: currencies, instruments, accounts, limits, phases, marks, time.

Part of the naive exchange of oracle.py.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests import (
    oracle_groups,
    oracle_losses,
    oracle_margin,
    oracle_money,
    oracle_rounds,
    oracle_rules,
)
from tests.oracle_accounts import Account
from tests.oracle_market import (
    HIGHEST_TICK,
    LIMIT_OF_NUMBERS,
    AtDoor,
    Fields,
    Instrument,
    Refused,
    default_maximum,
    exact,
    in_steps,
    numbers_fit,
)

if TYPE_CHECKING:
    from tests.oracle import Exchange

DEFAULT_DECIMALS = 6
RATE_DIGITS = 9
PHASES_BUILT = ("pre_open", "continuous", "halted", "cancel_only", "closed")
ACCOUNT_LIMITS = ("max_open_orders", "max_position", "order_rate", "order_burst")
INSTRUMENT_LIMITS = ("max_quantity", "max_notional", "band_low", "band_high")


def currency(exchange: "Exchange", request: Fields) -> None:
    """Declare a currency; to say the same again is no fault."""
    code, decimals = request["currency"], request.get("decimals", DEFAULT_DECIMALS)
    if exchange.decimals.get(code, decimals) != decimals:
        raise Refused("already_defined")
    if code not in exchange.decimals:
        exchange.decimals[code] = decimals
        exchange.fees[code] = exchange.deposited[code] = 0


def declare(exchange: "Exchange", code: str) -> None:
    """A currency used without having been declared has the default decimals."""
    if code not in exchange.decimals:
        exchange.decimals[code] = DEFAULT_DECIMALS
        exchange.fees[code] = exchange.deposited[code] = 0


def listing(exchange: "Exchange", given: Fields) -> Fields:
    """Read an instrument's definition at the door."""
    tick, lot = exact(given["tick_size"]), exact(given["lot_size"])
    money = Fraction(1, 10 ** exchange.decimals.get(given["quote"], DEFAULT_DECIMALS))
    scale = tick * lot / money
    for name in ("initial_margin_ppm", "maintenance_margin_ppm"):
        if not 1 <= given.get(name, 1) <= 10**6:
            raise AtDoor("out_of_range")
    if tick <= 0 or lot <= 0 or scale.denominator != 1 or not 1 <= scale < LIMIT_OF_NUMBERS:
        raise AtDoor("out_of_range")
    steps = {
        "max_price": tick,
        "max_quantity": lot,
        "max_notional": money,
        "band_low": tick,
        "band_high": tick,
    }
    read = {name: in_steps(given[name], step, "off_tick") for name, step in steps.items() if name in given}
    widest = default_maximum(int(scale))
    if not numbers_fit(read.get("max_price", widest), read.get("max_quantity", widest), int(scale)):
        raise AtDoor("out_of_range")
    return given | read | {"tick_size": tick, "lot_size": lot, "scale": int(scale)}


def instrument(exchange: "Exchange", request: Fields) -> None:
    symbol, scale = request["symbol"], request["scale"]
    if symbol in exchange.instruments:
        raise Refused("already_defined")
    initial: int = request.get("initial_margin_ppm", 10**6)
    maintenance: int = request.get("maintenance_margin_ppm", initial)
    if maintenance > initial:
        raise Refused("invalid_field")
    max_price = request.get("max_price", default_maximum(scale))
    max_quantity = request.get("max_quantity", default_maximum(scale))
    for code in (request["base"], request["quote"]):
        declare(exchange, code)
    exchange.instruments[symbol] = Instrument(
        symbol=symbol,
        quote=request["quote"],
        tick=request["tick_size"],
        lot=request["lot_size"],
        scale=scale,
        max_price=max_price,
        max_quantity=max_quantity,
        max_notional=request.get("max_notional"),
        band_low=request.get("band_low"),
        band_high=request.get("band_high"),
        collar_bps=request.get("collar_bps", 0),
        protect_ticks=request.get("protect_ticks"),
        maker_ppm=request.get("maker_fee_ppm", 0),
        taker_ppm=request.get("taker_fee_ppm", 0),
        initial_ppm=initial,
        maintenance_ppm=maintenance,
    )


def account(exchange: "Exchange", request: Fields) -> None:
    """Open an account, or pay more into one."""
    number = request["account"]
    if number < 1:
        raise Refused("invalid_field")
    deposit = request.get("deposit", {})
    known = exchange.accounts.get(number, Account(number))
    for code, amount in deposit.items():
        if amount < 0:
            raise Refused("invalid_field")
        held = known.money.get(code, 0) + known.selling(code)
        if max(held, exchange.deposited.get(code, 0)) + amount > LIMIT_OF_NUMBERS:
            raise Refused("overflow")
    oracle_losses.check_pay_in(exchange, known, deposit)
    if "reporting_currency" in request:
        code = request["reporting_currency"]
        oracle_losses.choose_reporting(exchange, known, code)
    on_margin = oracle_margin.choose_funding(exchange, known, request, deposit)
    if "reporting_currency" in request:
        declare(exchange, request["reporting_currency"])
        known.reporting = request["reporting_currency"]
    exchange.accounts[number] = known
    known.unlimited = request.get("unlimited", False)
    for code, amount in deposit.items():
        declare(exchange, code)
        oracle_losses.move_money(exchange, known, code, amount)
        exchange.deposited[code] += amount
    known.on_margin = on_margin
    oracle_rounds.watch_or_not(exchange, known)


def limits(exchange: "Exchange", request: Fields) -> None:
    """Set limits of an instrument, of an account, or of every account's default; None lifts one."""
    if "symbol" in request:
        return instrument_limits(exchange.instruments[request["symbol"]], request)
    given = {name: request[name] for name in ACCOUNT_LIMITS if name in request}
    for value in given.values():
        if value is not None and not 0 <= value <= LIMIT_OF_NUMBERS:
            raise Refused("invalid_field")
    if request.get("account") or request.get("group"):
        of = oracle_groups.holder_of(exchange, request)
        oracle_losses.set_limits(exchange, of, request)
        of.limits.update(given)
    else:
        exchange.default_limits.update(given)
    return None


def instrument_limits(of: Instrument, request: Fields) -> None:
    now = {name: request.get(name, getattr(of, name)) for name in INSTRUMENT_LIMITS}
    largest = (LIMIT_OF_NUMBERS - 1) // (of.max_price * of.scale)
    if now["max_quantity"] is None:
        now["max_quantity"] = min(default_maximum(of.scale), largest)
    if now["max_quantity"] < 0 or (now["max_notional"] or 0) < 0:
        raise Refused("invalid_field")
    if now["max_quantity"] > largest:
        raise Refused("overflow")
    low = 1 if now["band_low"] is None else now["band_low"]
    high = HIGHEST_TICK if now["band_high"] is None else now["band_high"]
    if not 1 <= low <= high <= HIGHEST_TICK:
        raise Refused("invalid_price")
    for name, value in now.items():
        setattr(of, name, value)
    of.max_orders = request.get("max_open_orders", of.max_orders)


def phase(exchange: "Exchange", request: Fields) -> None:
    """Move one instrument, or all in one record, to another phase (exchange rule S17)."""
    wanted = request["phase"]
    if wanted not in PHASES_BUILT:
        raise Refused("unsupported")
    moved = (
        [exchange.instruments[request["symbol"]]] if "symbol" in request else [*exchange.instruments.values()]
    )
    target = {of.symbol: phase_reached(of, wanted) for of in moved}
    if any(target[of.symbol] == "continuous" and of.is_crossed() for of in moved):
        raise Refused("book_crossed")
    for of in moved:
        of.halt_beneath = wanted == "closed" and (of.phase == "halted" or of.halt_beneath)
        of.phase = target[of.symbol]
        exchange.emit("phase", symbol=of.symbol, phase=of.phase)


def phase_reached(of: Instrument, wanted: str) -> str:
    """A halt that lies beneath a closure comes back when the closure ends."""
    return "halted" if of.phase == "closed" and of.halt_beneath and wanted != "closed" else wanted


def mark(exchange: "Exchange", request: Fields) -> None:
    of = exchange.instruments[request["symbol"]]
    if not 1 <= request["price"] <= of.max_price:
        raise Refused("invalid_price")
    if request["price"] != oracle_rounds.mark_of(of):
        oracle_rounds.mark_changed(exchange, of)
    of.mark = request["price"]


def rate(exchange: "Exchange", request: Fields) -> None:
    """Say what one of a currency is in another."""
    pair = request["currency"], request["in"]
    if request["price"] < 1:
        raise Refused("invalid_price")
    digits, shift = request["price"], RATE_DIGITS + exchange.decimals[pair[0]] - exchange.decimals[pair[1]]
    while shift > 0 and digits % 10 == 0:
        digits, shift = digits // 10, shift - 1
    if shift > 18 or digits * 10 ** max(0, -shift) > LIMIT_OF_NUMBERS:
        raise Refused("overflow")
    new = Fraction(digits) / Fraction(10) ** shift
    if exchange.rates.get(pair) != new:
        oracle_rounds.rate_changed(exchange, pair[0])
    exchange.rates[pair] = new


def rate_at_door(exchange: "Exchange", given: Fields) -> Fields:
    for name in ("currency", "in"):
        if given[name] not in exchange.decimals:
            raise AtDoor("unknown_currency")
    if given["currency"] == given["in"]:
        raise AtDoor("invalid_field")
    return given | {"price": in_steps(given["price"], Fraction(1, 10**RATE_DIGITS), "out_of_range")}


def time(exchange: "Exchange", request: Fields) -> None:
    exchange.eng_ts = max(exchange.eng_ts, request["now"])


def session_end(exchange: "Exchange", request: Fields) -> None:
    """Expire the orders of the day, in the order of cancels."""
    del request
    for of in exchange.instruments.values():
        for order in of.resting():
            if order.time_in_force == "day":
                exchange.take_off(of, order, "day")


def kill(exchange: "Exchange", request: Fields) -> None:
    """Stop an order, an account, an instrument or the venue, and cancel what it has (exchange rule S22)."""
    if "order_id" in request:
        of, order = exchange.orders.get(request["order_id"], (None, None))
        if of is None or order is None or order.status != "open":
            raise Refused("unknown_order")
        exchange.take_off(of, order, "admin")
        return
    scope, of_what = kill_scope(exchange, request)
    exchange.killed.add((scope, of_what))
    for of in exchange.instruments.values():
        for order in of.resting():
            group = exchange.accounts[order.account].group
            of_order = {"account": order.account, "symbol": of.symbol, "venue": True}
            if (of_order | {"group": group.number if group else None})[scope] == of_what:
                exchange.take_off(of, order, "latch")
    tell_kill(exchange, scope, of_what, "cancel_and_block")


def reset_latch(exchange: "Exchange", request: Fields) -> None:
    scope, of_what = kill_scope(exchange, request)
    is_killed = (scope, of_what) in exchange.killed
    lifted = []
    if scope in ("account", "group"):
        lifted = oracle_losses.lift(exchange, oracle_groups.holder_of(exchange, request), request, is_killed)
    elif not is_killed:
        raise Refused("not_latched")
    if is_killed and request.get("limit") in (None, "kill"):
        exchange.killed.remove((scope, of_what))
        tell_kill(exchange, scope, of_what, None)
    if scope in ("account", "group"):
        holder = oracle_groups.holder_of(exchange, request)
        oracle_losses.end_latches(exchange, holder, lifted, request.get("rebase"))


def kill_scope(exchange: "Exchange", request: Fields) -> tuple[str, Any]:
    """Return what a kill is of, an account only where there is one."""
    scopes = ("account", "group", "symbol", "venue")
    [scope] = [name for name in scopes if request.get(name) not in (None, False)]
    if scope in ("account", "group"):
        oracle_groups.holder_of(exchange, request)
    return scope, request[scope]


def tell_kill(exchange: "Exchange", scope: str, of_what: Any, level: str | None) -> None:
    of = {"account": None, "symbol": None} | {scope: of_what}
    nothing = {"measured": None, "allowed": None, "currency": None}
    whose = {name: of[name] for name in ("account", "group", "symbol") if name in of}
    exchange.emit("latched", **whose, limit="kill", level=level, **nothing)


OPERATIONS: dict[str, Callable[["Exchange", Fields], None]] = {
    "currency": currency,
    "instrument": instrument,
    "account": account,
    "limits": limits,
    "phase": phase,
    "mark": mark,
    "rate": rate,
    "time": time,
    "session_end": session_end,
    "session_start": oracle_losses.session_start,
    "group": oracle_groups.group,
    "kill": kill,
    "reset_latch": reset_latch,
    **oracle_money.OPERATIONS,
    "rules": oracle_rules.command,
}
