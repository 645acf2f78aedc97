"""Bodies of payments for tests: a whole one, and what a change of it makes."""

import json
from typing import Any

import numpy as np

from engine.payments.codes import Code
from engine.payments.records import COMMAND, Clock
from gateways.payments.form import Asked, PaymentForm
from gateways.payments.hashing import KEY_BYTES, Hasher
from gateways.payments.operations import OperationForm
from gateways.payments.values import FormRefusal

PAN, OTHER_PAN = "4111111111111111", "5500005555555559"
NOW_MS = 1_800_000_000_000
HASHER = Hasher(bytes(range(KEY_BYTES)))
FORM = PaymentForm(HASHER, Clock.ENGINE, lambda: NOW_MS)
REPLAYED = PaymentForm(HASHER, Clock.REQUEST, lambda: NOW_MS)
OPERATIONS = OperationForm(FORM)
LEFT_OUT = object()
FORMAT, BAD_AMOUNT, BAD_CURRENCY, BAD_PAN = (
    Code[name] for name in ("FORMAT", "BAD_AMOUNT", "BAD_CURRENCY", "BAD_PAN")
)

CARD: dict[str, Any] = {"pan": PAN, "expiry": "3012", "type": "credit", "issuer_country": "DE"}
TOKEN_CARD: dict[str, Any] = {"token": "tok-1", "bin": "411111", "last4": "1111", "expiry": "3012"}
WHOLE: dict[str, Any] = {
    "request_id": "r-1:a",
    "merchant": "m1",
    "op": "sale",
    "channel": "ecom",
    "amount": 1000,
    "currency": "EUR",
    "account": 17,
    "card": CARD,
    "terminal": "till 4",
    "device": "phone:7",
    "ip": "2001:db8::1",
    "email": "Ann@Example.com",
    "ip_country": "FR",
    "sca": True,
    "cvv_result": "match",
    "avs_result": "partial",
    "score": 12,
    "allow_partial": True,
    "explain": True,
}


def body(**changes: Any) -> dict[str, Any]:
    """Return the whole body with other values; LEFT_OUT leaves a field out, card_x is x of the card."""
    fields, card = dict(WHOLE), dict(CARD)
    for name, value in changes.items():
        target = card if name.startswith("card_") else fields
        target[name.removeprefix("card_")] = value
    if "card" not in changes:
        fields["card"] = {name: value for name, value in card.items() if value is not LEFT_OUT}
    return {name: value for name, value in fields.items() if value is not LEFT_OUT}


def record_of(asked: Asked) -> Any:
    """Return the command of what was asked."""
    return np.frombuffer(bytes(asked.record), COMMAND)[0]


def judged(given: dict[str, Any] | bytes | str, form: Any = FORM) -> tuple[int, str] | None:
    """Return code and field of a refusal; an object is judged as such and as text, to one result."""
    found: list[tuple[int, str] | None] = []
    texts: list[Any] = [given]
    if isinstance(given, str):
        texts = [given.encode()]
    elif isinstance(given, dict):
        texts += [json.dumps(given).encode(), json.dumps(given, indent=1).encode()]
    for text in texts:
        try:
            form.pay(text)
            found.append(None)
        except FormRefusal as refusal:
            found.append((refusal.code, refusal.field))
    assert all(each == found[0] for each in found)
    return found[0]
