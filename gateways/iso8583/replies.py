"""Replies: what was decided becomes DE 39 and DE 38 beside the fields that say which message it answers.

What comes back as it was sent is in ECHOED; a field that contains the digits of DE 2 does not. A refusal for
form names the data element at fault in DE 44, three digits, where one is known.
"""

from engine.payments.codes import BY_NUMBER, Code
from gateways.iso8583.messages import (
    AMOUNT,
    APPROVAL,
    AT_FAULT,
    CURRENCY,
    MERCHANT,
    NETWORK_CODE,
    ORIGINAL,
    PROCESSING_CODE,
    REFERENCE,
    RESPONSE_CODE,
    SENT_AT,
    STAN,
    TERMINAL,
    Elements,
    Message,
)
from gateways.iso8583.requests import element_at_fault, repeats_pan
from gateways.payments.replies import PaymentReply

ECHOED = (
    *(PROCESSING_CODE, AMOUNT, SENT_AT, STAN, REFERENCE, TERMINAL, MERCHANT, CURRENCY),
    *(NETWORK_CODE, ORIGINAL),
)
REQUEST, ADVICE = "0", "2"
FUNCTIONS = {REQUEST: "1", ADVICE: "3"}
"""Third digit of a type -> that of its reply."""
REFERENCE_DIGITS = 12
ACCEPTED = str(BY_NUMBER[Code["OK"]].iso)
SYSTEM = str(BY_NUMBER[Code["SYSTEM"]].iso)


def reply_kind(kind: str) -> str | None:
    """Return the type of the reply to a type of this edition, None for one that takes none."""
    if len(kind) != 4 or kind[0] != "0" or kind[1] == "0" or kind[2] not in FUNCTIONS or kind[3] > "5":
        return None
    return f"{kind[:2]}{FUNCTIONS[kind[2]]}0"


class Answering:
    """The reply to one message, as far as it is known before it is decided."""

    def __init__(self, kind: str, request: Message) -> None:
        hidden = repeats_pan(request.elements)
        self._kind = kind
        self._echo: Elements = {
            number: request.elements[number]
            for number in ECHOED
            if number in request.elements and number not in hidden
        }

    def saying(self, response_code: str | None, at_fault: int = 0) -> Message:
        """Return the reply without a decision; at_fault : the data element that is to blame, 0 for none."""
        elements = {**self._echo, RESPONSE_CODE: response_code or SYSTEM}
        if at_fault:
            elements[AT_FAULT] = f"{at_fault:03}"
        return Message(self._kind, elements)

    def refused(self, response_code: str | None, field: str = "") -> Message:
        """Return the reply to what was not decided; field : of the body that is to blame."""
        return self.saying(response_code, element_at_fault(field, self._echo) if field else 0)

    def decided(self, reply: PaymentReply) -> Message:
        """Return the reply to what was decided; DE 37 tells the payment where the message had none."""
        is_refusal = reply.seq is None and reply.field is not None
        message = self.refused(reply.iso, (reply.field or "") if is_refusal else "")
        if reply.approval is not None:
            message.elements[APPROVAL] = reply.approval
        if reply.payment is not None:
            message.elements.setdefault(REFERENCE, _reference(reply.payment))
        return message


def _reference(payment: str) -> str:
    """Return the number within a payment's id as a retrieval reference."""
    return payment.rpartition("-")[2].zfill(REFERENCE_DIGITS)
