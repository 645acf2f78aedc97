"""What Pinion answers in this process, as the door would write it."""

from collections.abc import Sequence

import msgspec

from engine.payments.codes import BY_NUMBER, Code
from engine.payments.view.live_view import LiveView
from engine.text import numbers
from gateways.payments.door.reads import account_document
from gateways.payments.door.routes import PaymentAsk, PaymentRoute
from gateways.payments.events import PaymentEvent, payment_events
from gateways.payments.replies import Replies, Told, shown_id
from pinion.parity.answers import Document, ServiceAnswer
from pinion.parity.deciding.engine import PrivateEngine, Records

OK_STATUS, NOT_FOUND_STATUS = 200, 404
OK = int(Code["OK"])


def answer_of_told(told: Told) -> ServiceAnswer:
    """Return a reply as JSON has it."""
    document: Document = msgspec.to_builtins(told.reply)
    document["matched"] = list(document["matched"])
    return ServiceAnswer(told.status, document)


class EngineReplies:
    """Makes the answers of an engine; instance : its name, with which the ids of payments begin."""

    def __init__(self, engine: PrivateEngine, instance: str) -> None:
        self._replies = Replies(instance)
        self._view = LiveView(engine.state)

    def id_of(self, payment: int) -> str:
        """Return the id of a payment by its number."""
        return self._replies.id_of(payment)

    def of_event(
        self, event: Records, route: PaymentRoute, request_id: str | None, asked: str
    ) -> ServiceAnswer:
        """Return the answer to a request; asked : the id of the payment that its address names here."""
        (said,) = payment_events(event)
        is_operation = route.ask != PaymentAsk.PAY
        told = self._replies.document(said, request_id, is_operation=is_operation, asked=asked or None)
        return answer_of_told(told)

    def of_payment(self, payment: int | None, asked: str) -> ServiceAnswer:
        """Return what a payment has become; None is one that is not known."""
        found = None if payment is None else self._view.payment(payment)
        if found is None:
            return answer_of_told(self._replies.not_found(shown_id(asked), None))
        return answer_of_told(self._replies.of_view(found))

    def of_account(self, name: str) -> ServiceAnswer:
        """Return an account and its money."""
        number = numbers.whole(name)
        found = None if number is None else self._view.account(number)
        return (
            ServiceAnswer(NOT_FOUND_STATUS, {})
            if found is None
            else ServiceAnswer(OK_STATUS, account_document(found))
        )


def answer_of_lines(events: Records, ends: Sequence[int], first: int) -> ServiceAnswer:
    """Return the answer to set-up; ends : where the commands of each line end; first : where they begin."""
    lines = []
    for end in ends:
        of_line = list(payment_events(events[first:end]))
        told = next((each for each in of_line if each.code != OK), of_line[-1])
        lines.append([_name(told), bool(told.replayed)])
        first = end
    return ServiceAnswer(OK_STATUS, {"lines": lines})


def _name(event: PaymentEvent) -> str:
    return BY_NUMBER[event.code].name
