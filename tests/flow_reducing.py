"""Reduce-only orders of a seeded flow (tests/flows.py): of those who hold something, mostly against it."""

from typing import TYPE_CHECKING, Any

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
    command["reduce_only"] = True
    if found is None:
        return command
    account, instrument, held = found
    against = "sell" if held > 0 else "buy"
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


def holding(flow: "Flow", exchange: Exchange) -> tuple[Account, Instrument, int] | None:
    found = [
        (account, exchange.instruments[symbol], position.quantity)
        for account in exchange.accounts.values()
        for symbol, position in account.positions.items()
        if position.quantity
    ]
    return flow.random.choice(found) if found else None
