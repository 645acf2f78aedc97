"""What a message asks for: its fields become the body that the same request has over HTTP.

So the forms of payments (gateways/payments/form.py, operations.py) judge both alike, and a payment gives one
command whichever door it comes through. A field that is not of its shape goes into the body as what no form
takes, and is refused there, in the order of the form.
"""

from collections.abc import Mapping
from typing import NamedTuple

from engine.payments.codes import Code
from engine.payments.currencies import LETTERS
from gateways.iso8583.messages import (
    ACCOUNT,
    AMOUNT,
    CURRENCY,
    ENTRY_MODE,
    EXPIRY,
    MERCHANT,
    NETWORK_CODE,
    ORIGINAL,
    PAN,
    PROCESSING_CODE,
    REPLACEMENT,
    SENT_AT,
    STAN,
    TERMINAL,
    Elements,
    is_whole,
)
from gateways.payments.bodies import Fields
from gateways.payments.values import (
    BODY,
    FORMAT,
    FormRefusal,
    amount_of,
    currency_of,
    is_merchant,
    is_pan,
    is_request_id,
    matching,
)

PAYMENTS: Mapping[str, str] = {
    "0100": "authorise",
    "0101": "authorise",
    "0200": "sale",
    "0201": "sale",
}
REVERSALS = frozenset(("0400", "0401", "0420", "0421"))
NETWORK = frozenset(("0800", "0801"))
UNSUPPORTED = int(Code["UNSUPPORTED"])
POS, ECOM, MOTO = "pos", "ecom", "moto"
CHANNELS = {"02": POS, "05": POS, "07": POS, "90": POS, "91": POS, "01": ECOM, "81": ECOM}
"""By the first two digits of DE 22; every other one is `moto`."""
DEBITS = range(20)
"""First two digits of DE 3 with which money goes from the card's account: goods, cash and the like."""
NETWORK_CODES = ("001", "002", "301")
"""Sign on, sign off, echo."""
KIND_DIGITS, STAN_DIGITS, SENT_AT_DIGITS = 4, 6, 10
"""Of DE 90: type, trace number, moment of sending; two institutions follow."""
REPLACEMENT_DIGITS = 12
"""Of DE 95: what the amount of the transaction is instead; other amounts follow."""
WHOLE_KEY, PART_KEY = "reversal", "reversal-in-part"
DE_OF_FIELD = {
    "merchant": MERCHANT, "channel": ENTRY_MODE, "amount": AMOUNT, "currency": CURRENCY, "account": ACCOUNT,
    "card": PAN, "card.pan": PAN, "card.expiry": EXPIRY, "terminal": TERMINAL,
    **{str(number): number for number in (PROCESSING_CODE, NETWORK_CODE, ORIGINAL, REPLACEMENT)},
}  # fmt: skip
"""The data element that a field of the body comes from; one that has no name there is named by its number."""


class Reversal(NamedTuple):
    """What a reversal asks for.

    original : the request_id of the payment that it is about
    is_sale : whether that is to be refunded rather than voided
    amount : how much of it; None: all that there is
    currency : of that amount, where it is given
    """

    merchant: str
    original: str
    is_sale: bool
    amount: int | None
    currency: str | None

    def whole_body(self) -> Fields:
        """Return the body of a void by its request."""
        return {"merchant": self.merchant, "request_id": self.original}

    def operation_body(self) -> Fields:
        """Return the body of an operation on the payment, whose own id is the same in every repeat."""
        key = WHOLE_KEY if self.amount is None else PART_KEY
        body: Fields = {"request_id": f"{key}:{self.original}"}
        return body if self.amount is None else {**body, "amount": self.amount}


def refuse_repeated_pan(elements: Elements) -> None:
    """Refuse a message in which another field contains the digits of the card: they must go nowhere."""
    if repeats_pan(elements):
        raise FormRefusal(FORMAT, BODY)


def repeats_pan(elements: Elements) -> frozenset[int]:
    """Return the fields, other than DE 2, that contain the digits of the card."""
    pan = elements.get(PAN, "")
    if not is_pan(pan):
        return frozenset()
    return frozenset(number for number, text in elements.items() if pan in text and number != PAN)


def payment_body(kind: str, elements: Elements) -> Fields:
    """Return the body of a payment; raise FormRefusal for what no body can say."""
    code = elements.get(PROCESSING_CODE)
    if code is not None:
        if not is_whole(PROCESSING_CODE, code):
            raise FormRefusal(FORMAT, str(PROCESSING_CODE))
        if int(code[:2]) not in DEBITS:
            raise FormRefusal(UNSUPPORTED, str(PROCESSING_CODE))
    body: Fields = {"op": PAYMENTS[kind], "card": {}}
    card = body["card"]
    request_id = request_id_of(elements)
    if request_id is not None:
        body["request_id"] = request_id
        body["terminal"] = elements[TERMINAL].strip()
    if MERCHANT in elements:
        body["merchant"] = elements[MERCHANT].strip()
    if ENTRY_MODE in elements:
        body["channel"] = _channel(elements[ENTRY_MODE])
    if AMOUNT in elements:
        body["amount"] = _number(AMOUNT, elements[AMOUNT])
    if CURRENCY in elements:
        body["currency"] = _letters(elements[CURRENCY])
    if ACCOUNT in elements:
        account = elements[ACCOUNT].strip()
        body["account"] = int(account) if account.isdigit() else account
    if PAN in elements:
        card["pan"] = elements[PAN]
    if EXPIRY in elements:
        card["expiry"] = elements[EXPIRY]
    return body


def reversal_of(elements: Elements) -> Reversal:
    """Return what a reversal is about; raise FormRefusal."""
    if request_id_of(elements) is None:
        raise FormRefusal(FORMAT, "request_id")
    if MERCHANT not in elements:
        raise FormRefusal(FORMAT, "merchant")
    original = elements.get(ORIGINAL, "")
    if not is_whole(ORIGINAL, original):
        raise FormRefusal(FORMAT, str(ORIGINAL))
    kind, rest = original[:KIND_DIGITS], original[KIND_DIGITS:]
    if kind not in PAYMENTS:
        raise FormRefusal(UNSUPPORTED, str(ORIGINAL))
    stan, sent_at = rest[:STAN_DIGITS], rest[STAN_DIGITS : STAN_DIGITS + SENT_AT_DIGITS]
    currency = _letters(elements[CURRENCY]) if CURRENCY in elements else None
    if currency is not None:
        currency_of(currency)
    return Reversal(
        merchant=matching(elements[MERCHANT].strip(), is_merchant, "merchant"),
        original=matching(f"{elements[TERMINAL].strip()}.{sent_at}.{stan}", is_request_id, "request_id"),
        is_sale=PAYMENTS[kind] == "sale",
        amount=_reversed_amount(elements),
        currency=currency,
    )


def network_code(elements: Elements) -> str:
    """Return what a network message is for; raise FormRefusal."""
    code = elements.get(NETWORK_CODE, "")
    if not is_whole(NETWORK_CODE, code):
        raise FormRefusal(FORMAT, str(NETWORK_CODE))
    if code not in NETWORK_CODES:
        raise FormRefusal(UNSUPPORTED, str(NETWORK_CODE))
    return code


def request_id_of(elements: Elements) -> str | None:
    """Return the id of a request, DE 41.7.11, None where one of them is missing or not of its shape."""
    return None if _fault_of_id(elements) else f"{elements[TERMINAL].strip()}.{_sent(elements)}"


def element_at_fault(field: str, elements: Elements) -> int:
    """Return the number of the data element that a field of the body comes from, 0 where that is unknown."""
    if field == "request_id":
        return _fault_of_id(elements) or TERMINAL
    return DE_OF_FIELD.get(field, 0)


def _fault_of_id(elements: Elements) -> int:
    if not elements.get(TERMINAL, "").strip():
        return TERMINAL
    return next((each for each in (SENT_AT, STAN) if not is_whole(each, elements.get(each, ""))), 0)


def _sent(elements: Elements) -> str:
    return f"{elements[SENT_AT]}.{elements[STAN]}"


def _channel(entry_mode: str) -> str:
    return CHANNELS.get(entry_mode[:2], MOTO) if is_whole(ENTRY_MODE, entry_mode) else entry_mode


def _number(name: int, text: str) -> int | str:
    """Return the number that a field is, or its text where it is none."""
    return int(text) if is_whole(name, text) else text


def _letters(number: str) -> str:
    """Return the letters of a currency's number, none where it is no currency's."""
    return LETTERS.get(int(number), "") if is_whole(CURRENCY, number) else ""


def _reversed_amount(elements: Elements) -> int | None:
    """Return by how much a reversal in part makes the amount less; None for a whole one."""
    given = elements.get(REPLACEMENT)
    if given is None:
        return None
    replacement = given[:REPLACEMENT_DIGITS]
    if not replacement.isdigit():
        raise FormRefusal(FORMAT, str(REPLACEMENT))
    asked = amount_of(_number(AMOUNT, elements.get(AMOUNT, "")))
    if int(replacement) == 0:
        return None
    return amount_of(asked - int(replacement))
