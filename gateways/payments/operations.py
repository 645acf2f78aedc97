"""The form of what is done to a payment later: capture, void, refund, review, and a void by its request.

Judged in the same order as a payment's body (form.py); `received_at` is taken where that takes it.
"""

from collections.abc import Callable
from typing import NamedTuple

from engine.payments.records import APPROVE_IT, COMMAND, COMMAND_VERSION, DECLINE_IT, FINAL, NOT_GIVEN, Op
from gateways.payments.bodies import Fields, object_of, refuse_missing, refuse_names
from gateways.payments.form import HEAD, PAY_WORDS, Asked, PaymentForm, compared, repeat
from gateways.payments.hashing import NOTHING
from gateways.payments.values import (
    FormRefusal,
    amount_of,
    flag,
    is_merchant,
    is_request_id,
    matching,
    word,
)

OUTCOMES = {"approve": APPROVE_IT, "decline": DECLINE_IT}
_ALWAYS = ("received_at",)


class _Shape(NamedTuple):
    """What the body of an operation has."""

    needed: tuple[str, ...]
    names: frozenset[str]


def _shape(needed: tuple[str, ...], *others: str) -> _Shape:
    return _Shape(needed, frozenset((*needed, *others, *_ALWAYS)))


SHAPES = {
    Op.CAPTURE: _shape(("request_id",), "amount", "final"),
    Op.VOID: _shape(("request_id",), "amount"),
    Op.REFUND: _shape(("request_id",), "amount"),
    Op.REVIEW: _shape(("outcome",)),
    Op.REVERSE: _shape(("request_id", "merchant")),
}


class OperationForm:
    """Reads the bodies of operations; form : that of payments, which says what time is and how to hash."""

    def __init__(self, form: PaymentForm) -> None:
        self._form = form
        self._hasher = form.hasher

    def on_payment(self, op: Op, payment: int, body: bytes | Fields) -> Asked:
        """Return a capture, void or refund of the payment with this number; raise FormRefusal."""
        return self._read(op, body, lambda fields: self._moving(op, payment, fields))

    def review(self, payment: int, body: bytes | Fields) -> Asked:
        """Return what somebody decided about a payment in review; raise FormRefusal."""
        return self._read(Op.REVIEW, body, lambda fields: self._reviewing(payment, fields))

    def reverse(self, body: bytes | Fields) -> Asked:
        """Return the void of a payment that merchant and request name; raise FormRefusal."""
        return self._read(Op.REVERSE, body, self._reversing)

    def _read(self, op: Op, body: bytes | Fields, asked: Callable[[Fields], Asked]) -> Asked:
        fields: Fields = {}
        try:
            fields, _ = object_of(body)
            shape = SHAPES[op]
            refuse_names(fields, shape.names)
            refuse_missing(fields, shape.needed)
            return asked(fields)
        except FormRefusal as refusal:
            repeat(refusal, fields)
            raise

    def _moving(self, op: Op, payment: int, fields: Fields) -> Asked:
        request_id = matching(fields["request_id"], is_request_id, "request_id")
        amount = amount_of(fields["amount"]) if "amount" in fields else None
        final = flag(fields["final"], FINAL, "final") if "final" in fields else 0
        record = self._begun(op, fields, payment=payment, amount=amount or NOT_GIVEN, kind=final)
        _put_words(
            record,
            request_id,
            key=self._hasher.operation(request_id),
            body=self._hasher.body(op.name.encode(), compared(fields)),
        )
        return Asked(record, request_id, amount=amount)

    def _reviewing(self, payment: int, fields: Fields) -> Asked:
        outcome = word(fields["outcome"], OUTCOMES, "outcome")
        return Asked(self._begun(Op.REVIEW, fields, payment=payment, kind=outcome), None)

    def _reversing(self, fields: Fields) -> Asked:
        request_id = matching(fields["request_id"], is_request_id, "request_id")
        merchant = matching(fields["merchant"], is_merchant, "merchant")
        record = self._begun(Op.REVERSE, fields)
        _put_words(
            record,
            request_id,
            merchant,
            key=self._hasher.request(merchant, request_id),
            body=self._hasher.body(b"REVERSE", compared(fields)),
            own_key=self._hasher.reversal(merchant, request_id),
        )
        return Asked(record, request_id, merchant)

    def _begun(
        self, op: Op, fields: Fields, *, payment: int = 0, amount: int = 0, kind: int = 0
    ) -> bytearray:
        """Return a command without its words; `received_at` is the last value that is judged."""
        moment = self._form.moment(fields)
        record = bytearray(COMMAND.itemsize)
        HEAD.pack_into(
            record, 0, 0, 0, 0, 0, op, COMMAND_VERSION, 0, kind, moment, 0, amount, payment, *(0,) * 13
        )
        return record


def _put_words(
    record: bytearray,
    request_id: str,
    merchant: str = "",
    *,
    key: bytes,
    body: bytes,
    own_key: bytes = NOTHING,
) -> None:
    PAY_WORDS.pack_into(
        record, HEAD.size, request_id.encode(), merchant.encode(), b"", key, body, *(NOTHING,) * 4, own_key
    )
