"""Orders in history: what every order touched by a batch has become by its end.

A live order is read from the state, which knows it exactly. One that ended is as its last
report says, with the price of its last report that tells one: a TRADE tells the maker's price
alone, but its taker was accepted or replaced by the same command.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.projection import RowLayout, Rows, rows_of
from engine.trading.client_text import UUID_MARK, UUID_TEXT_BYTES
from engine.trading.history.kernels import LIVE_COLUMNS, read_live
from engine.trading.history.schema import MERGE_ORDERS
from engine.trading.records import TEXT_BYTES, CommandFlag, EventKind, Side, Status

Ints = npt.NDArray[np.int64]

OWN_KINDS = (
    *(EventKind.ACCEPTED, EventKind.TRADE, EventKind.CANCELLED, EventKind.REPLACED),
    *(EventKind.TRIGGERED, EventKind.PREVENTED),
)
"""Kinds that report about their order_id. (A REJECTED may name an order, but leaves it alone.)"""
TWO_SIDED = (EventKind.TRADE, EventKind.PREVENTED)
PRICED = (EventKind.ACCEPTED, EventKind.CANCELLED, EventKind.REPLACED)

CHANGING = {
    **dict.fromkeys(("px", "qty", "cum_qty", "leaves_qty", "notional", "updated_at", "updated_seq"), "int8"),
    "rev": "int4",
    "status": "int2",
    "reason": "int2",
}
ENTERED = {
    **dict.fromkeys(("order_id", "account", "client_order_id", "entered_at"), "int8"),
    **dict.fromkeys(("instrument", "session"), "int4"),
    **dict.fromkeys(("ring", "order_type", "time_in_force", "stp_mode"), "int2"),
    **dict.fromkeys(("is_sell", "is_post_only", "is_reduce_only"), "bool"),
}
OF_THE_COMMAND = ("order_type", "time_in_force", "stp_mode")
CHANGED = RowLayout(order_id="int8", **CHANGING)
PLAIN_ORDER = RowLayout(**ENTERED, **CHANGING, client_text="null")
TEXT_ORDERS = tuple(
    RowLayout(**ENTERED, **CHANGING, client_text=f"bytes:{length}") for length in range(1, TEXT_BYTES + 1)
)


def order_rows(entries: Any, events: Any, s: Any) -> tuple[list[Rows], list[str]]:
    """Return the rows of new orders, the staged changes of older ones, and the merges they need."""
    order_ids, changes = _changes(events, s)
    is_new = order_ids >= int(entries["seq"][0])
    fresh = {name: column[is_new] for name, column in changes.items()}
    older = {name: column[~is_new] for name, column in changes.items()}
    older["order_id"] = order_ids[~is_new]
    count = len(older["order_id"])
    rows = [
        _entered(entries, order_ids[is_new], fresh),
        rows_of("changed_orders", CHANGED.columns, count, [CHANGED.pack(count, older)]),
    ]
    return rows, [MERGE_ORDERS] if count else []


def _changes(events: Any, s: Any) -> tuple[Ints, dict[str, Any]]:
    """Return the orders that the events touch, each once, and what has become of them."""
    kind = events["kind"]
    own = np.flatnonzero(np.isin(kind, OWN_KINDS))
    two_sided = np.flatnonzero(np.isin(kind, TWO_SIDED))
    ids = np.concatenate((events["order_id"][own], events["maker_order_id"][two_sided]))
    # Reports in order of time, the taker's side of an event before the maker's.
    moments = np.concatenate((2 * own, 2 * two_sided + 1))
    by_order = np.lexsort((moments, ids))
    ids, moments = ids[by_order], moments[by_order]
    is_last = np.append(ids[1:] != ids[:-1], True) if len(ids) else np.zeros(0, bool)
    order_ids, last = ids[is_last], moments[is_last]
    place, is_maker = last >> 1, last & 1 == 1

    live = np.empty((len(order_ids), LIVE_COLUMNS), np.int64)
    read_live(s, order_ids, live)
    is_live = live[:, 3] > 0
    cum_qty = np.where(is_maker, events["maker_cum_qty"][place], events["cum_qty"][place])
    is_cancelled = kind[place] == EventKind.CANCELLED
    taken_off = np.where(is_cancelled, events["leaves_qty"][place], 0)
    ended_status = np.where(is_cancelled, Status.CANCELLED, Status.FILLED)
    notional = np.where(is_maker, events["maker_notional"][place], events["notional"][place])
    return order_ids, {
        "px": np.where(is_live, live[:, 0], _last_px(events, ids, moments, is_last)),
        "qty": np.where(is_live, live[:, 1], cum_qty + taken_off),
        "cum_qty": np.where(is_live, live[:, 2], cum_qty),
        "leaves_qty": np.where(is_live, live[:, 3], 0),
        "notional": np.where(is_live, live[:, 4], notional),
        "rev": np.where(is_live, live[:, 5], _last_rev(events, ids, moments, is_last)),
        "status": np.where(is_live, Status.OPEN, ended_status),
        "reason": np.where(is_cancelled, events["reason"][place], 0),
        "updated_at": events["eng_ts"][place],
        "updated_seq": events["seq"][place],
    }


def _last_px(events: Any, ids: Ints, moments: Ints, is_last: Any) -> Ints:
    """Return the price of every order's last report that tells it."""
    is_maker = moments & 1 == 1
    tells = is_maker | np.isin(events["kind"][moments >> 1], PRICED)
    place = np.maximum.accumulate(np.where(tells, np.arange(len(ids)), -1))[is_last]
    assert (ids[place] == ids[is_last]).all(), "every order touched has a report with its price"
    return np.asarray(events["px"][moments[place] >> 1], np.int64)


def _last_rev(events: Any, ids: Ints, moments: Ints, is_last: Any) -> Ints:
    """Return the highest revision that reports tell; the merge keeps a higher one it has."""
    rev = np.where(moments & 1 == 1, 0, events["rev"][moments >> 1]).astype(np.int64)
    starts = np.flatnonzero(np.append(True, is_last[:-1])) if len(ids) else np.zeros(0, np.int64)
    return np.maximum.reduceat(rev, starts) if len(ids) else rev


def _entered(entries: Any, order_ids: Ints, changes: dict[str, Any]) -> Rows:
    """Return whole rows of orders accepted in the batch: what the command said, what became of it."""
    command = entries["command"]
    # Neighbours in the index, and on the page of whoever asks by account.
    order = np.argsort(command["account"][order_ids - int(entries["seq"][0])], kind="stable")
    order_ids, changes = order_ids[order], {name: column[order] for name, column in changes.items()}
    place = order_ids - int(entries["seq"][0])
    values: dict[str, Any] = changes | {
        name: command[name][place]
        for name in ("account", "client_order_id", "instrument", "session", *OF_THE_COMMAND)
    }
    values |= {"order_id": order_ids, "entered_at": entries["eng_ts"][place], "ring": entries["ring"][place]}
    values["is_sell"] = command["side"][place] == Side.SELL
    values["is_post_only"] = command["flags"][place] & CommandFlag.POST_ONLY != 0
    values["is_reduce_only"] = command["flags"][place] & CommandFlag.REDUCE_ONLY != 0
    words = command["text"][place]
    texts = words.view(f"S{TEXT_BYTES}").reshape(-1)
    lengths = np.char.str_len(texts) if words.any() else np.zeros(len(texts), np.int64)
    # numpy takes zeros at the end for padding: those of a UUID are its own.
    is_uuid = words.view(np.uint8).reshape(-1, TEXT_BYTES)[:, 0] == UUID_MARK
    lengths = np.where(is_uuid, np.maximum(lengths, UUID_TEXT_BYTES), lengths)
    parts = []
    for length in np.unique(lengths).tolist():
        chosen = np.flatnonzero(lengths == length)
        layout = TEXT_ORDERS[length - 1] if length else PLAIN_ORDER
        rows = {name: column[chosen] for name, column in values.items()} | {"client_text": texts[chosen]}
        parts.append(layout.pack(len(chosen), rows))
    return rows_of("orders", PLAIN_ORDER.columns, len(order_ids), parts)
