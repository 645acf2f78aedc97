"""What a seeded flow does with accounts on margin (tests/flows.py): orders near it, other fundings."""

from typing import TYPE_CHECKING, Any

from tests import oracle_margin
from tests.oracle import Exchange

if TYPE_CHECKING:
    from tests.flows import Flow

Command = dict[str, Any]
LIVING = {8: ("XYZ", "USD"), 9: ("ABC", "EUR")}
"""Accounts that are on margin at first, what they deal in, and what they have."""


def margin_order(flow: "Flow", exchange: Exchange) -> Command:
    """An order of an account on margin, often for as much as its margin lets it, or a lot more."""
    account = flow.random.choice(tuple(LIVING))
    symbol, _ = LIVING[account]
    command = flow.new(exchange) | {"account": account, "symbol": symbol}
    instrument, of = exchange.instruments[symbol], exchange.accounts[account]
    ticks = flow.ticks(symbol)
    lots = flow.random.randint(1, 30)
    if of.on_margin and ticks > 0 and ticks < 2**30 and flow.chance(0.6):
        most = oracle_margin.affordable(exchange, of, instrument, command["side"], ticks)
        lots = max(1, min(most, 10**6) + flow.random.choice((-1, -1, 0) if flow.is_calm else (-1, 0, 0, 1)))
        if most == 0 and flow.chance(0.7):
            return flow.cancel(exchange)
    command["quantity"] = instrument.quantity_text(lots)
    if "price" in command:
        command["price"] = instrument.price_text(ticks)
    return command


def funding(flow: "Flow", exchange: Exchange) -> Command:
    """Say what an account is funded by; mostly of one that is flat, and then now and then something else."""
    flat = [each.account for each in exchange.accounts.values() if oracle_margin.is_flat(each)]
    account = flow.random.choice(flat) if flat and flow.chance(0.6) else flow.account()
    word = flow.random.choice(("cash", "margin"))
    if account in LIVING and flow.chance(0.7):
        word = "margin"
    command: Command = {"op": "account", "account": account, "funding": word}
    if account == 4:
        command["unlimited"] = True
    if flow.chance(0.1):
        command |= {"account": flow.random.choice((8, 9, 50)), "deposit": {"JPY": "3"}}
    if flow.chance(0.1):
        command["reporting_currency"] = flow.random.choice(("USD", "EUR"))
    return command


def pay_in(flow: "Flow", exchange: Exchange) -> Command:
    """Give an account on margin some money when it has little, or take some when it has a lot."""
    account = flow.random.choice(tuple(LIVING))
    _, code = LIVING[account]
    has, units = exchange.accounts[account].money.get(code, 0), 10 ** exchange.decimals[code]
    op = "deposit" if has < 15 * units else "withdraw"
    amount = exchange.money_text(code, flow.random.randint(1, 12 * units))
    if flow.chance(0.1):
        op, code, amount = "deposit", "JPY", "3"
    return {"op": op, "account": account, "currency": code, "amount": amount, "id": f"m-{exchange.seq}"}
