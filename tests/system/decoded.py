"""COMMAND records of a journal as the JSON lines that the oracle takes.

Written against engine/trading/records.py alone, without the doors' codec: what that encodes wrongly is
decoded here as what it is, and the oracle decides otherwise than the engine did.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from engine.trading.fields import DEPOSIT_FIELDS
from engine.trading.records import LIFTED, UNCHANGED, CommandFlag, KillScope, Op, words_text
from tests.oracle import Exchange
from tests.oracle_market import Fields, Instrument, written

SIDES = {1: "buy", 2: "sell"}
TYPES = {1: "limit", 2: "market"}
TIMES_IN_FORCE = {1: "gtc", 2: "day", 4: "ioc", 5: "fok"}
PREVENTIONS = {1: "none", 2: "cancel_newest", 3: "cancel_oldest", 4: "cancel_both", 5: "decrement"}
SYMBOL_WORDS = 2


def line_of(command: Any, exchange: Exchange) -> Fields:
    """Return the line that means this record, to an exchange that applied those before it."""
    return _DECODERS[int(command["op"])](command, exchange)


def _currency(command: Any, exchange: Exchange) -> Fields:
    return {"op": "currency", "currency": _text(command["text"]), "decimals": int(command["value"])}


def _instrument(command: Any, exchange: Exchange) -> Fields:
    currencies = list(exchange.decimals)
    tick = Fraction(int(command["account"]), 10 ** int(command["side"]))
    lot = Fraction(int(command["client_order_id"]), 10 ** int(command["order_type"]))
    quote = currencies[int(command["stp_mode"])]
    money = Fraction(1, 10 ** exchange.decimals[quote])
    steps = {"max_price": ("px", tick), "max_quantity": ("qty", lot), "max_notional": ("display_qty", money),
             "band_low": ("stop_px", tick), "band_high": ("expiry", tick)}  # fmt: skip
    line = {
        "op": "instrument", "symbol": _text(command["text"][:SYMBOL_WORDS]), "quote": quote,
        "base": currencies[int(command["time_in_force"])],
        "tick_size": written(tick), "lot_size": written(lot),
        "collar_bps": int(command["instrument"]), "maker_fee_ppm": int(command["value"]),
        "taker_fee_ppm": int(command["text"][SYMBOL_WORDS]),
    }  # fmt: skip
    if command["order_id"] != UNCHANGED:
        line["protect_ticks"] = int(command["order_id"])
    for name, (field, step) in steps.items():
        if command[field] not in (UNCHANGED, LIFTED):
            line[name] = written(int(command[field]) * step)
    return line


def _account(command: Any, exchange: Exchange) -> Fields:
    currencies = list(exchange.decimals)
    which = command["text"].tobytes()
    deposit = {}
    for place, field in enumerate(DEPOSIT_FIELDS):
        if command[field]:
            code = currencies[which[place]]
            deposit[code] = exchange.money_text(code, int(command[field]))
    unlimited = bool(command["flags"] & CommandFlag.UNLIMITED)
    return {"op": "account", "account": int(command["account"]), "deposit": deposit, "unlimited": unlimited}


def _new(command: Any, exchange: Exchange) -> Fields:
    instrument = _instrument_at(exchange, int(command["instrument"]))
    line = {
        **_named(command), "op": "new", "symbol": instrument.symbol, "side": SIDES[int(command["side"])],
        "type": TYPES[int(command["order_type"])], "quantity": instrument.quantity_text(int(command["qty"])),
        "time_in_force": TIMES_IN_FORCE[int(command["time_in_force"])],
        "self_trade_prevention": PREVENTIONS[int(command["stp_mode"])],
        "post_only": bool(command["flags"] & CommandFlag.POST_ONLY),
    }  # fmt: skip
    if command["px"]:
        line["price"] = instrument.price_text(int(command["px"]))
    return line


def _cancel(command: Any, exchange: Exchange) -> Fields:
    return {"op": "cancel", **_named(command)}


def _named(command: Any) -> Fields:
    """Return the account and what names an order in it."""
    client_order_id = _text(command["text"]) or int(command["client_order_id"])
    named = {"account": int(command["account"]), "client_order_id": client_order_id or None}
    return {**named, "order_id": int(command["order_id"])} if command["order_id"] else named


def _text(words: Any) -> str:
    return words_text(words).decode()


def _instrument_at(exchange: Exchange, index: int) -> Instrument:
    return list(exchange.instruments.values())[index]


def _kill(command: Any, exchange: Exchange) -> Fields:
    op = Op(int(command["op"])).name.lower()
    match KillScope(int(command["value"])):
        case KillScope.ORDER:
            return {"op": op, "order_id": int(command["order_id"])}
        case KillScope.ACCOUNT:
            return {"op": op, "account": int(command["account"])}
        case KillScope.INSTRUMENT:
            return {"op": op, "symbol": _instrument_at(exchange, int(command["instrument"])).symbol}
    return {"op": op, "venue": True}


_DECODERS: dict[int, Callable[[Any, Exchange], Fields]] = {
    int(Op.CURRENCY): _currency,
    int(Op.INSTRUMENT): _instrument,
    int(Op.ACCOUNT): _account,
    int(Op.NEW): _new,
    int(Op.CANCEL): _cancel,
    int(Op.KILL): _kill,
    int(Op.RESET_LATCH): _kill,
}
