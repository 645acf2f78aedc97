"""A digest without layout: the same for two engines that decided the same (exchange rule S27).

It covers every event by field name, and books, accounts, positions and open orders as the
read-only views give them. Offline, and for any build of the engine whose views have these names.

Each table is hashed column by column, so neither the order nor the width of fields counts:

    number   8 bytes, two's complement, little-endian; a truth value is 0 or 1
    text     its bytes without trailing zeros; a column of texts is hashed as the
             lengths of all of them (numbers), then as their bytes one behind the other
    column   BLAKE2b, 16 bytes, over the values in the order of the rows
    table    its name, the number of rows, then name and digest of each column by name

Rows stand in the order in which things happened (events), were defined (books, currencies),
best level first, or by number (accounts, orders). What follows from other columns (equity,
exposure) and the seq under which a view was taken are left out. Named fields alone count: one
that a later layout adds does not change the digest until it is entered here.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.trading.records import Side
from engine.trading.view.live_view import DEPTH_MAX, LiveView
from engine.trading.view.records import AccountView, BookView, OrderView

DIGEST_BYTES = 16

EVENT_NUMBERS = (
    *("event_idx", "seq", "eng_ts", "kind", "flags", "op", "status", "reason", "ring", "maker_ring"),
    *("instrument", "session", "req_seq", "account", "order_id", "client_order_id", "px", "qty"),
    *("cum_qty", "leaves_qty", "notional", "fee", "prev_px", "prev_qty", "maker_account"),
    *("maker_order_id", "maker_client_order_id", "maker_cum_qty", "maker_leaves_qty"),
    *("maker_notional", "maker_fee", "maker_session", "rev", "md_seq"),
)
EVENT_TEXTS = ("text", "maker_text")
LEVEL_COLUMNS = ("instrument", "side", "px", "qty", "order_count")
BOOK_NUMBERS = ("phase", "last_px", "mark_px", "md_seq", "order_count", "trade_count", "volume")
INSTRUMENT_NUMBERS = ("tick_mantissa", "tick_decimals", "lot_mantissa", "lot_decimals")
ACCOUNT_NUMBERS = ("account", "is_enabled", "is_unlimited", "open_order_count")
BALANCE_NUMBERS = ("total", "reserved", "selling")
POSITION_NUMBERS = ("qty", "cost", "realised", "open_buy_qty", "open_sell_qty")
ORDER_NUMBERS = (
    *("order_id", "account", "side", "px", "qty", "leaves_qty", "cum_qty", "notional"),
    *("client_order_id", "time_in_force", "stp_mode", "is_post_only", "rev", "entry_ts"),
)


class _Numbers:
    """A column of numbers that grows."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=DIGEST_BYTES)

    def add(self, values: Iterable[int] | npt.NDArray[Any]) -> None:
        given = values if isinstance(values, np.ndarray) else list(values)
        self._hash.update(np.ascontiguousarray(given, "<i8").data)

    def digest(self) -> bytes:
        return self._hash.digest()


class _Texts:
    """A column of texts that grows."""

    def __init__(self) -> None:
        self._lengths = _Numbers()
        self._contents = hashlib.blake2b(digest_size=DIGEST_BYTES)

    def add(self, texts: Iterable[bytes]) -> None:
        given = [text.rstrip(b"\0") for text in texts]
        self._lengths.add(map(len, given))
        self._contents.update(b"".join(given))

    def digest(self) -> bytes:
        both = self._lengths.digest() + self._contents.digest()
        return hashlib.blake2b(both, digest_size=DIGEST_BYTES).digest()


class _Table:
    """Columns by name, added to row by row or many rows at a time."""

    def __init__(self, name: str, numbers: tuple[str, ...], texts: tuple[str, ...] = ()) -> None:
        self._name = name
        self._row_count = 0
        self._columns: dict[str, _Numbers | _Texts] = {
            **{each: _Numbers() for each in numbers},
            **{each: _Texts() for each in texts},
        }

    def add(self, row_count: int, columns: Mapping[str, Any]) -> None:
        assert columns.keys() == self._columns.keys()
        self._row_count += row_count
        for name, column in self._columns.items():
            column.add(columns[name])

    def content(self) -> bytes:
        """Return what the whole digest takes of this table."""
        parts = [self._name.encode(), self._row_count.to_bytes(8, "little")]
        for name in sorted(self._columns):
            parts += [name.encode(), self._columns[name].digest()]
        return b"\0".join(parts)


class NeutralDigest:
    """Takes the events of a run as they come, and its state at the end."""

    def __init__(self) -> None:
        self._events = _Table("events", EVENT_NUMBERS, EVENT_TEXTS)

    def add(self, events: npt.NDArray[Any]) -> None:
        """Take EVENT[n], the next ones; how they are cut into pieces does not matter."""
        columns: dict[str, Any] = {name: events[name] for name in EVENT_NUMBERS}
        for name in EVENT_TEXTS:
            words = np.ascontiguousarray(events[name])
            columns[name] = words.view(f"S{words.itemsize * words.shape[1]}").ravel().tolist()
        self._events.add(len(events), columns)

    def digest(self, state: Any) -> str:
        """Return the digest of the events so far and of `state` (an array of one STATE record)."""
        total = hashlib.blake2b(digest_size=DIGEST_BYTES)
        total.update(self._events.content())
        for table in _state_tables(state):
            total.update(table.content())
        return total.hexdigest()


def neutral_digest(events: npt.NDArray[Any], state: Any) -> str:
    """Return the digest without layout of a run: its events, EVENT[n], and its state at the end."""
    whole = NeutralDigest()
    whole.add(events)
    return whole.digest(state)


def _state_tables(state: Any) -> list[_Table]:
    view = LiveView(state)
    s = state[0]
    ids = s["accounts"]["account"][: s["accounts_used"]]
    accounts = sorted(ids[ids > 0].tolist())
    with_orders = sorted(view.accounts_with_orders())
    views = [account for each in accounts if (account := view.account(each)) is not None]
    lists = [owned.orders for each in with_orders if (owned := view.orders(each)) is not None]
    orders = sorted((order for each in lists for order in each), key=lambda order: order.order_id)
    books = [view.book_at(each.instrument_idx, DEPTH_MAX) for each in view.catalogue.instruments]
    return [*_of_books(books), *_of_accounts(views), _of_orders(orders)]


def _of_books(books: list[BookView]) -> tuple[_Table, _Table]:
    heads = _Table("books", (*BOOK_NUMBERS, *INSTRUMENT_NUMBERS), ("symbol", "base", "quote"))
    kinds = [book.instrument for book in books]
    heads.add(
        len(books),
        {
            **_columns(books, BOOK_NUMBERS),
            **_columns(kinds, INSTRUMENT_NUMBERS),
            "symbol": [kind.symbol.encode() for kind in kinds],
            "base": [kind.base.code.encode() for kind in kinds],
            "quote": [kind.quote.code.encode() for kind in kinds],
        },
    )
    levels = _Table("levels", LEVEL_COLUMNS)
    for book in books:
        for side, rows in ((Side.BUY, book.bids), (Side.SELL, book.asks)):
            of_all = np.full(len(rows), book.instrument.instrument_idx), np.full(len(rows), int(side))
            levels.add(len(rows), dict(zip(LEVEL_COLUMNS, (*of_all, *rows.T), strict=True)))
    return heads, levels


def _of_accounts(accounts: list[AccountView]) -> tuple[_Table, _Table, _Table]:
    heads = _Table("accounts", ACCOUNT_NUMBERS)
    heads.add(len(accounts), _columns(accounts, ACCOUNT_NUMBERS))
    balances = _Table("balances", ("account", *BALANCE_NUMBERS), ("currency",))
    positions = _Table("positions", ("account", *POSITION_NUMBERS), ("symbol",))
    for each in accounts:
        held = sorted(each.positions, key=lambda position: position.instrument.instrument_idx)
        balances.add(
            len(each.balances),
            {
                **_columns(each.balances, BALANCE_NUMBERS),
                "account": [each.account] * len(each.balances),
                "currency": [balance.currency.code.encode() for balance in each.balances],
            },
        )
        positions.add(
            len(held),
            {
                **_columns(held, POSITION_NUMBERS),
                "account": [each.account] * len(held),
                "symbol": [position.instrument.symbol.encode() for position in held],
            },
        )
    return heads, balances, positions


def _of_orders(orders: list[OrderView]) -> _Table:
    table = _Table("orders", ORDER_NUMBERS, ("symbol", "text"))
    names = {
        "symbol": [order.instrument.symbol.encode() for order in orders],
        "text": [order.text for order in orders],
    }
    columns = _columns(orders, ORDER_NUMBERS)
    # Two flags in one number: that of orders without the second is what it was before there was one.
    flags = (order.is_post_only | order.is_reduce_only << 1 for order in orders)
    table.add(len(orders), {**columns, "is_post_only": list(flags), **names})
    return table


def _columns(rows: Iterable[Any], names: tuple[str, ...]) -> dict[str, list[int]]:
    """Return the named attributes of all rows, by name."""
    return {name: [int(getattr(row, name)) for row in rows] for name in names}
