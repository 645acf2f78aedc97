"""Events and views for tests, as an engine would give them."""

from typing import Any

import numpy as np

from engine.payments.codes import Code
from engine.payments.records import EVENT, Decision, EventKind, Op, State
from engine.payments.view.live_view import PaymentView
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


def view(**changes: Any) -> PaymentView:
    """Return the view of an approved payment of merchant m1 with other values."""
    fields: dict[str, Any] = {
        **{"payment": 17, "request_id": "r1", "merchant": "m1", "account": 1, "amount": 1000},
        **{"approved_amount": 1000, "currency": 978, "exponent": 2, "code": int(Code["OK"])},
        **{
            "rule": 0,
            "field": 0,
            "decision": 1,
            "state": State.OPEN,
            "matched": 0,
            "user_matched": 0,
            "ruleset": 1,
        },
        **{"cohort": 0, "captured": 0, "refunded": 0, "held": 1000, "disclosed": 0},
    }
    return PaymentView(**fields | changes)
