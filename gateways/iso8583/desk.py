"""The desk for messages: each becomes requests of the payments desk, what that answers one reply.

    payment              the payment
    reversal, whole      a void by its request, which is remembered where there is nothing yet;
                         of a sale that was captured then a refund
    reversal, in part    a void or a refund of the payment that is remembered under its request
    network message      nothing is asked

Whole reversals of what is remembered longer than a void by its request finds it go the way of those in part.
"""

from collections.abc import Callable
from typing import NamedTuple

from engine.payments.codes import BY_NUMBER, Code
from engine.payments.currencies import LETTERS
from engine.payments.records import Role
from engine.payments.view.remembered import RememberedRequest
from gateways.iso8583.messages import Message, MessageFault, read, write
from gateways.iso8583.replies import ACCEPTED, Answering, reply_kind
from gateways.iso8583.requests import (
    NETWORK,
    PAYMENTS,
    REVERSALS,
    UNSUPPORTED,
    Reversal,
    network_code,
    payment_body,
    refuse_repeated_pan,
    reversal_of,
)
from gateways.payments.bodies import Fields
from gateways.payments.door.desk import PaymentDesk, PaymentOf, PaymentRequest
from gateways.payments.door.dispatch import BUSY, TIMEOUT_S
from gateways.payments.door.keys import KeyOwner
from gateways.payments.door.limiters import Limiters
from gateways.payments.door.refusals import DoorRefusal
from gateways.payments.door.routes import PaymentAsk, PaymentRoute
from gateways.payments.replies import MovedReply, Told
from gateways.payments.values import BAD_CURRENCY, FORMAT, FormRefusal
from ringbuf.seqlock import TornReadError

MERCHANT_FIELD = "merchant"
FOREIGN_MERCHANT = BY_NUMBER[Code["BAD_MERCHANT"]].iso
NOT_PERMITTED = BY_NUMBER[Code["CHANNEL_NOT_PERMITTED"]].iso
NOT_FOUND = str(Code["NOT_FOUND"].name)
Send = Callable[[bytes], None]


class UnanswerableError(Exception):
    """A message that no reply fits; the text says why, without content."""


class _Pending(NamedTuple):
    """A message that waits for its reply: whose it is, until when that is of use, and how it is sent."""

    owner: KeyOwner
    deadline: float
    answering: Answering
    send: Send

    def tell(self, told: Told) -> None:
        """Send what was decided."""
        self.send(write(self.answering.decided(told.reply)))

    def refuse(self, iso: str | None, field: str = "") -> None:
        """Send a refusal; field : of the body that is to blame."""
        self.send(write(self.answering.refused(iso, field)))


class MessageDesk:
    """Takes messages.

    payment_of : returns the view of a payment by its seq, None where there is none
    remembered : returns the payment that merchant and request have become, None for none
    now : the event loop's time
    answer_s : an answer is of use for so long; where payments are forwarded a processor's fits into it
    """

    def __init__(
        self,
        desk: PaymentDesk,
        limiters: Limiters,
        payment_of: PaymentOf,
        remembered: Callable[[str, str], RememberedRequest | None],
        now: Callable[[], float],
        answer_s: float = TIMEOUT_S,
    ) -> None:
        self._answer_s = answer_s
        self._desk = desk
        self._limiters = limiters
        self._payment_of = payment_of
        self._remembered = remembered
        self._now = now
        self.is_stopping = False

    def submit(self, owner: KeyOwner, data: bytes, send: Send) -> None:
        """Take a message without its length; `send` is called once. Raises UnanswerableError."""
        fault = None
        try:
            message = read(data)
        except MessageFault as found:
            message, fault = found.message, found
        kind = reply_kind(message.kind)
        if kind is None:
            raise UnanswerableError(str(fault or f"is of type {message.kind}, to which there is no reply"))
        answering = Answering(kind, message)
        if not self._limiters.enter(owner.session):
            send(write(answering.refused(BY_NUMBER[BUSY].iso, "")))  # RATE has no response code
            return

        def answered(reply: bytes) -> None:
            self._limiters.leave(owner.session)
            send(reply)

        pending = _Pending(owner, self._now() + self._answer_s, answering, answered)
        if fault is not None:
            answered(write(answering.saying(BY_NUMBER[FORMAT].iso, fault.at_fault)))
        elif self.is_stopping or not self._limiters.has_room(_ask_of(message.kind)):
            pending.refuse(BY_NUMBER[BUSY].iso)
        else:
            try:
                self._attempt(pending, lambda: self._ask(pending, message))
            except Exception:  # a fault of ours ends the connection; the key's room comes back
                self._limiters.leave(owner.session)
                raise

    def _attempt(self, pending: _Pending, ask: Callable[[], None]) -> None:
        """Ask for something; answer where it is refused beforehand."""
        try:
            ask()
        except FormRefusal as refusal:
            pending.refuse(BY_NUMBER[refusal.code].iso, refusal.field)
        except DoorRefusal as refused:
            pending.refuse(FOREIGN_MERCHANT if refused.field == MERCHANT_FIELD else NOT_PERMITTED)
        except TornReadError:
            pending.refuse(BY_NUMBER[BUSY].iso)

    def _ask(self, pending: _Pending, message: Message) -> None:
        kind, elements = message
        refuse_repeated_pan(elements)
        if kind in PAYMENTS:
            self._submit(pending, PaymentRoute(PaymentAsk.PAY), payment_body(kind, elements), pending.tell)
        elif kind in REVERSALS:
            self._reverse(pending, reversal_of(elements))
        elif kind in NETWORK:
            network_code(elements)
            pending.refuse(ACCEPTED)
        else:
            pending.refuse(BY_NUMBER[UNSUPPORTED].iso)

    def _submit(
        self, pending: _Pending, route: PaymentRoute, body: Fields, then: Callable[[Told], None]
    ) -> None:
        self._desk.submit(PaymentRequest(pending.owner, route, body, pending.deadline), then)

    def _reverse(self, pending: _Pending, reversal: Reversal) -> None:
        known = self._remembered(reversal.merchant, reversal.original)
        if reversal.amount is not None or (known is not None and known.is_old):
            self._reverse_known(pending, reversal, known)
            return

        def go_on(told: Told) -> None:
            sale = self._captured(reversal, told)
            if sale is None:
                pending.tell(told)
            else:
                self._operate(pending, reversal, sale)

        def then(told: Told) -> None:
            self._attempt(pending, lambda: go_on(told))

        self._submit(pending, PaymentRoute(PaymentAsk.REVERSE), reversal.whole_body(), then)

    def _captured(self, reversal: Reversal, told: Told) -> str | None:
        """Return the id of the sale that a void did not reach, for it was captured; None for nothing such."""
        reply = told.reply
        if not reversal.is_sale:
            return None
        if isinstance(reply, MovedReply) and reply.captured:
            return reply.payment
        known = self._remembered(reversal.merchant, reversal.original) if reply.code == NOT_FOUND else None
        return None if known is None else self._desk.replies.id_of(known.payment)

    def _reverse_known(self, pending: _Pending, reversal: Reversal, known: RememberedRequest | None) -> None:
        """Reverse by the payment's number, in part or as a whole."""
        pending.owner.require(Role.ACQUIRER)
        pending.owner.require_merchant(reversal.merchant)
        if known is None:
            pending.tell(self._desk.replies.not_found(None, reversal.original))
            return
        view = self._payment_of(known.payment)
        if view is not None and reversal.currency not in (None, LETTERS[view.currency]):
            raise FormRefusal(BAD_CURRENCY, "currency")
        self._operate(pending, reversal, self._desk.replies.id_of(known.payment))

    def _operate(self, pending: _Pending, reversal: Reversal, payment: str) -> None:
        ask = PaymentAsk.REFUND if reversal.is_sale else PaymentAsk.VOID
        self._submit(pending, PaymentRoute(ask, payment), reversal.operation_body(), pending.tell)


def _ask_of(kind: str) -> PaymentAsk:
    """Return what a message is to shedding: reversals, and what is about the network, go on longest."""
    return PaymentAsk.PAY if kind in PAYMENTS else PaymentAsk.REVERSE
