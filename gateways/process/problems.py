"""Problem documents (RFC 9457): what went wrong, as every door over HTTP writes it.

A door adds which reason has which status, and behind these members those of its own.
"""

from http import HTTPStatus

import msgspec

PROBLEM_JSON = "application/problem+json"
PHRASES: dict[int, str] = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    422: "Unprocessable Content",
}
"""As RFC 9110 has them; the Python of today has older ones."""
SHARED_TITLES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "Malformed request",
    HTTPStatus.REQUEST_TIMEOUT: "Request not completed in time",
    HTTPStatus.SERVICE_UNAVAILABLE: "Busy",
}
"""Titles of what is refused before any door has looked at it; the order door uses the same."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One problem document: the members that each has."""

    type: str
    title: str
    status: int
    detail: str
    reason: str
    field: str | None = None

    def body(self, **more: object) -> bytes:
        """Return the document as JSON; `more` stands behind its members."""
        return msgspec.json.encode(msgspec.structs.asdict(self) | more if more else self)


def type_of(reason: str) -> str:
    """Return the type of the problems that have this reason."""
    return f"urn:pinion:problem:{reason.replace('_', '-')}"


def problem(status: HTTPStatus, title: str, reason: str, detail: str, field: str | None = None) -> Problem:
    """Return the problem document of a reason."""
    return Problem(
        type=type_of(reason), title=title, status=int(status), detail=detail, reason=reason, field=field
    )
