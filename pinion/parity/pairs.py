"""A pair of a capture as a replay plays it: the request, what was answered, and whether it can be judged."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.payments.codes import BY_NAME
from gateways.payments.door.refusals import DoorRefusal
from gateways.payments.door.routes import PaymentAsk, PaymentRoute, route_of
from pinion.capture.records import Body, Record, lines
from pinion.capture.scrub import SECRET

NOT_JUDGED = {
    401: "no key that was known",
    403: "the key was not for it",
    405: "another method",
    413: "too large",
    421: "meant for another instance",
    429: "too many requests",
    503: "not processed",
}
"""Statuses of requests that the old service refused before it judged them: why these are not played."""
READS = (PaymentAsk.PAYMENT, PaymentAsk.ACCOUNT)
PLAYED = frozenset((
    *(PaymentAsk.PAY, PaymentAsk.CAPTURE, PaymentAsk.VOID, PaymentAsk.REFUND, PaymentAsk.REVIEW),
    *(PaymentAsk.REVERSE, PaymentAsk.SET_UP, *READS),
))  # fmt: skip
"""What is asked of payments; all else is about the service that was asked."""
FORM_STATUS = BY_NAME["FORMAT"].http
NOT_KEPT = {"base64": ""}
"""Stands for a body that a capture did not keep; an empty one is an empty text."""


class Pair(NamedTuple):
    """One request and its answer; status and reply are None where none came."""

    n: int
    at_ms: int
    method: str
    path: str
    route: PaymentRoute
    request: bytes
    status: int | None
    reply: bytes | None
    is_adapted: bool = False
    """Whether an adapter made the reply: what it left out is not compared."""


class LeftOut(NamedTuple):
    """A pair, or so many, that is not played, and why."""

    n: int
    why: str
    pair_count: int = 1


def pairs_of(folder: Path) -> Iterator[Pair | LeftOut]:
    """Yield the pairs of a capture in order; raise CaptureError."""
    for line in lines(folder):
        if isinstance(line, Record):
            yield pair_of(line)
        else:
            yield LeftOut(line.n, "missing in the capture: what they changed is not known", line.dropped)


def pair_of(record: Record) -> Pair | LeftOut:
    """Return a record as it is played, or why it is not."""
    if record.status in NOT_JUDGED:
        return LeftOut(record.n, f"{record.status}: {NOT_JUDGED[record.status]}")
    if record.request == NOT_KEPT:
        return LeftOut(record.n, "packed in a way that the capture could not look into")
    if record.status == FORM_STATUS and record.reply is not None and _is_of_secret(bytes_of(record.reply)):
        return LeftOut(record.n, "refused for a member that no capture keeps")
    try:
        route = route_of(record.method, record.path)
    except DoorRefusal as refused:
        return LeftOut(record.n, f"{record.method} of no address here: {refused.status.phrase}")
    if route.ask not in PLAYED:
        return LeftOut(record.n, "about the service itself, not about payments")
    return Pair(
        record.n, record.at_ms, record.method, record.path, route, bytes_of(record.request),
        record.status, None if record.reply is None else bytes_of(record.reply),
    )  # fmt: skip


def _is_of_secret(reply: bytes) -> bool:
    """Tell whether a refusal for form names a member that the capture has taken out of the request."""
    try:
        named = msgspec.json.decode(reply, type=_Refusal).field
    except (msgspec.DecodeError, UnicodeDecodeError):  # it is no refusal that names a field
        return False
    return named is not None and named.rpartition(".")[2].lower() in SECRET


class _Refusal(msgspec.Struct, frozen=True):
    """What is looked at of a refusal for form."""

    field: str | None = None


def is_read(route: PaymentRoute) -> bool:
    """Tell whether a request only reads."""
    return route.ask in READS


def is_set_up(route: PaymentRoute) -> bool:
    """Tell whether a request sets something up."""
    return route.ask == PaymentAsk.SET_UP


def bytes_of(body: Body) -> bytes:
    """Return a body as it was sent."""
    return body.encode() if isinstance(body, str) else b64decode(body["base64"])
