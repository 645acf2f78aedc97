"""The oracle's checks: what the door refuses, then every check of an order as in exchange rule S3.

Part of the naive exchange of oracle.py. Each function only looks; the first failing
check raises Refused and nothing has changed, except that a rate bucket gave its token.
"""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests import (
    oracle_admin,
    oracle_funds,
    oracle_groups,
    oracle_losses,
    oracle_margin,
    oracle_money,
    oracle_reducing,
    oracle_rules,
    oracle_sizing,
    oracle_windows,
)
from tests.oracle_accounts import Account, reserve_of
from tests.oracle_market import (
    LIMIT_OF_NUMBERS,
    AtDoor,
    Fields,
    Instrument,
    Order,
    Refused,
    in_steps,
)

if TYPE_CHECKING:
    from tests.oracle import Exchange

TYPES_NOT_YET_BUILT = ("market_to_limit", "stop", "stop_limit", "trailing_stop")
PRICES = ("price", "band_low", "band_high", "stop_price", "max_price")
QUANTITIES = ("quantity", "max_quantity", "display_quantity")


def at_door(exchange: "Exchange", given: Fields) -> Fields:
    """Turn the decimals of a line into ticks, lots and minor units; refuse what no record carries."""
    request = dict(given)
    if given["op"] == "instrument":
        return oracle_admin.listing(exchange, request)
    if given["op"] == "group":
        return oracle_groups.at_door(request)
    if given["op"] == "rate":
        return oracle_admin.rate_at_door(exchange, request)
    if given["op"] in oracle_money.OPERATIONS:
        return oracle_money.at_door(exchange, request, money_step)
    client_id = given.get("client_order_id")
    if isinstance(client_id, int) and client_id < 1:
        raise AtDoor("invalid_client_order_id")
    for currency, amount in given.get("deposit", {}).items():
        amount_in_units = in_steps(amount, money_step(exchange, currency), "out_of_range")
        request["deposit"] = request["deposit"] | {currency: amount_in_units}
    instrument = None
    if given.get("symbol") is not None:
        instrument = exchange.instruments.get(given["symbol"])
        if instrument is None:
            raise AtDoor("unknown_symbol")
    elif given["op"] == "replace":
        instrument = instrument_of_order(exchange, given)
    if given["op"] == "limits":
        oracle_losses.at_door(given)
    if instrument is not None:
        count_in_steps(exchange, instrument, given, request)
    if "trail" in given and given.get("type") != "trailing_stop":
        raise AtDoor("invalid_field")
    return request


def count_in_steps(exchange: "Exchange", instrument: Instrument, given: Fields, request: Fields) -> None:
    """Put ticks, lots and minor units in the place of decimals."""
    if given.get("size_by") is not None:
        request["size_by"] = oracle_sizing.at_door(instrument, given["size_by"])
    for name in (*QUANTITIES, *PRICES):
        if request.get(name) is not None:
            if name in PRICES:
                request[name] = in_steps(given[name], instrument.tick, "off_tick")
            else:
                request[name] = in_steps(given[name], instrument.lot, "off_lot")
    if request.get("max_notional") is not None:
        step = money_step(exchange, instrument.quote)
        request["max_notional"] = in_steps(given["max_notional"], step, "out_of_range")


def money_step(exchange: "Exchange", currency: str) -> Fraction:
    """Return the minor unit of a currency; one that was never declared has six decimals."""
    return Fraction(1, 10 ** exchange.decimals.get(currency, oracle_admin.DEFAULT_DECIMALS))


def instrument_of_order(exchange: "Exchange", given: Fields) -> Instrument | None:
    """Find the instrument of an order that a line names only by its id."""
    found = find_order(exchange, given)
    return found[0] if found else None


def find_order(exchange: "Exchange", given: Fields) -> tuple[Instrument, Order] | None:
    """Look an order up by engine id, or else by the client id of the account."""
    if given.get("order_id"):
        return exchange.orders.get(given["order_id"])
    account = exchange.accounts.get(given["account"])
    if account is None or not given.get("client_order_id"):
        return None
    order = account.orders.get(given["client_order_id"])
    return exchange.orders[order.order_id] if order else None


def known_account(exchange: "Exchange", request: Fields) -> Account:
    account = exchange.accounts.get(request["account"])
    if account is None:
        raise Refused("unknown_account")
    return account


def own_order(exchange: "Exchange", request: Fields) -> tuple[Account, Instrument, Order]:
    """Find a live order of the account: all that a cancel needs."""
    account = known_account(exchange, request)
    found = find_order(exchange, request)
    if found is None or found[1].account != account.account or found[1].status != "open":
        raise Refused("unknown_order")
    return account, *found


def new_order(exchange: "Exchange", request: Fields) -> tuple[Account, Instrument, Order, int]:
    """Check a new order; return it with the worst price it may trade at."""
    account = known_account(exchange, request)
    instrument = exchange.instruments[request["symbol"]]
    order = order_of(instrument, request)
    check_phase_of_new(instrument, order)
    check_duplicate(account, instrument, request)
    limit = check_fields(instrument, order, request)
    scopes = {("venue", True), ("symbol", instrument.symbol), ("account", account.account)}
    if scopes & exchange.killed:
        raise Refused("blocked")
    if account.group is not None and ("group", account.group.number) in exchange.killed:
        raise oracle_groups.refused(account.group, "blocked")
    check_rate(exchange, account, "new")
    oracle_windows.check_ratio(exchange, account)
    if "size_by" in request:
        asked = request["size_by"]
        order.quantity = oracle_sizing.quantity(exchange, account, instrument, order, limit, asked)
    if order.reduce_only:
        oracle_reducing.cut(account, instrument, order)
    if order.quantity > instrument.max_quantity:
        raise Refused("max_quantity")
    check_notional(instrument, limit, order.quantity)
    if order.kind == "limit":
        check_price(instrument, order.price)
    could_rest = order.kind == "limit" and order.time_in_force not in ("ioc", "fok")
    for holder in oracle_groups.with_group(account):
        most_orders = account_limit(exchange, holder, "max_open_orders")
        if could_rest and most_orders is not None and holder.open_orders() + 1 > most_orders:
            raise oracle_groups.refused(holder, "max_open_orders")
    if could_rest and instrument.max_orders is not None:
        if len(instrument.resting()) + 1 > instrument.max_orders:
            raise Refused("max_open_orders")
    check_position(exchange, account, instrument, order.side, order.quantity)
    adds = instrument.notional(limit, order.quantity)
    for holder in oracle_groups.with_group(account):
        oracle_windows.check_exposure(exchange, holder, instrument, order.side, adds)
    oracle_losses.check_order(exchange, account, instrument, order)
    oracle_rules.judge(exchange, account, instrument, order, limit, order.quantity)
    if order.side == "buy":
        oracle_funds.check_payment(
            exchange, account, instrument, reserve_of(instrument, order, limit, order.quantity)
        )
    else:
        best_case = max([limit, *(maker.price for maker in instrument.buy[:1])])
        oracle_funds.check_proceeds(
            exchange, account, instrument, instrument.notional(best_case, order.quantity)
        )
    oracle_margin.check_order(exchange, account, instrument, order.side, adds)
    if order.post_only and instrument.phase == "continuous" and instrument.crosses(order.side, order.price):
        raise Refused("post_only_would_cross")
    if order.time_in_force == "fok":
        oracle_reducing.check_fillable(exchange, instrument, order, limit)
    return account, instrument, order, limit


def order_of(instrument: Instrument, request: Fields) -> Order:
    kind = request.get("type", "limit")
    return Order(
        order_id=0,
        client_id=request.get("client_order_id") or None,
        account=request["account"],
        side=request["side"],
        kind=kind,
        price=request.get("price", 0),
        quantity=request.get("quantity", 0),
        time_in_force=request.get("time_in_force", "ioc" if kind == "market" else "gtc"),
        prevention=request.get("self_trade_prevention", "cancel_newest"),
        post_only=request.get("post_only", False),
        reduce_only=request.get("reduce_only", False),
        maker_ppm=instrument.maker_ppm,
        taker_ppm=instrument.taker_ppm,
    )


def check_phase_of_new(instrument: Instrument, order: Order) -> None:
    """Step 4: CONTINUOUS takes every order, PRE_OPEN collects limit orders that can rest."""
    if instrument.phase == "continuous":
        return
    rests = order.kind == "limit" and order.time_in_force in ("gtc", "day", "gtd")
    if instrument.phase != "pre_open" or not rests:
        raise Refused("not_allowed_in_phase")


def check_duplicate(account: Account, instrument: Instrument, request: Fields) -> None:
    """Step 5: an id that an accepted order used stays used."""
    original = account.orders.get(request.get("client_order_id") or None)
    if original is not None:
        raise Refused("duplicate", **standing(instrument, original))


def standing(instrument: Instrument, order: Order) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "status": order.status,
        "cum_quantity": instrument.quantity_text(order.cum),
        "leaves_quantity": instrument.quantity_text(order.leaves),
    }


def check_fields(instrument: Instrument, order: Order, request: Fields) -> int:
    """Step 6; returns the limit: the order's price, or the protection of a market order."""
    is_unbuilt = order.kind in TYPES_NOT_YET_BUILT or order.time_in_force == "gtd"
    if is_unbuilt or request.get("display_quantity"):
        raise Refused("unsupported")
    if request.get("stop_price"):
        raise Refused("invalid_field")
    if order.kind == "market" and order.time_in_force not in ("ioc", "fok"):
        raise Refused("invalid_time_in_force")
    if order.post_only and order.time_in_force in ("ioc", "fok"):
        raise Refused("invalid_time_in_force")
    if "size_by" in request:
        oracle_sizing.check_arguments(instrument, request["size_by"])
    elif order.quantity < 1:
        raise Refused("invalid_quantity")
    if order.price < (0 if order.kind == "market" else 1) or order.price > instrument.max_price:
        raise Refused("invalid_price")
    if request.get("expires_at"):
        raise Refused("invalid_expiry")
    return protection(instrument, order) if order.kind == "market" else order.price


def protection(instrument: Instrument, order: Order) -> int:
    """Return the worst price of a market order (exchange rule S6)."""
    makers = instrument.against(order.side)
    if not makers:
        raise Refused("no_liquidity")
    lowest = instrument.band_low or 1
    highest = instrument.band_high or instrument.max_price
    distance = instrument.protect_ticks
    if order.side == "buy":
        limit = highest if distance is None else makers[0].price + distance
    else:
        limit = lowest if distance is None else makers[0].price - distance
    limit = max(lowest, min(highest, limit, instrument.max_price))
    if order.price:
        limit = min(limit, order.price) if order.side == "buy" else max(limit, order.price)
    return limit


def account_limit(exchange: "Exchange", account: Account, name: str) -> int | None:
    """Return an account's own limit, or the default of every account; a group's own."""
    if isinstance(account, oracle_groups.Group):
        return account.limits.get(name)
    return account.limits[name] if name in account.limits else exchange.default_limits.get(name)


def check_rate(exchange: "Exchange", account: Account, which: str) -> None:
    """Step 9: one token of the bucket."""
    for holder in oracle_groups.with_group(account):
        if which == "new" or not oracle_windows.check_changes(exchange, holder):
            take_token(exchange, holder, which)


def take_token(exchange: "Exchange", account: Account, which: str) -> None:
    rate = account_limit(exchange, account, "order_rate")
    if rate is None:
        return
    burst = account_limit(exchange, account, "order_burst")
    bucket = account.new_bucket if which == "new" else account.replace_bucket
    if not bucket.take(exchange.eng_ts, rate, rate if burst is None else burst):
        raise oracle_groups.refused(account, "rate_limit")


def check_notional(instrument: Instrument, price: int, quantity: int) -> None:
    """Step 11."""
    notional = instrument.notional(price, quantity)
    if instrument.max_notional is not None and notional > instrument.max_notional:
        raise Refused("max_notional")


def check_price(instrument: Instrument, price: int, now: int | None = None) -> None:
    """Step 12: the static band, then the collar around the mark or the last trade.

    A replacement, whose price stands at `now`, is refused only where it moves further out.
    """
    outside = instrument.distance_from_band(price)
    if outside > 0 and (now is None or outside > instrument.distance_from_band(now)):
        raise Refused("price_band")
    reference = instrument.mark if instrument.mark is not None else instrument.last
    if not instrument.collar_bps or reference is None:
        return
    distance = abs(price - reference)
    if distance * 10**4 > instrument.collar_bps * reference:
        if now is None or distance > abs(now - reference):
            raise Refused("price_collar")


def check_position(
    exchange: "Exchange", account: Account, instrument: Instrument, side: str, more: int
) -> None:
    """Step 14: where the position could stand if all open orders of that side were filled."""
    check_reach(exchange, account, instrument, side, more)
    if account.group is not None:
        held = account.group.held_lots(instrument)
        opened = (account.group.open_quantity(instrument, each) for each in ("buy", "sell"))
        if held + sum(opened) + more > LIMIT_OF_NUMBERS:
            raise oracle_groups.refused(account.group, "overflow")
        check_reach(exchange, account.group, instrument, side, more)


def check_reach(exchange: "Exchange", account: Account, instrument: Instrument, side: str, more: int) -> None:
    held = account.position(instrument).quantity
    reach = account.open_quantity(instrument, side) + more
    exposure = held + reach if side == "buy" else reach - held
    most = account_limit(exchange, account, "max_position")
    if most is not None and exposure * instrument.lot > most:
        raise oracle_groups.refused(account, "max_position")
    if exposure > LIMIT_OF_NUMBERS:
        raise oracle_groups.refused(account, "overflow")


def replaced_order(exchange: "Exchange", request: Fields) -> tuple[Instrument, Order, int, int]:
    """Check a replacement; return the order with its new price and new total quantity (exchange rule S11)."""
    account, instrument, order = own_order(exchange, request)
    price = request.get("price", order.price)
    quantity = request.get("quantity", order.quantity)
    check_phase_of_replace(instrument, order, price, quantity)
    if quantity < 1:
        raise Refused("invalid_quantity")
    if not 1 <= price <= instrument.max_price:
        raise Refused("invalid_price")
    check_rate(exchange, account, "replace")
    oracle_windows.check_ratio(exchange, account)
    quantity = oracle_reducing.cut_total(account, instrument, order, quantity)
    if quantity <= order.cum:
        return instrument, order, price, quantity
    leaves = quantity - order.cum
    if quantity > order.quantity and quantity > instrument.max_quantity:
        raise Refused("max_quantity")
    if price * leaves > order.price * order.leaves:
        check_notional(instrument, price, leaves)
    check_price(instrument, price, order.price)
    if leaves > order.leaves:
        check_position(exchange, account, instrument, order.side, leaves - order.leaves)
    adds = instrument.notional(price, leaves) - instrument.notional(order.price, order.leaves)
    if adds > 0:
        for holder in oracle_groups.with_group(account):
            oracle_windows.check_exposure(exchange, holder, instrument, order.side, adds)
    if leaves > order.leaves:
        oracle_reducing.check_latched(account, instrument, order.side, leaves - order.leaves)
        oracle_reducing.check_group_latched(account, instrument, order.side, leaves - order.leaves)
    if price != order.price or quantity > order.quantity:
        oracle_rules.judge(exchange, account, instrument, order, price, quantity)
    best_case = price if order.side == "buy" else max([price, *(maker.price for maker in instrument.buy[:1])])
    notional = instrument.notional(best_case, leaves)
    if price != order.price:
        oracle_funds.check_house(exchange, instrument.quote, notional)
    if order.side == "buy":
        held = reserve_of(instrument, order, order.price, order.leaves)
        more = reserve_of(instrument, order, price, leaves) - held
        if more > 0:
            oracle_funds.check_payment(exchange, account, instrument, more)
    else:
        more = notional - instrument.notional(order.price, order.leaves)
        if more > 0:
            oracle_funds.check_proceeds(exchange, account, instrument, more)
    if adds > 0:
        oracle_margin.check_order(exchange, account, instrument, order.side, adds)
    if order.post_only and instrument.phase == "continuous" and price != order.price:
        if instrument.crosses(order.side, price):
            raise Refused("post_only_would_cross")
    return instrument, order, price, quantity


def check_phase_of_replace(instrument: Instrument, order: Order, price: int, quantity: int) -> None:
    """Step 4: cancel-only and closed allow a lower quantity and nothing else, a halt nothing."""
    if instrument.phase in ("continuous", "pre_open"):
        return
    goes_down = price == order.price and quantity < order.quantity
    if instrument.phase == "halted" or not goes_down:
        raise Refused("not_allowed_in_phase")
