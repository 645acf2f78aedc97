"""Problems: how this door tells a refusal, as a status and a problem document.

REST sends the document as a body, a WebSocket session inside a frame.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum

import msgspec

from engine.trading.records import Reason
from gateways.entry.outcome import CountReply, OrderReply, Outcome
from gateways.entry.refusals import DoorReason, Refusal, Refused
from gateways.json_lines.events import REASON_NAMES
from gateways.process.problems import SHARED_TITLES, Problem, type_of


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
    **SHARED_TITLES,
    HttpStatus.UNAUTHORISED: "Unauthorized",
    HttpStatus.FORBIDDEN: "Not permitted",
    HttpStatus.NOT_FOUND: "Not found",
    HttpStatus.METHOD_NOT_ALLOWED: "Method not allowed",
    HttpStatus.CONFLICT: "Duplicate client order id",
    HttpStatus.TOO_LARGE: "Request too large",
    HttpStatus.REFUSED: "Refused",
    HttpStatus.UPGRADE_REQUIRED: "WebSocket only",
    HttpStatus.TOO_MANY: "Rate limit",
    HttpStatus.UNKNOWN_OUTCOME: "Outcome unknown",
}


class HttpReason(StrEnum):
    """The reasons that there are only where HTTP is spoken."""

    UNKNOWN_PATH = "unknown_path"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    TOO_LARGE = "too_large"
    WEBSOCKET_ONLY = "websocket_only"


STATUS_OF_REASON: dict[str, HttpStatus] = {
    **dict.fromkeys(REASON_NAMES.values(), HttpStatus.REFUSED),  # of the engine, but for these:
    REASON_NAMES[Reason.DUPLICATE]: HttpStatus.CONFLICT,
    REASON_NAMES[Reason.DUPLICATE_REQUEST]: HttpStatus.CONFLICT,
    REASON_NAMES[Reason.UNKNOWN_ORDER]: HttpStatus.NOT_FOUND,
    REASON_NAMES[Reason.RATE_LIMIT]: HttpStatus.TOO_MANY,
    REASON_NAMES[Reason.NOT_PERMITTED]: HttpStatus.FORBIDDEN,
    REASON_NAMES[Reason.ACCOUNT_DISABLED]: HttpStatus.FORBIDDEN,
    REASON_NAMES[Reason.INVALID_FIELD]: HttpStatus.MALFORMED,
    DoorReason.MALFORMED: HttpStatus.MALFORMED,
    DoorReason.UNAUTHORIZED: HttpStatus.UNAUTHORISED,
    DoorReason.BUSY: HttpStatus.BUSY,
    DoorReason.RECOVERING: HttpStatus.BUSY,
    DoorReason.LATCHED: HttpStatus.BUSY,
    DoorReason.STOPPING: HttpStatus.BUSY,
    DoorReason.OUTCOME_UNKNOWN: HttpStatus.UNKNOWN_OUTCOME,
    HttpReason.UNKNOWN_PATH: HttpStatus.NOT_FOUND,
    HttpReason.METHOD_NOT_ALLOWED: HttpStatus.METHOD_NOT_ALLOWED,
    HttpReason.REQUEST_TIMEOUT: HttpStatus.REQUEST_TIMEOUT,
    HttpReason.TOO_LARGE: HttpStatus.TOO_LARGE,
    HttpReason.WEBSOCKET_ONLY: HttpStatus.UPGRADE_REQUIRED,
}


class OrderProblem(Problem, frozen=True, kw_only=True):
    """A problem document of this door; the members of its own stand only where they say something."""

    seq: int | msgspec.UnsetType | None = msgspec.UNSET
    order_id: int | msgspec.UnsetType | None = msgspec.UNSET
    client_order_id: int | str | msgspec.UnsetType | None = msgspec.UNSET
    order_status: str | msgspec.UnsetType | None = msgspec.UNSET
    cum_quantity: str | msgspec.UnsetType = msgspec.UNSET
    leaves_quantity: str | msgspec.UnsetType = msgspec.UNSET
    original_seq: int | msgspec.UnsetType = msgspec.UNSET
    group: int | msgspec.UnsetType = msgspec.UNSET
    rule: str | msgspec.UnsetType = msgspec.UNSET
    rule_reason: str | msgspec.UnsetType | None = msgspec.UNSET
    rule_fault: bool | msgspec.UnsetType = msgspec.UNSET


class WrongMethod(Refused):
    """Exception that refuses a method which an address does not take.

    allow : the methods that it does take, as the Allow header lists them
    """

    def __init__(self, method: str, known: Iterable[str]) -> None:
        self.allow = ", ".join(known)
        detail = f"{method} is not taken here; use {self.allow}"
        super().__init__(Refusal(HttpReason.METHOD_NOT_ALLOWED, detail))


def status_of(refusal: Refusal) -> HttpStatus:
    """Return the status of a refusal; what has a number the engine has read, so it is not malformed."""
    status = STATUS_OF_REASON[refusal.reason]
    if status == HttpStatus.MALFORMED and isinstance(refusal.seq, int):
        return HttpStatus.REFUSED
    return status


def problem_of(refusal: Refusal) -> OrderProblem:
    """Return the problem document of a refusal."""
    status = status_of(refusal)
    return OrderProblem(
        type=type_of(refusal.reason),
        title=TITLES[status],
        status=int(status),
        **msgspec.structs.asdict(refusal),
    )


def document_of(result: Outcome) -> OrderReply | CountReply | OrderProblem:
    """Return what is encoded of an outcome: a reply as it is, a refusal as its problem document."""
    return problem_of(result) if isinstance(result, Refusal) else result
