"""Reduce-only orders of a seeded flow (tests/flows.py): of those who hold something, mostly against it."""

from typing import TYPE_CHECKING, Any

from tests import oracle_reducing
from tests.oracle import Exchange
from tests.oracle_accounts import Account
from tests.oracle_market import Instrument

if TYPE_CHECKING:
    from tests.flows import Flow

Command = dict[str, Any]


def reduce_only_order(flow: "Flow", exchange: Exchange) -> Command:
    """An order that closes what an account holds, often together with others of it for more than that."""
    found = holding(flow, exchange)
    command = flow.new(exchange)
    if found is None:
        return command | {"reduce_only": flow.chance(0.2)}
    account, instrument, held = found
    against = "sell" if held > 0 else "buy"
    if flow.chance(0.8) and oracle_reducing.room(account, instrument, against) <= 0:
        return command
    command["reduce_only"] = True
    lots = max(1, abs(held) + flow.random.randint(-3, 2)) if flow.chance(0.6) else flow.random.randint(1, 6)
    command |= {
        "account": account.account,
        "symbol": instrument.symbol,
        "side": against if flow.chance(0.95) else command["side"],
        "quantity": instrument.quantity_text(lots),
        "price": flow.price(exchange, instrument.symbol),
    }
    if flow.chance(0.15):
        command.pop("post_only", None)
        return command | {"time_in_force": flow.random.choice(("fok", "ioc"))}
    if flow.chance(0.5):  # mostly rests, to be met by what else the account does
        away = 2 if against == "sell" else -2
        command["price"] = instrument.price_text(max(1, flow.ticks(instrument.symbol) + away))
    return command


def closing_order(flow: "Flow", exchange: Exchange) -> Command:
    """An ordinary order of an account that has reduce-only orders, which takes from them or fills them."""
    reducing = [
        (account, instrument, order)
        for account in exchange.accounts.values()
        for instrument, order in account.open.values()
        if order.reduce_only
    ]
    if not reducing:
        return reduce_only_order(flow, exchange)
    account, instrument, order = flow.random.choice(reducing)
    command = flow.new(exchange) | {"symbol": instrument.symbol}
    command["price"] = instrument.price_text(order.price)
    lots = max(1, order.leaves + flow.random.randint(-3, 6))
    command["quantity"] = instrument.quantity_text(lots)
    if flow.chance(0.5):
        return command | {"account": account.account, "side": order.side}
    return command | {"side": "sell" if order.side == "buy" else "buy"}


def reducing_rate(flow: "Flow", exchange: Exchange) -> Command:
    """A rate of fills that lets an account only reduce, close to what accounts do; or the end of that."""
    latched = [each.account for each in exchange.accounts.values() if "max_fill_rate" in each.latched]
    if latched and flow.chance(0.8):
        lifted = {"account": flow.random.choice(latched), "limit": "max_fill_rate", "rebase": True}
        return {"op": "reset_latch", **lifted}
    account, limit = flow.account(), f"{flow.random.randint(2, 15)}"
    if flow.chance(0.5):
        return {"op": "limits", "account": account, "max_fill_rate": None}
    return {"op": "limits", "account": account, "max_fill_rate": limit, "on_breach": "reduce_only"}


def holding(flow: "Flow", exchange: Exchange) -> tuple[Account, Instrument, int] | None:
    found = [
        (account, exchange.instruments[symbol], position.quantity)
        for account in exchange.accounts.values()
        for symbol, position in account.positions.items()
        if position.quantity
    ]
    return flow.random.choice(found) if found else None
