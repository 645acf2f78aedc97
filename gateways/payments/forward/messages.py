"""What a processor is sent, and what it answers: JSON objects, described in docs/payments.md."""

from typing import Any, Literal

import msgspec

from gateways.payments.bodies import CARD, Fields

PAYMENTS, REVERSALS = "payments", "reversals"
"""The addresses behind the processor's URL."""
SENT = ("request_id", "merchant", "channel", "terminal", "sca", "cvv_result", "avs_result")
"""Members of a payment's body that a processor is sent as they came."""
_encode = msgspec.json.Encoder().encode


class ProcessorAnswer(msgspec.Struct, frozen=True):
    """What a processor answers; other members are passed over."""

    payment: str
    outcome: Literal["approved", "declined", "reversed"]


_decode = msgspec.json.Decoder(ProcessorAnswer).decode


def payment_message(payment: str, fields: Fields, amount: int) -> bytes:
    """Return the message about a payment; amount : what was approved, which may be less than was asked."""
    message: dict[str, Any] = {"payment": payment, "op": fields.get("op", "authorise")}
    message |= {"amount": amount, "currency": fields["currency"]}
    message |= {name: fields[name] for name in SENT if name in fields}
    return _encode(message | {CARD: fields[CARD]})


def reversal_message(payment: str) -> bytes:
    """Return the message that asks for a payment to be undone, whatever became of it."""
    return _encode({"payment": payment})


def outcome_in(content: bytes, payment: str) -> str:
    """Return the outcome that an answer tells of this payment, "" where it tells none."""
    try:
        answer = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return answer.outcome if answer.payment == payment else ""
