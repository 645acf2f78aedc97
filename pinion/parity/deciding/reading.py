"""A request that was captured becomes commands, by the functions by which the door reads it."""

from collections.abc import Callable

from engine.payments.records import Clock, Op
from gateways.payments.door.routes import PaymentAsk
from gateways.payments.form import Asked, PaymentForm
from gateways.payments.hashing import Hasher
from gateways.payments.operations import OperationForm

OPS = {PaymentAsk.CAPTURE: Op.CAPTURE, PaymentAsk.VOID: Op.VOID, PaymentAsk.REFUND: Op.REFUND}
NOBODY = 10**10
"""The number of a payment that there is not."""


class Reading:
    """Reads bodies; now_ms : the clock of the machine that was asked, ms since 1970."""

    def __init__(self, hasher: Hasher, now_ms: Callable[[], int]) -> None:
        self._form = PaymentForm(hasher, Clock.REQUEST, now_ms)
        self._operations = OperationForm(self._form)

    def read(self, ask: PaymentAsk, body: bytes, payment: int = NOBODY) -> Asked:
        """Return what a body asks for; raise FormRefusal.

        payment : the number of the one that the address of an operation names
        """
        if ask == PaymentAsk.PAY:
            return self._form.pay(body)
        if ask == PaymentAsk.REVERSE:
            return self._operations.reverse(body)
        if ask == PaymentAsk.REVIEW:
            return self._operations.review(payment, body)
        return self._operations.on_payment(OPS[ask], payment, body)
