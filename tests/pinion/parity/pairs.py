"""Pairs as tests write them, without a capture."""

import json
from typing import Any

from gateways.payments.door.routes import route_of
from pinion.parity.pairs import Pair

PAYMENTS = "/v1/payments"
AT_MS = 1_700_000_000_000
SET_UP = b"""{"op":"merchant","merchant":"m1"}
{"op":"account","account":1,"balances":{"EUR":1000000}}
"""


def pair(
    n: int,
    body: dict[str, Any] | bytes,
    reply: dict[str, Any] | None = None,
    *,
    path: str = PAYMENTS,
    method: str = "POST",
    status: int | None = 200,
    at_ms: int = AT_MS,
) -> Pair:
    """Return a request and its answer; without a reply none came."""
    request = body if isinstance(body, bytes) else json.dumps(body).encode()
    answered = None if reply is None else json.dumps(reply).encode()
    status = None if reply is None else status
    return Pair(n, at_ms, method, path, route_of(method, path), request, status, answered)


def pay(request_id: str = "r1", **fields: Any) -> dict[str, Any]:
    """Return the body of a payment."""
    card = {"pan": "4111111111111111", "expiry": "4912"}
    return {
        "request_id": request_id, "merchant": "m1", "channel": "pos", "amount": 1000, "currency": "EUR",
        "account": 1, "card": card, **fields,
    }  # fmt: skip


def paid(payment: str, request_id: str = "r1", **fields: Any) -> dict[str, Any]:
    """Return the reply to a payment that was approved."""
    return {
        "payment": payment, "request_id": request_id, "decision": "APPROVE", "code": "OK", "iso": "00",
        "field": None, "rule": None, "retry": "NONE", "amount": 1000, "approved_amount": 1000,
        "currency": "EUR", "state": "open", "ruleset": 1, "cohort": "control", "matched": [],
        "replayed": False, "approval": "00000H", "seq": 17, **fields,
    }  # fmt: skip
