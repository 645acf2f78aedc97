"""Rows of history as callers read them: the same field names as live answers and streams."""

from typing import Any

from api.documents import FEES_NAME, average_price, side_name
from api.process.documents import Document
from engine.trading.client_text import text_of
from engine.trading.fields import POSITION_LIMIT_DECIMALS
from engine.trading.instruments import Catalogue, scaled_text
from engine.trading.records import (
    FEES,
    LatchLevel,
    Op,
    OrderType,
    Reason,
    SelfTradePrevention,
    Status,
    TimeInForce,
)

WITHOUT_CURRENCY = (Reason.BLOCKED, Reason.MAX_FILL_RATE, Reason.ORDER_TRADE_RATIO)
LIMIT_NAMES = {Reason.BLOCKED: "kill", Reason.ORDER_TRADE_RATIO: "max_order_trade_ratio"}
"""Where a limit is not called as its reason."""


def _client_id(row: Any) -> int | str | None:
    if row["client_text"] is not None:
        return text_of(row["client_text"])
    return row["client_order_id"] or None


def past_order(catalogue: Catalogue, row: Any) -> Document:
    """Return an order, live or ended, as history has it."""
    instrument = catalogue.instruments[row["instrument"]]
    has_price = row["order_type"] != OrderType.MARKET  # what protects a market order is no price of it
    return {
        "order_id": row["order_id"],
        "client_order_id": _client_id(row),
        "account": row["account"],
        "symbol": instrument.symbol,
        "side": side_name(row["is_sell"]),
        "type": OrderType(row["order_type"]).name.lower(),
        "time_in_force": TimeInForce(row["time_in_force"]).name.lower(),
        "post_only": row["is_post_only"],
        "reduce_only": row["is_reduce_only"],
        "self_trade_prevention": SelfTradePrevention(row["stp_mode"]).name.lower(),
        "status": Status(row["status"]).name.lower(),
        "reason": Reason(row["reason"]).name.lower() if row["reason"] else None,
        "price": instrument.price_text(row["px"]) if has_price else None,
        "quantity": instrument.quantity_text(row["qty"]),
        "cum_quantity": instrument.quantity_text(row["cum_qty"]),
        "leaves_quantity": instrument.quantity_text(row["leaves_qty"]),
        "average_price": average_price(instrument, row["notional"], row["cum_qty"]),
        "rev": row["rev"],
        "entered_at": row["entered_at"],
        "updated_at": row["updated_at"],
        "updated_seq": row["updated_seq"],
    }


def past_fill(catalogue: Catalogue, row: Any) -> Document:
    """Return one side of a trade."""
    instrument = catalogue.instruments[row["instrument"]]
    return {
        "event_idx": row["fill_id"] >> 1,
        "seq": row["seq"],
        "event": "trade",
        "eng_ts": row["eng_ts"],
        "md_seq": row["md_seq"],
        "symbol": instrument.symbol,
        "account": row["account"],
        "order_id": row["order_id"],
        "client_order_id": _client_id(row),
        "side": side_name(row["is_sell"]),
        "liquidity": "maker" if row["fill_id"] & 1 else "taker",
        "price": instrument.price_text(row["px"]),
        "quantity": instrument.quantity_text(row["qty"]),
        "cum_quantity": instrument.quantity_text(row["cum_qty"]),
        "leaves_quantity": instrument.quantity_text(row["leaves_qty"]),
        "status": "filled" if row["leaves_qty"] == 0 else "open",
        "fee": instrument.fee_text(row["fee"]),
        "fee_currency": instrument.quote.code,
        "average_price": average_price(instrument, row["notional"], row["cum_qty"]),
    }


def past_movement(catalogue: Catalogue, row: Any) -> Document:
    """Return what one movement of money did to one account; `account` lines have no id."""
    currency = catalogue.currencies[row["currency"]]
    counter, given = row["counter_account"], row["movement_id"]
    return {
        "event_idx": row["event_idx"],
        "seq": row["seq"],
        "eng_ts": row["eng_ts"],
        "op": Op(row["op"]).name.lower(),
        "counter_account": FEES_NAME if counter == FEES else counter,
        "currency": currency.code,
        "amount": currency.text(row["amount"]),
        "balance": currency.text(row["balance"]),
        "id": None if given is None else text_of(given),
    }


def past_trade(catalogue: Catalogue, row: Any) -> Document:
    """Return a trade as market data: nobody is named."""
    instrument = catalogue.instruments[row["instrument"]]
    return {
        "id": row["event_idx"],
        "seq": row["seq"],
        "eng_ts": row["eng_ts"],
        "md_seq": row["md_seq"],
        "symbol": instrument.symbol,
        "price": instrument.price_text(row["px"]),
        "quantity": instrument.quantity_text(row["qty"]),
        "aggressor_side": side_name(row["is_sell"]),
    }


def past_equity(catalogue: Catalogue, row: Any) -> Document:
    """Return a sample of an account's equity; null what is not measured, or beyond 2**62."""
    currency = catalogue.currencies[row["currency"]]
    peak, equity = row["peak"], row["equity"]
    has_drawdown = peak is not None and equity is not None

    def text(amount: int | None) -> str | None:
        return None if amount is None else currency.text(amount)

    return {
        "seq": row["seq"],
        "eng_ts": row["eng_ts"],
        "currency": currency.code,
        "equity": text(equity),
        "peak": text(peak),
        "drawdown": currency.text(max(peak - equity, 0)) if has_drawdown else None,
        "day_start": text(row["day_start"]),
        "session_start": row["is_session_start"],
    }


def past_latch(catalogue: Catalogue, row: Any) -> Document:
    """Return what was latched, warned of or lifted, as the event tells it."""
    reason, instrument = Reason(row["reason"]), row["instrument"]
    currency = None if reason in WITHOUT_CURRENCY else catalogue.currencies[row["currency"]]

    def text(amount: int) -> str | None:
        if reason == Reason.MAX_FILL_RATE:
            return scaled_text(amount, 1, POSITION_LIMIT_DECIMALS)
        if reason == Reason.ORDER_TRADE_RATIO:
            return str(amount)
        return None if currency is None else currency.text(amount)

    return {
        "event_idx": row["event_idx"],
        "seq": row["seq"],
        "eng_ts": row["eng_ts"],
        "account": row["account"] if row["account"] > 0 else None,
        **({"group": -row["account"]} if row["account"] < 0 else {}),
        "symbol": None if instrument < 0 else catalogue.instruments[instrument].symbol,
        "limit": LIMIT_NAMES.get(reason, reason.name.lower()),
        "level": LatchLevel(row["level"]).name.lower() if row["level"] else None,
        "measured": text(row["measured"]),
        "allowed": text(row["allowed"]),
        "currency": None if currency is None else currency.code,
        "cancelled_count": row["cancelled_count"],
    }
