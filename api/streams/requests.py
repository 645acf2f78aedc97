"""What a stream reader may say: one JSON object a message, checked field by field.

    {"op":"auth","token":"KEY"}                                     first, unless sent as a header
    {"op":"subscribe","channel":"book","symbol":"BTC-USD","depth":25}
    {"op":"subscribe","channel":"trades","symbol":"BTC-USD","after_seq":123}
    {"op":"subscribe","channel":"ticker","symbol":"BTC-USD"}
    {"op":"subscribe","channel":"fills"|"orders","account":1,"after_seq":123}
    {"op":"subscribe","channel":"risk","account":1,"after_seq":123}
    {"op":"subscribe","channel":"status"}
    {"op":"unsubscribe", ... the same channel, symbol, depth and account}
    {"op":"ping"}
Every request may carry an "id" that its answer repeats. A field that its channel does not have is
refused: whoever sent a symbol with "fills" believes that only those come.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from engine.text import exact_json
from engine.text.exact_json import DoubledKey, JsonFault

STREAM_DEPTH = 25
STREAM_DEPTH_MAX = 1000
REQUEST_BYTES_MAX = 4096

RequestId = Annotated[str, Meta(max_length=64)] | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None
Channel = Literal["book", "trades", "ticker", "fills", "orders", "risk", "status"]
Symbol = Annotated[str, Meta(min_length=1, max_length=16)] | None
Account = Annotated[int, Meta(ge=1, le=2**63 - 1)] | None
AfterSeq = Annotated[int, Meta(ge=0, le=2**63 - 1)] | None


class _Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"):
    id: RequestId = None


class Auth(_Request, frozen=True, kw_only=True, tag="auth"):
    """Name the key of this connection."""

    token: str


class Subscribe(_Request, frozen=True, kw_only=True, tag="subscribe"):
    """Ask for a channel; after_seq: and for what happened since."""

    channel: Channel
    symbol: Symbol = None
    account: Account = None
    depth: Annotated[int, Meta(ge=1, le=STREAM_DEPTH_MAX)] = STREAM_DEPTH
    after_seq: AfterSeq = None


class Unsubscribe(_Request, frozen=True, kw_only=True, tag="unsubscribe"):
    """Give a channel up."""

    channel: Channel
    symbol: Symbol = None
    account: Account = None
    depth: Annotated[int, Meta(ge=1, le=STREAM_DEPTH_MAX)] = STREAM_DEPTH


class Ping(_Request, frozen=True, kw_only=True, tag="ping"):
    """Ask for a pong."""


Request = Auth | Subscribe | Unsubscribe | Ping


class RefusedRequest(ValueError):  # noqa: N818  it is an answer, not a fault
    """A request that cannot be met: a reason, what is wrong, and the field if there is one."""

    def __init__(
        self, reason: str, detail: str, *, field: str | None = None, request_id: int | str | None = None
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.field = field
        self.request_id = request_id


class _Identified(Struct):
    id: RequestId = None


MENDS = {
    "op": "give one of auth, subscribe, unsubscribe, ping",
    "channel": f"give one of {', '.join(get_args(Channel))}",
    "symbol": 'give the name of an instrument in quotes, such as "BTC-USD"',
    "account": "give a whole number from 1, without quotes",
    "depth": f"give a whole number from 1 to {STREAM_DEPTH_MAX}, without quotes",
    "after_seq": "give a whole number from 0, without quotes",
    "token": "give the key in quotes",
    "id": f"give a whole number from {-(2**63)} to {2**63 - 1}, or a text of up to 64 characters",
}
"""What each field takes."""

FIELDS_OF_CHANNEL: dict[str, tuple[str, ...]] = {
    "book": ("symbol", "depth"),
    "trades": ("symbol", "after_seq"),
    "ticker": ("symbol",),
    "fills": ("account", "after_seq"),
    "orders": ("account", "after_seq"),
    "risk": ("account", "after_seq"),
    "status": (),
}
EVERY_CHANNEL_FIELD = frozenset().union(*FIELDS_OF_CHANNEL.values())

_UNPLACED_FIELD = re.compile("field `([^`]*)`")


def parse(message: str | bytes) -> Request:
    """Return the request of one message; raise RefusedRequest with the field that is wrong."""
    try:
        fields = exact_json.decode(message)
    except DoubledKey as fault:
        raise RefusedRequest("malformed", str(fault), field=fault.key[:64]) from None
    except JsonFault as fault:
        raise RefusedRequest("malformed", f"not JSON: {fault}", field="message") from None
    try:
        request: Request = msgspec.convert(fields, Request)
    except msgspec.ValidationError as error:
        raise _wrong_field(str(error), fields) from None
    if isinstance(request, Subscribe | Unsubscribe):
        _refuse_foreign_fields(request, fields)
    return request


def _refuse_foreign_fields(request: Subscribe | Unsubscribe, fields: Mapping[str, Any]) -> None:
    """Refuse the first field that the channel does not have and that is not null."""
    known = FIELDS_OF_CHANNEL[request.channel]
    for name, value in fields.items():
        if name in EVERY_CHANNEL_FIELD and name not in known and value is not None:
            told = ", ".join(known) or "no other field"
            detail = f"channel {request.channel!r} has no {name}; it has {told}"
            raise RefusedRequest("invalid_field", detail, field=name, request_id=request.id)


def _wrong_field(error: str, fields: Any) -> RefusedRequest:
    """Return the refusal of a message that is JSON but no request."""
    problem, _, path = error.partition(" - at `$")
    named = _UNPLACED_FIELD.search(problem)
    field = path.strip("`.") or (named[1] if named else "")
    if not field:
        return RefusedRequest("malformed", f"a request is a JSON object: {problem}", field="message")
    mend = MENDS.get(field, f"there are {', '.join(MENDS)}")
    return RefusedRequest("invalid_field", f"{problem}; {mend}", field=field, request_id=_id_of(fields))


def _id_of(fields: Any) -> int | str | None:
    """Return the id of a refused request where it can be read, so that the answer names it."""
    try:
        return msgspec.convert(fields, _Identified).id
    except msgspec.ValidationError:
        return None  # the refusal itself already says what is wrong
