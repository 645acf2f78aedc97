"""A service with a merchant and an account, and a payment that it approves."""

from typing import Any

from tests.payments.legacy.service import Legacy
from tests.payments.legacy.steps import NOW, PAN


def known(**settings: Any) -> Legacy:
    """Return a service that knows a merchant and an account; its next command has the number 17."""
    service = Legacy(**settings)
    service.set_up({"op": "merchant", "merchant": "m1"}, NOW)
    service.set_up({"op": "account", "account": 1, "balances": {"EUR": 10_000}}, NOW)
    service.seq = 16
    return service


def payment(**changes: Any) -> dict[str, Any]:
    """Return the body of a payment that is approved, but for the changes."""
    return {
        "request_id": "r1",
        "merchant": "m1",
        "channel": "pos",
        "amount": 1000,
        "currency": "EUR",
        "account": 1,
        "card": {"pan": PAN, "expiry": "3012"},
        "received_at": NOW,
        **changes,
    }
