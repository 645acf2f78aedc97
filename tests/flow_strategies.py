"""Hypothesis strategies for short command streams that shrink to a readable example.

Everything is drawn from tiny sets: two books, three accounts, five prices, five
quantities and a dozen client ids, so that short streams already cross, prevent,
replace and repeat.
"""

from typing import Any

from hypothesis import strategies as st

Command = dict[str, Any]

SHORT_PREAMBLE: tuple[Command, ...] = (
    {"op": "currency", "currency": "USD", "decimals": 2},
    {"op": "currency", "currency": "XYZ"},
    {
        **{"op": "instrument", "symbol": "XYZ", "base": "XYZ", "quote": "USD", "tick_size": "0.01"},
        **{"lot_size": "1", "maker_fee_ppm": -100000, "taker_fee_ppm": 250000, "protect_ticks": 2},
    },
    {
        **{"op": "instrument", "symbol": "ABC", "base": "XYZ", "quote": "USD", "tick_size": "0.5"},
        **{"lot_size": "0.02", "maker_fee_ppm": 30000, "taker_fee_ppm": -20000},
    },
    {"op": "account", "account": 1, "deposit": {"USD": "2.00"}},
    {"op": "account", "account": 2, "deposit": {"USD": "100.00"}},
    {"op": "account", "account": 3, "unlimited": True},
)
PRICES = {"XYZ": ("0.1", "0.11", "0.12", "0.13", "0.14"), "ABC": ("5", "5.5", "6", "6.5", "7")}
QUANTITIES = {"XYZ": ("1", "2", "3", "5", "8"), "ABC": ("0.02", "0.04", "0.06", "0.1", "0.16")}

symbols = st.sampled_from(("XYZ", "ABC"))
accounts = st.sampled_from((1, 2, 3))
client_ids = st.integers(1, 12)
sides = st.sampled_from(("buy", "sell"))
preventions = st.sampled_from(("none", "cancel_newest", "cancel_oldest", "cancel_both", "decrement"))
phases = st.sampled_from(("continuous", "pre_open", "halted", "cancel_only", "closed"))


@st.composite
def new_orders(draw: st.DrawFn) -> Command:
    """Draw a limit or market order."""
    symbol = draw(symbols)
    command = {
        "op": "new",
        "client_order_id": draw(client_ids),
        "account": draw(accounts),
        "symbol": symbol,
        "side": draw(sides),
        "quantity": draw(st.sampled_from(QUANTITIES[symbol])),
        "self_trade_prevention": draw(preventions),
    }
    if draw(st.integers(0, 3)) == 0:
        command["reduce_only"] = True
    kind = draw(
        st.sampled_from(("gtc", "gtc", "gtc", "day", "ioc", "fok", "post_only", "market", "market_fok"))
    )
    if kind == "market":
        return command | {"type": "market"}
    command["price"] = draw(st.sampled_from(PRICES[symbol]))
    if kind == "market_fok":
        return command | {"type": "market", "time_in_force": "fok"}
    if kind == "post_only":
        return command | {"post_only": True}
    return command | {"time_in_force": kind}


@st.composite
def replaces(draw: st.DrawFn) -> Command:
    """Draw a replacement of price, quantity, both or neither."""
    symbol = draw(symbols)
    command: Command = {"op": "replace", "account": draw(accounts), "client_order_id": draw(client_ids)}
    if draw(st.booleans()):
        command["price"] = draw(st.sampled_from(PRICES[symbol]))
    if draw(st.booleans()):
        command["quantity"] = draw(st.sampled_from(("0", *QUANTITIES[symbol])))
    return command


@st.composite
def instrument_limits(draw: st.DrawFn) -> Command:
    """Draw a band, or none."""
    symbol = draw(symbols)
    prices = st.sampled_from((None, *PRICES[symbol]))
    return {"op": "limits", "symbol": symbol, "band_low": draw(prices), "band_high": draw(prices)}


@st.composite
def account_limits(draw: st.DrawFn) -> Command:
    """Draw one limit of one account, or of all."""
    if draw(st.booleans()):
        level = draw(st.sampled_from(("reduce_only", "cancel_and_block")))
        return {"op": "limits", "account": draw(accounts), "max_drawdown": "0.3", "on_breach": level}
    name = draw(st.sampled_from(("max_open_orders", "max_position", "order_rate")))
    whose = draw(st.sampled_from(({"account": 1}, {"account": 2}, {})))
    return {"op": "limits", **whose, name: draw(st.sampled_from((None, 0, 1, 3)))}


cancels = st.builds(
    lambda account, number: {"op": "cancel", "account": account, "client_order_id": number},
    accounts,
    client_ids,
)
mass_cancels = st.builds(
    lambda account, symbol, side: {"op": "mass_cancel", "account": account, "symbol": symbol, "side": side},
    accounts,
    st.none() | symbols,
    st.none() | sides,
)
phase_changes = st.builds(
    lambda symbol, phase: {"op": "phase", "symbol": symbol, "phase": phase}, st.none() | symbols, phases
)
times = st.builds(lambda now: {"op": "time", "now": now * 10**8}, st.integers(0, 40))

kills = st.builds(
    lambda op, of: {"op": op, **of},
    st.sampled_from(("kill", "reset_latch")),
    st.builds(lambda account: {"account": account}, accounts)
    | st.builds(lambda symbol: {"symbol": symbol}, symbols)
    | st.just({"venue": True}),
)

commands = st.one_of(
    new_orders(),
    new_orders(),
    new_orders(),
    replaces(),
    replaces(),
    cancels,
    mass_cancels,
    phase_changes,
    instrument_limits(),
    account_limits(),
    times,
    kills,
    st.just({"op": "session_end"}),
)


def streams(most: int = 40) -> st.SearchStrategy[list[Command]]:
    """Return a strategy of whole streams: the preamble, then up to `most` commands."""
    return st.lists(commands, max_size=most).map(lambda drawn: [*SHORT_PREAMBLE, *drawn])
