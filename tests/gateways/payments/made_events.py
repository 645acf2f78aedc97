"""Events for tests, as an engine would send them."""

from typing import Any

import numpy as np

from engine.payments.codes import Code
from engine.payments.records import EVENT, Decision, EventKind, Op, State
from gateways.payments.events import PaymentEvent, payment_events

APPROVED: dict[str, Any] = {
    "kind": EventKind.DECIDED,
    "op": Op.PAY,
    "seq": 17,
    "payment": 17,
    "account": 1,
    "amount": 1000,
    "approved_amount": 1000,
    "code": Code["OK"],
    "state": State.OPEN,
    "decision": Decision.APPROVE,
    "ruleset": 1,
    "currency": 978,
    "exponent": 2,
    "channel": 1,
    "reply_seq": 17,
}


def record(**changes: Any) -> Any:
    """Return an array of one EVENT: an approval with other values."""
    event = np.zeros(1, EVENT)
    for name, value in {**APPROVED, **changes}.items():
        event[name] = value
    return event


def event(**changes: Any) -> PaymentEvent:
    """Return an approval with other values."""
    return next(payment_events(record(**changes)))
