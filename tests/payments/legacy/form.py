"""The form of a payment: what its body must look like before anybody decides about it.

A check of a value returns the code of its refusal, or None. The order of judgement is that of decision 30:
an object, unknown and repeated fields, a text that repeats the PAN, missing fields, values.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.payments.legacy.addresses import network_of
from tests.payments.legacy.currencies import EXPONENTS
from tests.payments.legacy.windows import DAY_MS

Body = dict[str, Any]
Wrong = tuple[str, str]
"""Code and field of a refusal."""
Check = Callable[[Any], str | None]

AMOUNT_MAX = 999_999_999_999
ACCOUNT_MAX = 2**63 - 1
AHEAD_MS_MAX = 400 * DAY_MS
BODY = "body"
PAN = re.compile(r"[0-9]{12,19}")
UNASKED = ("received_at", "explain")
"""The fields that are not part of what is asked."""
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")  # a digit twice, its own digits added up


class Repeated(dict[str, Any]):
    """An object that has a field twice, beside its fields in the order of the body."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def parsed(body: bytes | Body) -> tuple[Any, str]:
    """Return what a body says, None where it is no JSON, and its canonical text where it is an object."""
    try:
        if isinstance(body, bytes):
            body = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_no_number)
        return body, canonical(body) if isinstance(body, dict) else ""
    except (ValueError, RecursionError):  # it is refused as no object
        return None, ""


def canonical(body: Body) -> str:
    """Return the text that two bodies share which ask the same: it has neither moment nor `explain`."""
    return _ENCODER.encode({name: value for name, value in body.items() if name not in UNASKED})


def _object(pairs: list[tuple[str, Any]]) -> Body:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeated(pairs)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def misnamed(body: Body, fields: frozenset[str], prefix: str = "") -> str:
    """Return the first unknown or repeated field, those of a card at its place; "" where there is none."""
    if not isinstance(body, Repeated) and body.keys() <= fields:
        return misnamed(body["card"], CARD_FIELDS, "card.") if isinstance(body.get("card"), dict) else ""
    seen = set()
    for name, value in body.pairs if isinstance(body, Repeated) else body.items():
        if name not in fields or name in seen:
            return prefix + name if _may_be_repeated(name) else BODY
        seen.add(name)
        if name == "card" and isinstance(value, dict):
            found = misnamed(value, CARD_FIELDS, "card.")
            if found:
                return found
    return ""


def _may_be_repeated(name: str) -> bool:
    """Tell whether a reply may repeat a field's name: it cannot be a PAN, and is Unicode."""
    digits = sum(each in "0123456789" for each in name)
    return digits < 12 and not any("\ud800" <= each <= "\udfff" for each in name)


def pan_of(body: Any) -> str | None:
    """Return the PAN that no text may repeat."""
    card = body.get("card") if isinstance(body, dict) else None
    pan = card.get("pan") if isinstance(card, dict) else None
    return pan if isinstance(pan, str) and PAN.fullmatch(pan) else None


def repeats_pan(body: Body, text: str) -> bool:
    """Tell whether a string or an integer of a body, whose canonical text this is, repeats its PAN."""
    pan = pan_of(body)
    if pan is None:
        return False
    if text.count(pan) == 1 and not has_digits([body.get(name) for name in UNASKED], pan):
        return False  # the text has it in its place alone
    card_rest = [value for name, value in body["card"].items() if name != "pan"]
    return has_digits([value for name, value in body.items() if name != "card"] + card_rest, pan)


def has_digits(value: Any, digits: str) -> bool:
    """Tell whether a string or an integer contains digits, at any depth of a value."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            left += each
        elif isinstance(each, str) or type(each) is int:
            if digits in str(each):
                return True
    return False


def _matching(pattern: str) -> Check:
    matches = re.compile(pattern).fullmatch

    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and matches(value) else "FORMAT"

    return check


def _one_of(*words: str) -> Check:
    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and value in words else "FORMAT"

    return check


def whole(least: int, most: int) -> Check:
    """Return a check for an integer of a range."""

    def check(value: Any) -> str | None:
        return None if type(value) is int and least <= value <= most else "FORMAT"

    return check


def amount(value: Any) -> str | None:
    """Check an amount in minor units."""
    if type(value) is not int:
        return "FORMAT"
    return None if 1 <= value <= AMOUNT_MAX else "BAD_AMOUNT"


def currency(value: Any) -> str | None:
    """Check the letters of a currency."""
    if not isinstance(value, str):
        return "FORMAT"
    return None if value in EXPONENTS else "BAD_CURRENCY"


def flag(value: Any) -> str | None:
    """Check a truth value."""
    return None if type(value) is bool else "FORMAT"


def _pan(value: Any) -> str | None:
    if not isinstance(value, str) or not PAN.fullmatch(value):
        return "FORMAT"
    digits = value.encode()[::-1]
    summands = digits[::2] + digits[1::2].translate(_DOUBLED)
    return None if (sum(summands) - len(summands) * ord("0")) % 10 == 0 else "BAD_PAN"


def _ip(value: Any) -> str | None:
    return None if isinstance(value, str) and network_of(value) else "FORMAT"


name_64 = _matching(r"[A-Za-z0-9._:-]{1,64}")
name_24 = _matching(r"[A-Za-z0-9._:-]{1,24}")
country = _matching("[A-Z]{2}")
channel = _one_of("ecom", "pos", "moto", "recurring")
card_type = _one_of("credit", "debit", "prepaid")
account = whole(1, ACCOUNT_MAX)
_TEXT = "[^\x00-\x1f\x7f\ud800-\udfff]"
token = _matching(_TEXT + "{1,64}")
device = _matching(_TEXT + "{1,128}")
email = _matching(_TEXT + "{3,254}")

BEFORE_CARD: tuple[tuple[str, Check], ...] = (
    ("request_id", name_64),
    ("merchant", name_24),
    ("op", _one_of("authorise", "sale")),
    ("channel", channel),
    ("amount", amount),
    ("currency", currency),
    ("account", account),
)
CARD: tuple[tuple[str, Check], ...] = (
    ("pan", _pan),
    ("token", token),
    ("bin", _matching("[0-9]{6,8}")),
    ("last4", _matching("[0-9]{4}")),
    ("expiry", _matching("[0-9]{2}(0[1-9]|1[0-2])")),
    ("type", card_type),
    ("issuer_country", country),
)
AFTER_CARD: tuple[tuple[str, Check], ...] = (
    ("terminal", _matching(r"[\x20-\x7e]{1,16}")),
    ("device", device),
    ("ip", _ip),
    ("email", email),
    ("ip_country", country),
    ("sca", flag),
    ("cvv_result", _one_of("match", "mismatch", "none")),
    ("avs_result", _one_of("match", "mismatch", "none", "partial")),
    ("score", whole(0, 1000)),
    ("allow_partial", flag),
    ("explain", flag),
)
REQUIRED = ("request_id", "merchant", "channel", "amount", "currency", "account", "card")
FIELDS = frozenset([name for name, _ in BEFORE_CARD + AFTER_CARD] + ["card", "received_at"])
CARD_FIELDS = frozenset(name for name, _ in CARD)


def wrong_in_payment(body: Any, text: str, now_ms: int | None, luhn: bool = True) -> Wrong | None:
    """Return the first fault in the form of a payment; `now_ms` is None where `received_at` is not taken."""
    if not isinstance(body, dict):
        return "FORMAT", BODY
    named = misnamed(body, FIELDS)
    if named:
        return "FORMAT", named
    if repeats_pan(body, text):
        return "FORMAT", BODY
    for name in REQUIRED:
        if name not in body:
            return "FORMAT", name
    card = body["card"]
    if isinstance(card, dict):
        if "pan" not in card and "token" not in card:
            return "FORMAT", "card"
        if "expiry" not in card:
            return "FORMAT", "card.expiry"
    return (
        wrong_value(body, BEFORE_CARD)
        or _wrong_in_card(card, luhn)
        or wrong_value(body, AFTER_CARD)
        or wrong_moment(body, now_ms)
    )


def wrong_value(body: Body, checks: tuple[tuple[str, Check], ...]) -> Wrong | None:
    """Return the first wrong value of the fields that are there, in the order of the checks."""
    for name, check in checks:
        if name in body:
            code = check(body[name])
            if code:
                return code, name
    return None


def _wrong_in_card(card: Any, luhn: bool) -> Wrong | None:
    if not isinstance(card, dict) or ("pan" in card and "token" in card):
        return "FORMAT", "card"
    for name, check in CARD:
        if name in card:
            code = check(card[name])
            if name in ("bin", "last4") and "pan" in card:
                code = "FORMAT"
            if code == "BAD_PAN" and not luhn:
                continue
            if code:
                return code, f"card.{name}"
    return None


def wrong_moment(body: Body, now_ms: int | None) -> Wrong | None:
    """Return the fault of `received_at`, which is taken where the clock is that of requests."""
    if "received_at" not in body:
        return None
    if now_ms is None or whole(0, now_ms + AHEAD_MS_MAX)(body["received_at"]):
        return "FORMAT", "received_at"
    return None
