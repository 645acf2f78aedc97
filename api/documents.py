"""What callers read: books, orders, accounts, trades and reports, named as in interface R3.

Engine units end here: prices, quantities and money become decimal strings without
trailing zeros, ids stay as given, null for none. Public market data names no account,
order or fee; private reports show their own side of a trade only.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from api.limits import KILLED, latches_document, limits_document, losses_document, margin_document
from api.process.documents import Document
from engine.trading.client_text import given_id, given_text
from engine.trading.instruments import Catalogue, Currency, Instrument, plain
from engine.trading.records import (
    EVENT,
    OP_NAMES,
    EventFlag,
    EventKind,
    Op,
    Phase,
    Reason,
    SelfTradePrevention,
    Side,
    Status,
    TimeInForce,
)
from engine.trading.view.book_kernels import Ints
from engine.trading.view.records import (
    AccountView,
    BookView,
    EndedOrder,
    OrderView,
    PositionView,
)

FEES_NAME = "fees"
"""The fee account, where accounts have a number."""
AVERAGE_EXTRA_DECIMALS = 6
"""An average price is rounded, half to even, this far below the tick."""


_PUBLIC_TRADE_FIELDS = ["event_idx", "seq", "eng_ts", "md_seq", "flags", "px", "qty"]
_FIELD = {name: place for place, name in enumerate(EVENT.names or ())}
_STATUS_NAME = {int(status): status.name.lower() for status in Status}
_REASON_NAME = {int(reason): reason.name.lower() for reason in Reason}
_KIND_NAME = {int(kind): kind.name.lower() for kind in EventKind}
_MOVEMENTS = (Op.DEPOSIT, Op.WITHDRAW, Op.TRANSFER)
_SIDE_NAME = {Side.BUY: "buy", Side.SELL: "sell"}


def side_name(is_sell: bool) -> str:
    """Return a side as callers write it."""
    return "sell" if is_sell else "buy"


def levels(instrument: Instrument, rows: Ints) -> list[list[object]]:
    """Return int64[n, 3] rows as [price, quantity, orders]."""
    return [
        [instrument.price_text(px), instrument.quantity_text(qty), orders]
        for px, qty, orders in rows.tolist()
    ]


def price_or_null(instrument: Instrument, px: int) -> str | None:
    """Return a price, or None for the 0 that stands for none."""
    return instrument.price_text(px) if px else None


def average_price(instrument: Instrument, notional: int, qty: int) -> str | None:
    """Return sum(px * qty) / qty as a rounded price, None when there is no quantity."""
    if qty == 0:
        return None
    step = Decimal(1).scaleb(-(instrument.tick_decimals + AVERAGE_EXTRA_DECIMALS))
    return plain((Decimal(notional) / qty * instrument.tick_size).quantize(step, ROUND_HALF_EVEN))


def instrument_document(instrument: Instrument, book: Any, is_venue_killed: bool) -> Document:
    """Return an instrument with its rules; `book` is its BOOK record."""
    killed = {"instrument": bool(book["is_killed"]), "venue": is_venue_killed}
    return {
        "symbol": instrument.symbol,
        "base": instrument.base.code,
        "quote": instrument.quote.code,
        "tick_size": plain(instrument.tick_size),
        "lot_size": plain(instrument.lot_size),
        "max_price": instrument.price_text(int(book["max_px"])),
        "max_quantity": instrument.quantity_text(int(book["max_qty"])),
        "maker_fee_ppm": int(book["maker_ppm"]),
        "taker_fee_ppm": int(book["taker_ppm"]),
        "initial_margin_ppm": int(book["initial_ppm"]),
        "maintenance_margin_ppm": int(book["maintenance_ppm"]),
        "collar_bps": int(book["collar_bps"]) or None,
        "phase": Phase(int(book["phase"])).name.lower(),
        "latches": [{"scope": scope, **KILLED} for scope, is_killed in killed.items() if is_killed],
    }


def book_document(book: BookView, epoch: int) -> Document:
    """Return a snapshot of one book."""
    instrument = book.instrument
    return {
        "symbol": instrument.symbol,
        "epoch": epoch,
        "seq": book.seq,
        "md_seq": book.md_seq,
        "phase": book.phase.name.lower(),
        "last": price_or_null(instrument, book.last_px),
        "bids": levels(instrument, book.bids),
        "asks": levels(instrument, book.asks),
    }


def ticker_document(book: BookView) -> Document:
    """Return best prices, last price and totals of one book (depth 1 suffices)."""
    instrument = book.instrument
    document: Document = {
        "symbol": instrument.symbol,
        "seq": book.seq,
        "md_seq": book.md_seq,
        "phase": book.phase.name.lower(),
        "last": price_or_null(instrument, book.last_px),
        "volume": instrument.quantity_text(book.volume),
        "trade_count": book.trade_count,
        "order_count": book.order_count,
    }
    for name, rows in (("bid", book.bids), ("ask", book.asks)):
        best = levels(instrument, rows[:1])
        document[f"best_{name}"] = best[0][0] if best else None
        document[f"best_{name}_quantity"] = best[0][1] if best else None
    return document


def public_trades(instrument: Instrument, trades: Any) -> list[Document]:
    """Return TRADE events of one instrument as market data."""
    return [
        {
            "id": event_idx,
            "seq": seq,
            "eng_ts": eng_ts,
            "md_seq": md_seq,
            "price": instrument.price_text(px),
            "quantity": instrument.quantity_text(qty),
            "aggressor_side": side_name(bool(flags & EventFlag.SELL)),
        }
        for event_idx, seq, eng_ts, md_seq, flags, px, qty in trades[_PUBLIC_TRADE_FIELDS].tolist()
    ]


def order_document(order: OrderView) -> Document:
    """Return a live order."""
    instrument = order.instrument
    return {
        "order_id": order.order_id,
        "client_order_id": order.text.decode() or order.client_order_id or None,
        "account": order.account,
        "symbol": instrument.symbol,
        "side": _SIDE_NAME[order.side],
        "type": "limit",  # whatever it was at entry, what rests is a limit order
        "time_in_force": TimeInForce(order.time_in_force).name.lower(),
        "post_only": order.is_post_only,
        "reduce_only": order.is_reduce_only,
        "self_trade_prevention": SelfTradePrevention(order.stp_mode).name.lower(),
        "status": "open",
        "price": instrument.price_text(order.px),
        "quantity": instrument.quantity_text(order.qty),
        "cum_quantity": instrument.quantity_text(order.cum_qty),
        "leaves_quantity": instrument.quantity_text(order.leaves_qty),
        "average_price": average_price(instrument, order.notional, order.cum_qty),
        "rev": order.rev,
        "entered_at": order.entry_ts,
    }


def ended_order_document(
    order: EndedOrder, given: int | str, symbol: str | None, instrument: Instrument | None
) -> Document:
    """Return what the window of client ids still knows of an order that ended.

    given : its client id as asked for; the window keeps numbers only
    instrument : one whose lots it was counted in, None where that is not known
    """
    filled = instrument.quantity_text(order.cum_qty) if instrument else None
    return {
        "order_id": order.order_id,
        "client_order_id": given,
        "account": order.account,
        "symbol": symbol,
        "status": _STATUS_NAME[order.status],
        "cum_quantity": filled if order.cum_qty else "0",
        "leaves_quantity": "0",
    }


def account_document(account: AccountView) -> Document:
    """Return balances by currency and positions by symbol."""
    return {
        "account": account.account,
        "seq": account.seq,
        "enabled": account.is_enabled,
        "unlimited": account.is_unlimited,
        "group": account.group,
        "funding": "margin" if account.margin else "cash",
        "latches": latches_document(account),
        "losses": losses_document(account),
        "margin": margin_document(account),
        "limits": limits_document(account),
        "open_orders": account.open_order_count,
        "balances": {
            each.currency.code: {
                "total": each.currency.text(each.total),
                "reserved": each.currency.text(each.reserved),
                "available": each.currency.text(each.available),
                "equity": each.currency.text(each.equity),
                "exposure": each.currency.text(each.exposure),
            }
            for each in account.balances
        },
        "positions": [_position_document(each) for each in account.positions],
    }


def fee_account_document(fees: Iterable[tuple[Currency, int]], seq: int) -> Document:
    """Return what the fee account has, by currency."""
    balances = {currency.code: {"total": currency.text(amount)} for currency, amount in fees}
    return {"account": FEES_NAME, "seq": seq, "balances": balances}


def _position_document(position: PositionView) -> Document:
    instrument = position.instrument
    # cost is px * qty * scale, so cost / scale is the numerator of the average price.
    average = average_price(instrument, position.cost, abs(position.qty) * instrument.scale)
    return {
        "symbol": instrument.symbol,
        "quantity": instrument.quantity_text(position.qty),
        "average_price": average,
        "cost": instrument.fee_text(position.cost),
        "realised_profit": instrument.fee_text(position.realised),
        "unrealised_profit": instrument.fee_text(position.unrealised),
        "mark": price_or_null(instrument, position.mark_px),
        "open_buy_quantity": instrument.quantity_text(position.open_buy_qty),
        "open_sell_quantity": instrument.quantity_text(position.open_sell_qty),
        "currency": instrument.quote.code,
    }


def _header(event: tuple[Any, ...], instrument: Instrument | None) -> Document:
    return {
        "event_idx": event[_FIELD["event_idx"]],
        "seq": event[_FIELD["seq"]],
        "event": _KIND_NAME[event[_FIELD["kind"]]],
        "eng_ts": event[_FIELD["eng_ts"]],
        "md_seq": event[_FIELD["md_seq"]] or None,
        "symbol": instrument.symbol if instrument else None,
    }


def report(catalogue: Catalogue, event: tuple[Any, ...], *, is_maker: bool = False) -> Document:
    """Return one side's report of an event: `event` is EVENT's `tolist()` of one record.

    is_maker tells which side of a TRADE or PREVENTED hears of it.
    """
    known = catalogue.instruments
    instrument_idx = event[_FIELD["instrument"]]
    instrument = known[instrument_idx] if 0 <= instrument_idx < len(known) else None
    document = _header(event, instrument)
    if instrument is not None and event[_FIELD["kind"]] in (EventKind.TRADE, EventKind.PREVENTED):
        return _two_sided(document, instrument, event, is_maker)
    number, words = event[_FIELD["client_order_id"]], event[_FIELD["text"]]
    document["account"] = event[_FIELD["account"]]
    document["order_id"] = event[_FIELD["order_id"]] or None
    document["client_order_id"] = given_id(number, *words)
    if event[_FIELD["reason"]]:
        document["reason"] = _REASON_NAME[event[_FIELD["reason"]]]
    if event[_FIELD["kind"]] == EventKind.REJECTED:
        document["op"] = OP_NAMES.get(event[_FIELD["op"]], "unknown")
        if event[_FIELD["px"]]:
            document["group"] = event[_FIELD["px"]]
        if event[_FIELD["op"]] in _MOVEMENTS:  # its text is an id of its own, and names no order
            document |= {"order_id": None, "client_order_id": None, "id": given_text(*words) or None}
    if instrument is None or not event[_FIELD["status"]]:
        return document
    document["side"] = side_name(bool(event[_FIELD["flags"]] & EventFlag.SELL))
    document["status"] = _STATUS_NAME[event[_FIELD["status"]]]
    document["price"] = price_or_null(instrument, event[_FIELD["px"]])
    if event[_FIELD["qty"]]:
        document["quantity"] = instrument.quantity_text(event[_FIELD["qty"]])
    document["cum_quantity"] = instrument.quantity_text(event[_FIELD["cum_qty"]])
    document["leaves_quantity"] = instrument.quantity_text(event[_FIELD["leaves_qty"]])
    document["rev"] = event[_FIELD["rev"]]
    if event[_FIELD["kind"]] == EventKind.REPLACED:
        document["previous_price"] = instrument.price_text(event[_FIELD["prev_px"]])
        document["previous_quantity"] = instrument.quantity_text(event[_FIELD["prev_qty"]])
        document["priority_kept"] = bool(event[_FIELD["flags"]] & EventFlag.PRIORITY_KEPT)
    return document


def _two_sided(
    document: Document, instrument: Instrument, event: tuple[Any, ...], is_maker: bool
) -> Document:
    """Fill in our side of a TRADE or PREVENTED."""
    side = "maker_" if is_maker else ""
    is_sell = bool(event[_FIELD["flags"]] & EventFlag.SELL) != is_maker
    leaves_qty, cum_qty = event[_FIELD[side + "leaves_qty"]], event[_FIELD[side + "cum_qty"]]
    is_trade = event[_FIELD["kind"]] == EventKind.TRADE
    name = "quantity" if is_trade else "prevented_quantity"
    document |= {
        "account": event[_FIELD[side + "account"]],
        "order_id": event[_FIELD[side + "order_id"]],
        "client_order_id": given_id(event[_FIELD[side + "client_order_id"]], *event[_FIELD[side + "text"]]),
        "side": side_name(is_sell),
        "liquidity": "maker" if is_maker else "taker",
        "price": instrument.price_text(event[_FIELD["px"]]),
        name: instrument.quantity_text(event[_FIELD["qty"]]),
        "cum_quantity": instrument.quantity_text(cum_qty),
        "leaves_quantity": instrument.quantity_text(leaves_qty),
    }
    if is_trade:
        notional = event[_FIELD[side + "notional"]]
        document["status"] = "filled" if leaves_qty == 0 else "open"
        document["fee"] = instrument.fee_text(event[_FIELD[side + "fee"]])
        document["fee_currency"] = instrument.quote.code
        document["average_price"] = average_price(instrument, notional, cum_qty)
    return document
