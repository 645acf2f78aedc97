"""What a stream reader may say: one JSON object a message, checked field by field.

    {"op":"auth","token":"KEY"}                                     first, unless sent as a header
    {"op":"subscribe","channel":"book","symbol":"BTC-USD","depth":25}
    {"op":"subscribe","channel":"trades"|"ticker","symbol":"BTC-USD","after_seq":123}
    {"op":"subscribe","channel":"fills"|"orders","account":1,"after_seq":123}
    {"op":"subscribe","channel":"status"}
    {"op":"unsubscribe", ... the same channel, symbol, depth and account}
    {"op":"ping"}
Every request may carry an "id" that its answer repeats.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

STREAM_DEPTH = 25
STREAM_DEPTH_MAX = 1000
REQUEST_BYTES_MAX = 4096

RequestId = Annotated[str, Meta(max_length=64)] | int | None
Channel = Literal["book", "trades", "ticker", "fills", "orders", "status"]
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


_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_identified = msgspec.json.Decoder(_Identified)


def parse(message: str | bytes) -> Request:
    """Return the request of one message; raise RefusedRequest with the field that is wrong."""
    try:
        return _decoder.decode(message)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        field = path.strip("`.") or None
        raise RefusedRequest("invalid_field", problem, field=field, request_id=_id_of(message)) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RefusedRequest("malformed", f"not a JSON object: {error}") from None


def _id_of(message: str | bytes) -> int | str | None:
    """Return the id of a refused request where it can be read, so that the answer names it."""
    try:
        return _identified.decode(message).id
    except (msgspec.DecodeError, UnicodeError):
        return None  # the refusal itself already says what is wrong
