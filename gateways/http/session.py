"""A WebSocket session: pipelined commands in, replies and execution reports out.

    client                                     door
    {"id":7,"op":"new",...}           ------->
    [{"id":8,...},{"id":9,...}]       ------->  an array is a batch of such objects
                                      <-------  {"id":7,"reply":{...}} or {"id":7,"problem":{...}}
                                      <-------  {"report":{...}}

Replies come in the order in which the engine took the commands; a refusal at the door
overtakes those still on their way. Reports tell of what others did to the session's
resting orders: fills as maker, cancellations. Sans-I/O: texts in, texts in `outbox`.
"""

from typing import Any

import msgspec

from engine.text import exact_json
from engine.text.exact_json import DoubledKey, JsonFault, TooMany
from gateways.entry.outcome import CountReply, OrderReply, Outcome
from gateways.entry.refusals import Refusal, Refused, malformed
from gateways.entry.session import Session
from gateways.http.problems import OrderProblem, problem_of
from gateways.http.routes import BATCH_MAX
from gateways.json_lines.events import EventWords

REQUEST_ID_CHARS_MAX = 64
REQUEST_ID_MIN, REQUEST_ID_MAX = -(2**63), 2**63 - 1

_encode = msgspec.json.Encoder().encode


class _Reply(msgspec.Struct, frozen=True, gc=False):
    """What a command came to, under its request id."""

    id: int | str | None
    reply: OrderReply | CountReply


class _Problem(msgspec.Struct, frozen=True, gc=False):
    """Why a command came to nothing, under its request id."""

    id: int | str | None
    problem: OrderProblem


class JsonSession(Session):
    """A session that speaks JSON, a command or an array of them to a message."""

    def receive(self, text: str | bytes) -> None:
        """Take one message: a command or an array of commands."""
        try:
            message = exact_json.decode(text)
        except DoubledKey as fault:
            if not isinstance(fault.value, list):
                self._refuse(*_no_command(fault))
                return
            try:
                message = exact_json.elements(text, BATCH_MAX)
            except TooMany as too_many:
                self._refuse_too_many(too_many.count)
                return
        except JsonFault as fault:
            self._refuse(None, malformed(f"not JSON: {fault}", "message"))
            return
        if type(message) is not list:
            self._command(message)
            return
        if not message:
            self._refuse(None, malformed("the batch is empty", "message"))
            return
        if len(message) > BATCH_MAX:
            self._refuse_too_many(len(message))
            return
        for idx, each in enumerate(message):
            self._command(each, f"[{idx}]: ")

    def report(self, event: EventWords) -> None:
        """Tell the client what became of a resting order."""
        told = self._desk.reports.of(event, self.principal.accounts)
        if told is not None:
            self.send(b'{"report":%b}' % told)

    def _command(self, fields: Any, place: str = "") -> None:
        if type(fields) is not dict:
            self._refuse(*_no_command(fields, place))
            return
        request_id = fields.pop("id", None)
        if not _is_request_id(request_id):
            detail = (
                f"give a whole number from {REQUEST_ID_MIN} to {REQUEST_ID_MAX}, "
                f"or a text of up to {REQUEST_ID_CHARS_MAX} characters"
            )
            self._refuse(None, malformed(detail, "id"))
            return

        def answer(result: Outcome) -> None:
            self.in_flight -= 1
            if type(result) is Refusal:
                self.send(_encode(_Problem(request_id, problem_of(result))))
            else:
                self.send(_encode(_Reply(request_id, result)))

        self.in_flight += 1
        try:
            self._desk.submit(self.principal, self.number, fields, answer)
        except Refused as refused:
            answer(refused.refusal)

    def _refuse_too_many(self, count: int) -> None:
        detail = f"{count} commands; at most {BATCH_MAX} go into one message"
        self._refuse(None, malformed(detail, "message"))

    def _refuse(self, request_id: int | str | None, refused: Refused) -> None:
        self.send(_encode(_Problem(request_id, problem_of(refused.refusal))))


def _no_command(message: Any, place: str = "") -> tuple[int | str | None, Refused]:
    """Return request id and refusal of what is no JSON object, or one in which a key stands twice."""
    if not isinstance(message, DoubledKey):
        detail = f"{place}a command is a JSON object, not {exact_json.kind(message)}"
        return None, malformed(detail, "message")
    fields, key = message.value, message.key
    request_id = fields.get("id") if isinstance(fields, dict) and key != "id" else None
    known_id = request_id if _is_request_id(request_id) else None
    return known_id, malformed(f"{place}{message}", key[:64])


def _is_request_id(value: object) -> bool:
    if type(value) is int:
        return REQUEST_ID_MIN <= value <= REQUEST_ID_MAX
    return value is None or (isinstance(value, str) and len(value) <= REQUEST_ID_CHARS_MAX)
