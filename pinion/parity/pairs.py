"""A pair of a capture as a replay plays it: the request, what was answered, and whether it can be judged."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateways.payments.door.refusals import DoorRefusal
from gateways.payments.door.routes import PaymentAsk, PaymentRoute, route_of
from pinion.capture.records import Body, Record, read

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
    """A pair that is not played, and why."""

    n: int
    why: str


def pairs_of(folder: Path) -> Iterator[Pair | LeftOut]:
    """Yield the pairs of a capture in order; raise CaptureError."""
    return map(pair_of, read(folder))


def pair_of(record: Record) -> Pair | LeftOut:
    """Return a record as it is played, or why it is not."""
    if record.status in NOT_JUDGED:
        return LeftOut(record.n, f"{record.status}: {NOT_JUDGED[record.status]}")
    if record.request == NOT_KEPT:
        return LeftOut(record.n, "packed in a way that the capture could not look into")
    try:
        route = route_of(record.method, record.path)
    except DoorRefusal as refused:
        return LeftOut(record.n, f"{record.method} of no address here: {refused.status.phrase}")
    return Pair(
        record.n, record.at_ms, record.method, record.path, route, bytes_of(record.request),
        record.status, None if record.reply is None else bytes_of(record.reply),
    )  # fmt: skip


def is_read(route: PaymentRoute) -> bool:
    """Tell whether a request only reads."""
    return route.ask >= PaymentAsk.PAYMENT


def bytes_of(body: Body) -> bytes:
    """Return a body as it was sent."""
    return body.encode() if isinstance(body, str) else b64decode(body["base64"])
