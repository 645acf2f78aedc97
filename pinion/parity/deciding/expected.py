"""What an answer of the old service says, as the words of the event that says the same.

What cannot be put so without loss (a field too many, an iso that does not go with its code, an answer about
no payment) has no such words: it is compared as a document then.
"""

import struct
from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from engine.payments.codes import BY_NAME, Code
from engine.payments.currencies import CURRENCIES
from engine.payments.records import FIELD_NAMES, RULES, Decision, EventKind, State
from pinion.parity.deciding.engine import Records

MOVED = ("captured", "refunded", "held")
NAMES = (
    *("kind", "payment", "amount", "approved_amount", "matched", "code", "rule", "field", "state"),
    *("decision", "replayed", "currency", *MOVED),
)
EXPECTED = np.dtype([(name, "<i8") for name in NAMES])
PAYMENT_WORD = NAMES.index("payment")
UNKNOWN_PAYMENT = 0
"""Stands for a payment's number until it is known."""
Word = Annotated[int, Meta(ge=0, le=2**62)]
NUMBERLESS = frozenset(Code[name] for name in ("NOT_FOUND", "CAPACITY"))
"""Codes whose replies have another shape."""


class PaidReply(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The reply to a payment, each field of which is there."""

    payment: str
    request_id: str | None
    decision: str
    code: str
    iso: str
    field: str | None
    rule: str | None
    retry: str
    amount: Word
    approved_amount: Word
    currency: str
    state: str
    ruleset: int
    cohort: str
    matched: list[str]
    replayed: bool
    approval: str | None
    seq: int


class OperationReply(PaidReply, frozen=True, gc=False, forbid_unknown_fields=True):
    """The reply to an operation, each field of which is there."""

    captured: Word
    refunded: Word
    held: Word


_paid, _moved = msgspec.json.Decoder(PaidReply).decode, msgspec.json.Decoder(OperationReply).decode
_DUPLICATE = int(Code["DUPLICATE"])
_pack = struct.Struct(f"<{len(NAMES)}q").pack
LOOKED_AT, SETTLED = 0, -1
"""Kinds of what has no words: to be compared as documents, or known to be alike."""
NO_WORDS, SETTLED_WORDS, DONE_WORDS = (
    _pack(kind, *(0,) * (len(NAMES) - 1)) for kind in (LOOKED_AT, SETTLED, EventKind.DONE)
)
"""DONE_WORDS: each command of a set-up is done, none for the second time."""
_DECISIONS = {each.name: int(each) for each in Decision}
_STATES = {each.name.lower(): int(each) for each in State}
_FIELDS: dict[str | None, int] = {None: 0} | {name: int(field) for field, name in FIELD_NAMES.items()}
_RULES: dict[str | None, int] = {None: 0} | {name: number for number, name in enumerate(RULES, 1)}


class Words(msgspec.Struct, frozen=True, gc=False):
    """The words that an event is expected to have, and the id of its payment."""

    packed: bytes
    payment: str
    is_first: bool
    """Whether they are no repeat of an earlier answer."""


def words_of(status: int, reply: bytes, request_id: str | None, is_operation: bool) -> Words | None:
    """Return the words that an answer stands for; None where it has none.

    request_id : as the request has it
    """
    try:
        said = _moved(reply) if is_operation else _paid(reply)
        row = BY_NAME[said.code]
        if (row.http, row.iso, row.retry.name) != (status, said.iso, said.retry):
            return None
        if said.request_id != request_id or row.number in NUMBERLESS:
            return None
        matched, last = 0, 0
        for name in said.matched:
            rule = _RULES[name]
            if rule <= last:  # the order is compared too
                return None
            matched, last = matched | 1 << rule, rule
        moved = (said.captured, said.refunded, said.held) if isinstance(said, OperationReply) else (0, 0, 0)
        packed = _pack(
            EventKind.MOVED if is_operation else EventKind.DECIDED, UNKNOWN_PAYMENT, said.amount,
            said.approved_amount, matched, row.number, _RULES[said.rule], _FIELDS[said.field],
            _STATES[said.state], _DECISIONS[said.decision], said.replayed,
            CURRENCIES[said.currency].number, *moved,
        )  # fmt: skip
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):  # it is no such reply
        return None
    is_first = not said.replayed and row.number != _DUPLICATE
    return Words(packed, said.payment, is_first)


def not_done(events: Records) -> npt.NDArray[np.bool_]:
    """Tell of each event whether it says otherwise than that a line of set-up is done."""
    found = np.zeros(len(events), np.bool_)
    for name, wanted in (("kind", EventKind.DONE), ("code", Code["OK"]), ("replayed", 0)):
        found |= events[name] != int(wanted)
    return found


def unlike(events: Records, expected: Records) -> npt.NDArray[np.bool_]:
    """Tell of each event whether it says otherwise than it is expected to."""
    found = np.zeros(len(events), np.bool_)
    is_moved = expected["kind"] == EventKind.MOVED
    for name in NAMES:
        differs = events[name] != expected[name]
        found |= differs & is_moved if name in MOVED else differs
    return found
