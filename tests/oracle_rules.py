"""The oracle's rules that people write: step 17 of exchange rule S3, run as the functions that they are.

Part of the naive exchange of oracle.py. What rules are told is made anew from orders, positions and lists of
what happened when. A set is known by the hash of its source; whoever tests says what is in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from tests import oracle_rounds
from tests.oracle_accounts import Account, Position
from tests.oracle_market import LIMIT_OF_NUMBERS, Fields, Instrument, Order, Refused

if TYPE_CHECKING:
    from tests.oracle import Exchange

BUCKETS_IN_A_WINDOW = 12
LENGTHS_NS = {"1s": 10**9, "1m": 60 * 10**9}
ORDERS_SEEN = 1024
TIMES_IN_FORCE = {"gtc": 1, "day": 2, "gtd": 3, "ioc": 4, "fok": 5}


class PlainRule(NamedTuple):
    name: str
    reason: str
    params: dict[str, int]
    function: Callable[[Any, Any, Any], Any]


PLAIN_SETS: dict[str, list[PlainRule]] = {}
"""The rules of each set by its hash."""


@dataclass
class Happened:
    """What happened while sets have governed, with the engine's time of it."""

    orders: list[tuple[int, int, str, int]] = field(default_factory=list)  # account, symbol, lots
    trades: list[tuple[int, int, str, int]] = field(default_factory=list)  # each side of each
    volume: list[tuple[int, str, int]] = field(default_factory=list)
    losses: dict[int, int] = field(default_factory=dict)  # account -> when it last had one


@dataclass
class Rules:
    """Sets by their hash, which governs, what governed before, params by whose they are."""

    ids: dict[str, int] = field(default_factory=dict)
    governing: str | None = None
    before: str | None = None
    happened: Happened = field(default_factory=Happened)
    params: dict[tuple[Any, str, str], int] = field(default_factory=dict)  # (account or symbol, rule, param)


# Commands


def command(exchange: "Exchange", request: Fields) -> None:
    {"register": register, "activate": activate, "rollback": roll_back, "param": set_param}[request["act"]](
        exchange, request
    )


def register(exchange: "Exchange", request: Fields) -> None:
    ids, source = exchange.rules.ids, request["source"]
    ids.setdefault(source, len(ids) + 1)
    tell(exchange, "registered", source, None)


def activate(exchange: "Exchange", request: Fields) -> None:
    source = request.get("source")
    if source is not None and source not in exchange.rules.ids:
        raise Refused("unknown_rules")
    govern(exchange, "activated", source)


def roll_back(exchange: "Exchange", request: Fields) -> None:
    if exchange.rules.governing is None and exchange.rules.before is None:
        raise Refused("no_rules_before")
    govern(exchange, "rolled_back", exchange.rules.before)


def govern(exchange: "Exchange", act: str, source: str | None) -> None:
    rules = exchange.rules
    governed = rules.governing
    if source != governed:
        rules.before, rules.governing = governed, source
        if governed is None:
            rules.happened = Happened()
    tell(exchange, act, source, rules.ids[governed] if governed else None)


def tell(exchange: "Exchange", act: str, source: str | None, before: int | None) -> None:
    set_id = exchange.rules.ids[source] if source else None
    exchange.emit("rules", act=act, set=set_id, source=source, before=before)


def set_param(exchange: "Exchange", request: Fields) -> None:
    if "account" in request and request["account"] not in exchange.accounts:
        raise Refused("unknown_account")
    whose = request.get("account", request.get("symbol"))
    known = any(
        rule.name == request["rule"] and request["param"] in rule.params
        for source in exchange.rules.ids
        for rule in PLAIN_SETS[source]
    )
    if not known:
        raise Refused("unknown_param")
    named = whose, request["rule"], request["param"]
    exchange.rules.params.pop(named, None)
    if request.get("value") is not None:
        exchange.rules.params[named] = request["value"]


# What happens


def ordered(exchange: "Exchange", instrument: Instrument, order: Order, lots: int) -> None:
    """Note an order that was accepted or changed, and how many lots more it has."""
    if exchange.rules.governing is not None:
        noted = exchange.eng_ts, order.account, instrument.symbol, max(lots, 0)
        exchange.rules.happened.orders.append(noted)


def traded(
    exchange: "Exchange", instrument: Instrument, lots: int, sides: list[Order], realised: dict[int, int]
) -> None:
    """Note a trade; realised: of each account, what it had realised in the instrument before."""
    if exchange.rules.governing is None:
        return
    happened = exchange.rules.happened
    happened.volume.append((exchange.eng_ts, instrument.symbol, lots))
    for order in sides:
        happened.trades.append((exchange.eng_ts, order.account, instrument.symbol, lots))
        now = exchange.accounts[order.account].position(instrument).realised
        if now < realised[order.account]:
            happened.losses[order.account] = exchange.eng_ts


# Step 17


def judge(
    exchange: "Exchange", account: Account, instrument: Instrument, order: Order, price: int, quantity: int
) -> None:
    """Refuse what a rule refuses; of a replace with the new price and total, of a new order with its own."""
    rules = exchange.rules
    if rules.governing is None:
        return
    asked = as_asked(exchange, account, instrument, order, price, quantity)
    beside = known_beside(exchange, account, instrument, order, price)
    for rule in PLAIN_SETS[rules.governing]:
        params = {
            name: rules.params.get(
                (account.account, rule.name, name),
                rules.params.get((instrument.symbol, rule.name, name), own),
            )
            for name, own in rule.params.items()
        }
        is_fault = False
        try:
            is_refusing = bool(rule.function(asked, beside, SimpleNamespace(**params)))
        except (ZeroDivisionError, ValueError):  # of a shift by less than nothing
            is_refusing = is_fault = True
        if is_refusing:
            raise Refused("rule", rule=rule.name, rule_reason=rule.reason, rule_fault=is_fault)


def as_asked(
    exchange: "Exchange", account: Account, instrument: Instrument, order: Order, price: int, quantity: int
) -> SimpleNamespace:
    is_replace = order.order_id != 0
    leaves = quantity - order.cum
    name = instrument.symbol.encode()
    return SimpleNamespace(
        account=account.account,
        instrument=list(exchange.instruments).index(instrument.symbol),
        symbol=int.from_bytes(name, "little", signed=True) if len(name) <= 8 else 0,
        is_replace=int(is_replace),
        side=1 if order.side == "buy" else 2,
        type=2 if order.kind == "market" else 1,
        time_in_force=TIMES_IN_FORCE[order.time_in_force],
        post_only=int(order.post_only),
        px=price,
        qty=quantity,
        leaves=leaves,
        notional=instrument.notional(price, leaves),
        more=leaves - (order.leaves if is_replace else 0),
        old_px=order.price if is_replace else 0,
        ts_ms=exchange.eng_ts // 10**6,
        scale=instrument.scale,
    )


def known_beside(
    exchange: "Exchange", account: Account, instrument: Instrument, order: Order, price: int
) -> SimpleNamespace:
    held = account.positions.get(instrument.symbol, Position())
    is_kept = account.is_in_rounds
    return SimpleNamespace(
        position=held.quantity,
        open_buys=account.open_quantity(instrument, "buy"),
        open_sells=account.open_quantity(instrument, "sell"),
        cost=held.cost,
        realised=held.realised,
        **best(instrument, "buy", "bid"),
        **best(instrument, "sell", "ask"),
        last=instrument.last or 0,
        mark=instrument.mark or 0,
        balance=account.money.get(instrument.quote, 0),
        reserved=account.reserved(instrument.quote),
        open_orders=len(account.open),
        max_open_orders=or_absent(limit(exchange, account, "max_open_orders")),
        max_position=or_absent(limit(exchange, account, "max_position"), instrument),
        order_rate=or_absent(limit(exchange, account, "order_rate")),
        has_equity=int(is_kept),
        equity=oracle_rounds.equity(exchange, account)[0] if is_kept else 0,
        peak=account.peak if is_kept else 0,
        day_start=account.day_start if is_kept else 0,
        orders_at_px=sum(
            each.account == account.account
            for each in [each for each in instrument.queue(order.side) if each.price == price][-ORDERS_SEEN:]
        ),
        **windows(exchange, account, instrument),
    )


def best(instrument: Instrument, side: str, name: str) -> Fields:
    queue = instrument.queue(side)
    price = queue[0].price if queue else 0
    return {name: price, f"{name}_qty": sum(each.leaves for each in queue if each.price == price)}


def limit(exchange: "Exchange", account: Account, name: str) -> int | None:
    return account.limits[name] if name in account.limits else exchange.default_limits.get(name)


def or_absent(most: Any, instrument: Instrument | None = None) -> int:
    """Return a limit, -1 for none; that of a position in lots of an instrument."""
    if most is None:
        return -1
    return int(most) if instrument is None else int(most // instrument.lot)


def windows(exchange: "Exchange", account: Account, instrument: Instrument) -> Fields:
    happened, number, symbol = exchange.rules.happened, account.account, instrument.symbol
    found: Fields = {}
    for name, length in LENGTHS_NS.items():
        bucket = length // BUCKETS_IN_A_WINDOW

        def is_in(moment: int, bucket: int = bucket) -> bool:
            return exchange.eng_ts // bucket - moment // bucket < BUCKETS_IN_A_WINDOW

        orders = [each for each in happened.orders if is_in(each[0]) and each[1] == number]
        trades = [each for each in happened.trades if is_in(each[0]) and each[1] == number]
        found |= {
            f"orders_{name}": len(orders),
            f"trades_{name}": len(trades),
            f"ordered_{name}": lots_of(orders, symbol),
            f"filled_{name}": lots_of(trades, symbol),
            f"volume_{name}": min(
                LIMIT_OF_NUMBERS,
                sum(lots for moment, of, lots in happened.volume if of == symbol and is_in(moment)),
            ),
        }
    lost = happened.losses.get(number)
    found["loss_age_ms"] = -1 if lost is None else (exchange.eng_ts - lost) // 10**6
    return found


def lots_of(noted: list[tuple[int, int, str, int]], symbol: str) -> int:
    return min(LIMIT_OF_NUMBERS, sum(lots for _, _, of, lots in noted if of == symbol))
