"""Refusals that have no code of payments: problem documents, as every door over HTTP writes them.

None repeats what a client has sent: it may be a PAN in the wrong place.
"""

from collections.abc import Iterable
from http import HTTPStatus

from gateways.process.answers import Reply, refusal


class DoorRefusal(Exception):  # noqa: N818 - an answer, not a fault of ours
    """A request that is refused before, or beside, its form."""

    def __init__(
        self, status: HTTPStatus, reason: str, detail: str, field: str | None = None, allow: str = ""
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.field = field
        self.allow = allow

    def reply(self, keep_alive: bool = True) -> Reply:
        """Return the problem document."""
        answer = refusal(self.status, self.reason, self.detail, self.field, keep_alive)
        answer.allow = self.allow
        return answer


def unauthorised(detail: str) -> DoorRefusal:
    """Refuse a request without a known key."""
    return DoorRefusal(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, "Authorization")


def forbidden(detail: str, field: str | None = None) -> DoorRefusal:
    """Refuse what the key may not do."""
    return DoorRefusal(HTTPStatus.FORBIDDEN, "not_permitted", detail, field)


def wrong_method(known: Iterable[str]) -> DoorRefusal:
    """Refuse a method that an address does not take."""
    allow = ", ".join(known)
    detail = f"this method is not taken here; use {allow}"
    return DoorRefusal(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail, allow=allow)


def malformed(detail: str, field: str) -> DoorRefusal:
    """Refuse a header or a query that cannot be read."""
    return DoorRefusal(HTTPStatus.BAD_REQUEST, "malformed", detail, field)


def unknown(reason: str, detail: str) -> DoorRefusal:
    """Refuse an address at which there is nothing."""
    return DoorRefusal(HTTPStatus.NOT_FOUND, reason, detail)


def misdirected() -> DoorRefusal:
    """Refuse a payment that a load balancer has routed by another account than its body names."""
    detail = "this is not the account of the body; send one and the same"
    return DoorRefusal(HTTPStatus.MISDIRECTED_REQUEST, "wrong_account", detail, "Pinion-Account")
