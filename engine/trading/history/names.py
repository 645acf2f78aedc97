"""Names in history: the currencies, instruments and accounts that a batch defined or changed.

They change seldom, so their rows are made one by one, from the state after the batch.
"""

from typing import Any

import numpy as np

from engine.contract.projection import RowLayout, Rows, packed_values, rows_of
from engine.trading.history.schema import MERGE_ACCOUNTS, MERGE_CURRENCIES, MERGE_INSTRUMENTS
from engine.trading.kernels.state import UNLIMITED
from engine.trading.records import EventKind, Op, words_text

CURRENCY = {"currency": "int4", "code": "text", "decimals": "int4"}
ACCOUNT = RowLayout(account="int8", is_enabled="bool", is_unlimited="bool")
INSTRUMENT = {
    **{"instrument": "int4", "symbol": "text", "base": "int4", "quote": "int4"},
    **{"tick_mantissa": "int8", "tick_decimals": "int4", "lot_mantissa": "int8", "lot_decimals": "int4"},
    **dict.fromkeys(("scale", "max_px", "max_qty", "max_notional", "band_low", "band_high"), "int8"),
    **dict.fromkeys(("collar_bps", "maker_fee_ppm", "taker_fee_ppm"), "int8"),
    "phase": "int4",
}
OF_A_LISTING = ("base", "tick_mantissa", "tick_decimals", "lot_mantissa", "lot_decimals")
OF_A_BOOK = (
    *("quote", "scale", "max_px", "max_qty", "max_notional", "band_low", "band_high", "collar_bps"),
    "phase",
)
CHANGES_INSTRUMENT = (Op.INSTRUMENT, Op.LIMITS, Op.PHASE)


def name_rows(entries: Any, events: Any, state: Any) -> tuple[list[Rows], list[str]]:
    """Return the staged rows of names, and the merges they need."""
    if not (events["op"] >= Op.CURRENCY).any():
        return [], []
    s = state[0]
    happened = events[events["kind"] != EventKind.REJECTED]
    op = happened["op"]
    found = [_currencies(s)] if (op == Op.CURRENCY).any() else []
    merges = [MERGE_CURRENCIES] if found else []
    books = np.unique(happened["instrument"][np.isin(op, CHANGES_INSTRUMENT)])
    books = books[books >= 0]
    if len(books):
        found.append(_instruments(s, books.tolist()))
        merges.append(MERGE_INSTRUMENTS)
    opened = happened["seq"][op == Op.ACCOUNT] - int(entries["seq"][0])
    if len(opened):
        found.append(_accounts(s, entries["command"]["account"][opened]))
        merges.append(MERGE_ACCOUNTS)
    return found, merges


def _text(words: Any) -> bytes:
    """Return a name that PostgreSQL takes, whatever bytes it was given."""
    return words_text(words).decode(errors="replace").replace("\0", "?").encode()


def _rows(table: str, kinds: dict[str, str], rows: list[list[Any]]) -> Rows:
    parts = (packed_values(row, tuple(kinds.values())) for row in rows)
    return rows_of(table, tuple(kinds), len(rows), parts)


def _currencies(s: Any) -> Rows:
    used = s["currencies"][: s["currencies_used"]]
    rows = [[idx, _text(each["code"]), int(each["decimals"])] for idx, each in enumerate(used)]
    return _rows("changed_currencies", CURRENCY, rows)


def _instruments(s: Any, places: list[int]) -> Rows:
    rows = []
    for idx in places:
        book, listing = s["books"][idx], s["listings"][idx]
        values: dict[str, Any] = {name: int(listing[name]) for name in OF_A_LISTING}
        values |= {name: int(book[name]) for name in OF_A_BOOK}
        values |= {"instrument": idx, "symbol": _text(listing["symbol"])}
        values |= {"maker_fee_ppm": int(book["maker_ppm"]), "taker_fee_ppm": int(book["taker_ppm"])}
        rows.append([values[name] for name in INSTRUMENT])
    return _rows("changed_instruments", INSTRUMENT, rows)


def _accounts(s: Any, account_ids: Any) -> Rows:
    used = s["accounts"][: s["accounts_used"]]
    chosen = used[np.isin(used["account"], account_ids)]
    values = {"account": chosen["account"], "is_enabled": chosen["enabled"] != 0}
    values["is_unlimited"] = (chosen["unlimited"] & UNLIMITED) != 0
    return rows_of("changed_accounts", ACCOUNT.columns, len(chosen), [ACCOUNT.pack(len(chosen), values)])
