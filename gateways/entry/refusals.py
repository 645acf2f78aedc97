"""Problems: what went wrong, as RFC 9457 documents.

A Problem is a value: the HTTP status, the reason (a lower-case name of the closed
Reason list, or one of the door's own), what was meant, and for a duplicate where the
original stands. REST sends it as a body, a WebSocket session inside a frame.

Before a command is published a door may refuse; afterwards it may only say that the
outcome is unknown (protocol rule 2): `outcome_unknown`.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

import msgspec

from engine.contract.port import Closed
from engine.trading.instruments import RefusedAtDoor
from engine.trading.records import Reason
from gateways.process.answers import RETRY_AFTER_S


class HttpStatus(IntEnum):
    """The statuses this door answers with."""

    OK = 200
    MALFORMED = 400
    UNAUTHORISED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    METHOD_NOT_ALLOWED = 405
    REQUEST_TIMEOUT = 408
    CONFLICT = 409
    TOO_LARGE = 413
    REFUSED = 422
    UPGRADE_REQUIRED = 426
    TOO_MANY = 429
    BUSY = 503
    UNKNOWN_OUTCOME = 504


TITLES = {
    HttpStatus.MALFORMED: "Malformed request",
    HttpStatus.UNAUTHORISED: "Unauthorized",
    HttpStatus.FORBIDDEN: "Not permitted",
    HttpStatus.NOT_FOUND: "Not found",
    HttpStatus.METHOD_NOT_ALLOWED: "Method not allowed",
    HttpStatus.REQUEST_TIMEOUT: "Request not completed in time",
    HttpStatus.CONFLICT: "Duplicate client order id",
    HttpStatus.TOO_LARGE: "Request too large",
    HttpStatus.REFUSED: "Refused",
    HttpStatus.UPGRADE_REQUIRED: "WebSocket only",
    HttpStatus.TOO_MANY: "Rate limit",
    HttpStatus.BUSY: "Busy",
    HttpStatus.UNKNOWN_OUTCOME: "Outcome unknown",
}

STATUS_OF_REASON = {
    Reason.DUPLICATE: HttpStatus.CONFLICT,
    Reason.DUPLICATE_REQUEST: HttpStatus.CONFLICT,
    Reason.UNKNOWN_ORDER: HttpStatus.NOT_FOUND,
    Reason.RATE_LIMIT: HttpStatus.TOO_MANY,
    Reason.NOT_PERMITTED: HttpStatus.FORBIDDEN,
    Reason.ACCOUNT_DISABLED: HttpStatus.FORBIDDEN,
}
"""Every other reason of the engine is 422."""

FIELD_OF_REASON = {
    Reason.UNKNOWN_ACCOUNT: "account",
    Reason.UNKNOWN_INSTRUMENT: "symbol",
    Reason.INVALID_CLIENT_ORDER_ID: "client_order_id",
    Reason.INVALID_SIDE: "side",
    Reason.INVALID_TYPE: "type",
    Reason.INVALID_TIME_IN_FORCE: "time_in_force",
    Reason.INVALID_EXPIRY: "expires_at",
    Reason.INVALID_QUANTITY: "quantity",
    Reason.MAX_QUANTITY: "quantity",
    Reason.INVALID_PRICE: "price",
    Reason.PRICE_BAND: "price",
    Reason.PRICE_COLLAR: "price",
}
"""The field that a reason of the engine is about, where it is one."""

DETAILS = {
    Reason.INVALID_QUANTITY: "the quantity must be above zero",
    Reason.INVALID_PRICE: "a limit price must be above zero and at most the instrument's max_price",
    Reason.MAX_QUANTITY: "the quantity is above the instrument's max_quantity; enter less",
    Reason.MAX_NOTIONAL: "price x quantity is above the instrument's max_notional; enter less",
    Reason.PRICE_BAND: "the price lies outside the instrument's band_low to band_high",
    Reason.PRICE_COLLAR: "the price is further from the mark than the instrument's collar allows",
    Reason.MAX_OPEN_ORDERS: "the account has its max_open_orders; cancel one first",
    Reason.MAX_POSITION: "with this order filled the account could pass its max_position",
    Reason.DUPLICATE: "this client_order_id was used before; the original order stands as given here",
    Reason.UNKNOWN_ORDER: "no open order of this account has that id",
    Reason.RATE_LIMIT: "the account's order rate is used up; slow down",
    Reason.UNKNOWN_ACCOUNT: "the engine knows no account of that number",
    Reason.NOT_PERMITTED: "the role or account of this session does not permit the operation",
    Reason.UNSUPPORTED: "the engine does not offer this yet; nothing was done",
    Reason.INSUFFICIENT_FUNDS: "the free balance does not cover price x quantity and fee",
    Reason.INVALID_EXPIRY: "expires_at belongs to time_in_force gtd alone",
    Reason.NO_LIQUIDITY: "the opposite side of the book is empty",
    Reason.POST_ONLY_WOULD_CROSS: "the order would have traded at once",
    Reason.FOK_UNFILLABLE: "the whole quantity cannot be filled now",
    Reason.NOT_ALLOWED_IN_PHASE: "the instrument's trading phase does not allow it",
}

NOT_BUILT: dict[str, Callable[[Any], bool]] = {
    "type": lambda value: value not in (None, "limit", "market"),
    "time_in_force": lambda value: value == "gtd",
    "reduce_only": bool,
    "display_quantity": lambda value: value is not None,
    "trail": lambda value: value is not None,
}
"""Fields of a new order with what the engine answers `unsupported`, in the order of its checks."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One RFC 9457 document; the extension members stand only where they say something."""

    type: str
    title: str
    status: int
    detail: str
    reason: str
    field: str | None = None
    seq: int | msgspec.UnsetType | None = msgspec.UNSET
    order_id: int | msgspec.UnsetType | None = msgspec.UNSET
    client_order_id: int | str | msgspec.UnsetType | None = msgspec.UNSET
    order_status: str | msgspec.UnsetType | None = msgspec.UNSET
    cum_quantity: str | msgspec.UnsetType = msgspec.UNSET
    leaves_quantity: str | msgspec.UnsetType = msgspec.UNSET

    def body(self) -> bytes:
        """Return the document as JSON."""
        return msgspec.json.encode(self)


def problem(status: HttpStatus, reason: str, detail: str, field: str | None = None, **extra: Any) -> Problem:
    """Return a problem document of that status and reason."""
    return Problem(
        type=f"urn:pinion:problem:{reason.replace('_', '-')}",
        title=TITLES[status],
        status=int(status),
        detail=detail,
        reason=reason,
        field=field,
        **extra,
    )


class Refused(ValueError):  # noqa: N818 - an answer, not a fault of ours
    """Exception that refuses a request before anything was published: the client's fault, or a full door."""

    def __init__(self, document: Problem, allow: str = "") -> None:
        super().__init__(document.detail)
        self.problem = document
        self.allow = allow
        """Of 405: the methods that the address takes, as the Allow header lists them."""


def cause(reason: Reason, fields: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return (detail, field) of a command that the engine rejected, told from what was asked for."""
    name = reason.name.lower().replace("_", " ")
    detail = DETAILS.get(reason, f"the engine rejected the command: {name}")
    field = FIELD_OF_REASON.get(reason)
    if fields.get("op") != "new":
        return detail, field
    if reason == Reason.INVALID_PRICE and fields.get("price") is None:
        return "the price is missing: a limit order needs one, a market order says so in `type`", "price"
    if reason == Reason.UNSUPPORTED:
        for asked, is_missing in NOT_BUILT.items():
            if is_missing(fields.get(asked)):
                return f"{asked} {str(fields[asked])[:40]!r}: {detail}", asked
    return detail, field


def malformed(detail: str, field: str | None = None) -> Refused:
    """Refuse what cannot be read as a request."""
    return Refused(problem(HttpStatus.MALFORMED, "malformed", detail, field))


def forbidden(detail: str, field: str | None = None) -> Refused:
    """Refuse what the key may not do."""
    return Refused(problem(HttpStatus.FORBIDDEN, "not_permitted", detail, field))


def unauthorised(detail: str) -> Refused:
    """Refuse a request without a known key."""
    return Refused(problem(HttpStatus.UNAUTHORISED, "unauthorized", detail, "Authorization"))


def refused_at_door(refusal: RefusedAtDoor) -> Refused:
    """Refuse a value that no record can carry; ill-typed ones are malformed."""
    status = HttpStatus.REFUSED
    if refusal.reason == Reason.INVALID_FIELD:
        status = HttpStatus.MALFORMED
    shown = repr(refusal.value)
    if len(shown) > 80:
        shown = shown[:80] + "..."
    detail = f"{refusal.field} {shown}: {refusal.detail}"
    return Refused(problem(status, refusal.reason.name.lower(), detail, refusal.field, seq=None))


def busy() -> Problem:
    """The command ring is full: nothing was published."""
    return problem(
        HttpStatus.BUSY, "busy", f"the engine's command ring is full; retry after {RETRY_AFTER_S} s"
    )


def not_now(closed: Closed) -> Problem:
    """The engine takes no commands for now: nothing was published."""
    if closed is Closed.RECOVERING:
        detail = f"the engine rebuilds its state after a restart; retry after {RETRY_AFTER_S} s"
    else:
        detail = "the journal is latched: the engine accepts nothing until an operator has mended it"
    return problem(HttpStatus.BUSY, closed.value, detail)


def outcome_unknown(cause: str) -> Problem:
    """The command was published and its answer did not come: it may or may not take effect."""
    return problem(
        HttpStatus.UNKNOWN_OUTCOME,
        "outcome_unknown",
        f"{cause}; the command was handed to the engine and may have taken or may yet take effect. "
        "Send it again with the same client_order_id (a duplicate is refused and says where the order "
        "stands) or ask the API for /v1/orders/client:ID?account=ACCOUNT",
    )
