"""The desk of payments: a body becomes a staged command, its event a reply.

Judged in this order: form, then role and merchants of the key, then the account that a load balancer
went by. A payment of a foreign merchant is not found, in the same words as one that there is not.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from engine.payments.records import Decision, EventKind, Op, Role, State
from engine.payments.view.live_view import PaymentView
from gateways.payments.bodies import Fields
from gateways.payments.door.dispatch import BUSY, SYSTEM, Answered, Awaited, PaymentDispatcher
from gateways.payments.door.keys import KeyOwner
from gateways.payments.door.lateness import Lateness
from gateways.payments.door.past import NOT_FOUND, OK, GivenWay
from gateways.payments.door.refusals import misdirected
from gateways.payments.door.routes import PaymentAsk, PaymentRoute
from gateways.payments.events import PaymentEvent
from gateways.payments.form import Asked, PaymentForm
from gateways.payments.operations import OperationForm
from gateways.payments.replies import Replies, Told, shown_id
from gateways.payments.values import FormRefusal

OPS = {PaymentAsk.CAPTURE: Op.CAPTURE, PaymentAsk.VOID: Op.VOID, PaymentAsk.REFUND: Op.REFUND}
NO_PAYMENT = 0
"""The seq of no payment: what names it is answered NOT_FOUND by the engine."""
Answer = Callable[[Told], None]
PaymentOf = Callable[[int], PaymentView | None]


class Forwards(Protocol):
    """What a desk needs of whoever sends approved payments on to a processor."""

    def mark(self, record: bytearray) -> None:
        """Let a payment's command say that it is forwarded."""

    def begin(self, asked: Asked, decided: PaymentEvent) -> None:
        """Send on a payment that is pending."""


class PaymentRequest(NamedTuple):
    """A request as it came: whose, for what, and until when an answer is of use."""

    owner: KeyOwner
    route: PaymentRoute
    body: bytes | Fields
    deadline: float
    account: str | None = None


class PaymentDesk:
    """Takes requests.

    payment_of : returns the view of a payment by its seq, None where there is none
    given_way : the payments that the view does not have any more
    """

    def __init__(
        self,
        form: PaymentForm,
        replies: Replies,
        dispatcher: PaymentDispatcher,
        payment_of: PaymentOf,
        given_way: GivenWay | None = None,
    ) -> None:
        self._form = form
        self._operations = OperationForm(form)
        self.replies = replies
        self.dispatcher = dispatcher
        self._payment_of = payment_of
        self._given_way = given_way
        self._forwarder: Forwards | None = None
        self._lateness: Lateness | None = None

    def forward_by(self, forwarder: Forwards) -> None:
        """Send approved payments on to a processor from now on."""
        self._forwarder = forwarder

    def time_by(self, lateness: Lateness) -> None:
        """Time the decisions of payments from now on."""
        self._lateness = lateness

    def submit(self, request: PaymentRequest, answer: Answer) -> None:
        """Stage what is asked for; `answer` is called once. Raises DoorRefusal, TornReadError."""
        ask, name = request.route
        is_operation = ask != PaymentAsk.PAY
        seq = self.replies.seq_of(name) if name else NO_PAYMENT
        try:
            asked = self._asked(request, seq or NO_PAYMENT)
        except FormRefusal as refusal:
            answer(self.replies.refused(refusal, is_operation=is_operation))
            return
        self._require(request, asked)
        if seq is None:
            answer(self.replies.not_found(shown_id(name), asked.request_id))
        elif ask == PaymentAsk.REFUND and self._gave_way(seq):
            self._bring_back(request, asked, seq, answer)
        else:
            self._stage(request, asked, is_operation, answer)

    def _asked(self, request: PaymentRequest, payment: int) -> Asked:
        """Return what the body asks for; payment : the seq of the one that the address names."""
        ask, body = request.route.ask, request.body
        if ask == PaymentAsk.PAY:
            return self._form.pay(body)
        if ask == PaymentAsk.REVERSE:
            return self._operations.reverse(body)
        if ask == PaymentAsk.REVIEW:
            return self._operations.review(payment, body)
        if self._is_foreign(request.owner, payment):
            payment = NO_PAYMENT
        return self._operations.on_payment(OPS[ask], payment, body)

    def _gave_way(self, payment: int) -> bool:
        """Tell whether a payment may be in history alone."""
        is_past = self._given_way is not None and self._given_way.may_have(payment)
        return is_past and self._payment_of(payment) is None

    def _bring_back(self, request: PaymentRequest, asked: Asked, payment: int, answer: Answer) -> None:
        """Stage a refund behind the command that brings its payment back."""
        assert self._given_way is not None
        replies = self.replies

        def then(result: Answered) -> None:
            if not isinstance(result, int):  # there is no room for it
                refused = msgspec.structs.replace(result, amount=0)
                answer(replies.document(refused, asked.request_id, is_operation=True))
            elif result == OK:
                self._stage(request, asked, True, answer)
            elif result == NOT_FOUND:  # or a foreign one, that somebody else may bring back meanwhile
                nobodys = self._operations.on_payment(Op.REFUND, NO_PAYMENT, request.body)
                self._stage(request, nobodys, True, answer)
            else:  # whatever became of the payment, the refund was not sent
                answer(replies.unanswered(SYSTEM if result == SYSTEM else BUSY, asked, is_operation=True))

        self._given_way.bring_back(payment, request.owner.is_for, request.deadline, then)

    def _is_foreign(self, owner: KeyOwner, payment: int) -> bool:
        """Tell whether a payment is one of a merchant that is not the key's."""
        if owner.merchants is None:
            return False
        found = self._payment_of(payment)
        return found is not None and not owner.is_for(found.merchant)

    def _require(self, request: PaymentRequest, asked: Asked) -> None:
        owner = request.owner
        owner.require(_role_of(request.route.ask))
        if asked.merchant is not None:
            owner.require_merchant(asked.merchant)
        if request.account is not None and asked.account is not None:
            if request.account != str(asked.account):
                raise misdirected()

    def _stage(self, request: PaymentRequest, asked: Asked, is_operation: bool, answer: Answer) -> None:
        owner, replies, forwarder = request.owner, self.replies, self._forwarder
        lateness = None if is_operation else self._lateness
        began = 0.0 if lateness is None else lateness.now()
        if forwarder is not None and request.route.ask == PaymentAsk.PAY:
            forwarder.mark(asked.record)

        def told(result: Answered) -> None:
            if isinstance(result, int):
                answer(replies.unanswered(result, asked, is_operation=is_operation))
                return
            if lateness is not None and result.kind == EventKind.DECIDED and not result.replayed:
                lateness.enter(result.cohort, began)
            if _is_pending(result):
                if forwarder is not None and not result.replayed:
                    forwarder.begin(asked, result)
                self._await_outcome(request, result, told)
                return
            answer(
                replies.document(
                    result,
                    asked.request_id,
                    hides=owner.hides,
                    is_operation=is_operation,
                    asked=request.route.name or None,
                )
            )

        awaited = Awaited(owner.session, told, request.deadline)
        self.dispatcher.stage(asked.record, owner.roles, awaited)

    def _await_outcome(
        self, request: PaymentRequest, decided: PaymentEvent, told: Callable[[Answered], None]
    ) -> None:
        """Tell what becomes of a pending payment, to who asked for it first as to who repeats that."""

        def settled(result: Answered) -> None:
            if not isinstance(result, int):
                result = msgspec.structs.replace(result, replayed=decided.replayed)
            told(result)

        awaited = Awaited(request.owner.session, settled, request.deadline)
        self.dispatcher.await_outcome(decided.payment, awaited)


def _is_pending(event: PaymentEvent) -> bool:
    """Tell whether an event says that a payment is approved and waits for the processor."""
    is_approved = event.kind == EventKind.DECIDED and event.decision == Decision.APPROVE
    return is_approved and event.state == State.PENDING


def _role_of(ask: PaymentAsk) -> Role:
    return Role.RISK if ask == PaymentAsk.REVIEW else Role.ACQUIRER
