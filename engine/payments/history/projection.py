"""Payments' history: what one batch of commands adds to the tables of schema.py.

    entries, events, state after them --> Projection.batch --> rows by table, a merge

Everything is built a column at a time. A payment decided in the batch is copied as it stands at the end of
it; one that is older is staged and merged, once a batch however often it changed.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.projection import Batch, RowLayout, Rows, WithoutLooks, rows_of
from engine.payments.codes import Code
from engine.payments.command_words import CARD, MERCHANT, MERCHANT_WORDS, REQUEST_ID, REQUEST_ID_WORDS
from engine.payments.history.kernels import STANDING_COLUMNS, first_disagreeing
from engine.payments.history.schema import (
    MERGE_PAYMENTS,
    MERGE_SETTLED,
    MIGRATIONS,
    MOMENT_EVERY,
    SESSION,
)
from engine.payments.records import TEXT_WORD_BYTES, EventKind, Op, State
from ringbuf.kernel import COMPILED

Ints = npt.NDArray[np.int64]
Columns = dict[str, Any]

HASH_WORDS = 2
STANDING = ("approved_amount", "captured", "refunded", "held", "state")
"""What becomes of a payment behind its decision."""
OF_THE_EVENT = (
    *("payment", "ts_ms", "account", "amount", "matched", "ruleset", "currency", "exponent"),
    "user_matched",
)
CODES = ("channel", "code", "rule", "field", "decision", "cohort")
REQUEST_ID_TEXT = f"text:{REQUEST_ID_WORDS * TEXT_WORD_BYTES}"
PAYMENT = RowLayout(
    **dict.fromkeys(("payment", "ts_ms", "account", "amount", "matched"), "int8"),
    **dict.fromkeys(("approved_amount", "captured", "refunded", "held", "updated_seq"), "int8"),
    user_matched="int8",
    ruleset="int4",
    **dict.fromkeys(("currency", "exponent", "kind", *CODES, "state"), "int2"),
    card=f"bytes:{HASH_WORDS * TEXT_WORD_BYTES}",
    request_id=REQUEST_ID_TEXT,
    merchant=f"text:{MERCHANT_WORDS * TEXT_WORD_BYTES}",
)
CHANGED = RowLayout(
    **dict.fromkeys(("payment", "approved_amount", "captured", "refunded", "held"), "int8"),
    updated_seq="int8",
    state="int2",
)
SETTLED = RowLayout(payment="int8", code="int2", decision="int2")
MOVES = (
    *("payment", "event_idx", "seq", "ts_ms", "amount", "captured", "refunded", "held"),
    *("code", "field", "state"),
)
OPERATION = RowLayout(
    **dict.fromkeys(MOVES[:8], "int8"),
    **dict.fromkeys(("kind", "code", "field", "state"), "int2"),
    request_id=REQUEST_ID_TEXT,
)
DEPOSIT = RowLayout(
    **dict.fromkeys(("account", "seq", "ts_ms", "amount"), "int8"), currency="int2", exponent="int2"
)
MOMENT = RowLayout(ts_ms="int8", seq="int8")
NO_OPERATION = (Code["NOT_FOUND"], Code["DUPLICATE"])
"""Codes of answers that are no operation on their payment."""
EXPIRY = 0
"""`kind` of an operation that nobody asked for."""
OF_NOBODY = (EventKind.EXPIRED, EventKind.SETTLED)
"""Kinds of events that tell how a payment stands, and answer no request."""
OUTCOME = ("code", "decision")
"""What the outcome of a pending payment changes of its decision."""


class PaymentsProjection(WithoutLooks):
    """engine.contract.projection.Projection for the payments application."""

    migrations = MIGRATIONS
    session = SESSION

    def open(self, state: Any) -> None:
        """Nothing is followed from batch to batch: every event tells how its payment stands."""

    def batch(self, entries: Any, events: Any, state: Any) -> Batch:
        """Return everything that these commands add; asserts that payments come out as in the state."""
        first, last = int(entries["seq"][0]), int(entries["seq"][-1])
        assert last - first == len(entries) - 1, "entries are dense in seq"
        kind, command = events["kind"], entries["command"]
        decided = events[(kind == EventKind.DECIDED) & (events["payment"] == events["seq"])]
        is_move = (kind == EventKind.MOVED) & (events["replayed"] == 0) & (events["payment"] != 0)
        is_move &= ~np.isin(events["code"], NO_OPERATION)
        moves = events[is_move | np.isin(kind, OF_NOBODY)]
        payments = _decided_columns(decided, command[decided["seq"] - first])
        changes = _changes(moves)
        older = _fold(payments, changes, (*STANDING, "updated_seq"))
        settled = _columns(events[kind == EventKind.SETTLED], SETTLED.columns)
        settled_older = _fold(payments, settled, OUTCOME)
        s = state[0] if COMPILED else state.view(np.recarray)[0]
        _require_agreement(s, payments, changes)
        deposited = (kind == EventKind.DONE) & (events["op"] == Op.DEPOSIT)
        deposited &= (events["code"] == Code["OK"]) & (events["replayed"] == 0)
        rows = (
            _packed("payments", PAYMENT, payments),
            _packed("operations", OPERATION, _operation_columns(moves, command[moves["seq"] - first])),
            _packed("deposits", DEPOSIT, _columns(events[deposited], DEPOSIT.columns)),
            _moments(events),
            _packed("changed_payments", CHANGED, {name: each[older] for name, each in changes.items()}),
            _packed(
                "settled_payments", SETTLED, {name: each[settled_older] for name, each in settled.items()}
            ),
        )
        merges = ((MERGE_PAYMENTS, older), (MERGE_SETTLED, settled_older))
        return Batch(
            first_seq=first,
            last_seq=last,
            eng_ts=int(entries["eng_ts"][-1]),
            rows=tuple(each for each in rows if each.count),
            merges=tuple(merge for merge, changed in merges if changed.any()),
        )


def _decided_columns(decided: Any, command: Any) -> Columns:
    """Return payments as they were decided."""
    values = _columns(decided, (*OF_THE_EVENT, *CODES, "approved_amount", "state"))
    nothing = np.zeros(len(decided), np.int64)
    is_captured = values["state"] == State.CAPTURED
    values["captured"] = np.where(is_captured, values["approved_amount"], nothing)
    values["held"] = np.where(is_captured, nothing, values["approved_amount"])
    values |= {"refunded": nothing, "updated_seq": values["payment"].copy(), "kind": command["kind"]}
    words = command["words"]
    values["request_id"] = _texts(words[:, REQUEST_ID : REQUEST_ID + REQUEST_ID_WORDS])
    values["merchant"] = _texts(words[:, MERCHANT : MERCHANT + MERCHANT_WORDS])
    card = np.ascontiguousarray(words[:, CARD : CARD + HASH_WORDS])
    return values | {"card": card.view(f"S{HASH_WORDS * TEXT_WORD_BYTES}").reshape(-1)}


def _changes(moves: Any) -> Columns:
    """Return how each payment that was moved stands behind the last of it."""
    told = moves[(moves["code"] == Code["OK"]) | np.isin(moves["kind"], OF_NOBODY)]
    _, places = np.unique(told["payment"][::-1], return_index=True)
    last = told[len(told) - 1 - places]
    return _columns(last, ("payment", *STANDING)) | {"updated_seq": last["seq"]}


def _fold(payments: Columns, changes: Columns, names: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Bring payments of the batch to where changes left them; tell which changes are of older ones.

    names : of the columns that changes are of; of each payment there is one change at most
    """
    known, changed = payments["payment"], changes["payment"]
    place: Any = np.searchsorted(known, changed)
    is_new = np.zeros(len(changed), bool)
    inside = place < len(known)
    is_new[inside] = known[place[inside]] == changed[inside]
    for name in names:
        payments[name][place[is_new]] = changes[name][is_new]
    return ~is_new


def _require_agreement(s: Any, payments: Columns, changes: Columns) -> None:
    """Assert that the state has every payment of the batch as the events say."""
    for values in (payments, changes):
        standing = np.empty((len(values["payment"]), STANDING_COLUMNS), np.int64)
        for column, name in enumerate(STANDING):
            standing[:, column] = values[name]
        other = first_disagreeing(s, np.ascontiguousarray(values["payment"]), standing)
        assert other == 0, f"payment {other} is not as the events left it"


def _operation_columns(moves: Any, command: Any) -> Columns:
    is_expiry, is_settled = moves["kind"] == EventKind.EXPIRED, moves["kind"] == EventKind.SETTLED
    operation = np.where(is_settled, int(Op.PROCESSED), moves["op"])
    values = _columns(moves, MOVES) | {"kind": np.where(is_expiry, EXPIRY, operation)}
    request_ids = _texts(command["words"][:, REQUEST_ID : REQUEST_ID + REQUEST_ID_WORDS])
    has_request = ~is_expiry & ~is_settled & (moves["op"] != Op.REVIEW)
    return values | {"request_id": np.where(has_request, request_ids, b"")}


def _moments(events: Any) -> Rows:
    return _packed(
        "moments", MOMENT, _columns(events[events["event_idx"] % MOMENT_EVERY == 0], MOMENT.columns)
    )


def _columns(events: Any, names: tuple[str, ...]) -> Columns:
    return {name: events[name] for name in names}


def _packed(table: str, layout: RowLayout, values: Columns) -> Rows:
    count = len(values[layout.columns[0]])
    return rows_of(table, layout.columns, count, [layout.pack(count, values)])


def _texts(words: Any) -> npt.NDArray[np.bytes_]:
    """Return texts of records up to their first zero, such as PostgreSQL takes whatever bytes there are."""
    raw = np.ascontiguousarray(words).view(np.uint8)
    raw = np.where((raw >= ord(" ")) & (raw <= ord("~")) | (raw == 0), raw, np.uint8(ord("?")))
    raw *= np.minimum.accumulate(raw != 0, axis=1)
    return raw.view(f"S{raw.shape[1]}").reshape(-1)
