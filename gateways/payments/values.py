"""Values of fields: what each may be, and what stands for it in a record.

A check takes a value as JSON has it and the name of its field, and returns what a record holds, or raises
`FormRefusal`. JSON's integers are ints here, and true and false are none.
"""

import re
from collections.abc import Mapping
from typing import Any

from engine.payments.codes import BY_NUMBER, Code
from engine.payments.countries import CAPITALS, FIRST
from engine.payments.currencies import CURRENCIES, PaymentCurrency
from engine.payments.records import AMOUNT_MAX

ACCOUNT_MAX = 2**63 - 1
FORMAT, BAD_AMOUNT = Code["FORMAT"], Code["BAD_AMOUNT"]
BAD_CURRENCY, BAD_PAN = Code["BAD_CURRENCY"], Code["BAD_PAN"]
BODY = "body"
"""The field that is named where none is to blame, or none may be named."""
_TEXT = "[^\x00-\x1f\x7f\ud800-\udfff]"  # no control characters, and nothing that is no Unicode

is_request_id = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch
is_merchant = re.compile(r"[A-Za-z0-9._:-]{1,24}").fullmatch
is_pan = re.compile(r"[0-9]{12,19}").fullmatch
is_token = re.compile(_TEXT + "{1,64}").fullmatch
is_device = re.compile(_TEXT + "{1,128}").fullmatch
is_email = re.compile(_TEXT + "{3,254}").fullmatch
is_terminal = re.compile(r"[\x20-\x7e]{1,16}").fullmatch
is_bin = re.compile(r"[0-9]{6,8}").fullmatch
is_last4 = re.compile(r"[0-9]{4}").fullmatch
is_expiry = re.compile(r"[0-9]{2}(0[1-9]|1[0-2])").fullmatch
is_country = re.compile(r"[A-Z]{2}").fullmatch

_AS_IS = bytes(max(0, each - 48) % 256 for each in range(256))
_DOUBLED = bytes(sum(divmod(2 * (each - 48), 10)) % 256 if 48 <= each < 58 else 0 for each in range(256))


class FormRefusal(ValueError):  # noqa: N818 - an answer, not a fault of ours
    """A body that is refused for its form: the code, the field at fault, what a reply may repeat of it."""

    def __init__(self, code: int, field: str) -> None:
        super().__init__(f"{field}: {BY_NUMBER[code].name}")
        self.code = code
        self.field = field
        self.request_id: str | None = None
        self.amount: int | None = None
        self.currency: str | None = None


def matching(value: Any, is_such: Any, field: str) -> str:
    """Return a text of a shape; is_such : the `fullmatch` of its pattern."""
    if type(value) is not str or not is_such(value):
        raise FormRefusal(FORMAT, field)
    return value


def word(value: Any, known: Mapping[str, int], field: str) -> int:
    """Return the number of a word from a closed list."""
    number = known.get(value) if type(value) is str else None
    if number is None:
        raise FormRefusal(FORMAT, field)
    return number


def whole(value: Any, least: int, most: int, field: str) -> int:
    """Return an integer of a range."""
    if type(value) is not int or not least <= value <= most:
        raise FormRefusal(FORMAT, field)
    return value


def flag(value: Any, bit: int, field: str) -> int:
    """Return the bit where the value is true, 0 where it is false."""
    if value is True:
        return bit
    if value is not False:
        raise FormRefusal(FORMAT, field)
    return 0


def amount_of(value: Any) -> int:
    """Return an amount in minor units."""
    if type(value) is not int:
        raise FormRefusal(FORMAT, "amount")
    if not 1 <= value <= AMOUNT_MAX:
        raise FormRefusal(BAD_AMOUNT, "amount")
    return value


def currency_of(value: Any) -> PaymentCurrency:
    """Return the currency that letters stand for."""
    if type(value) is not str:
        raise FormRefusal(FORMAT, "currency")
    currency = CURRENCIES.get(value)
    if currency is None:
        raise FormRefusal(BAD_CURRENCY, "currency")
    return currency


def country_of(value: Any, field: str) -> int:
    """Return the number of a country."""
    if type(value) is not str or not is_country(value):
        raise FormRefusal(FORMAT, field)
    return (ord(value[0]) - FIRST) * CAPITALS + ord(value[1]) - FIRST


def months_of(value: Any, field: str) -> int:
    """Return a month written YYMM as months since January 2000."""
    digits = matching(value, is_expiry, field)
    return int(digits[:2]) * 12 + int(digits[2:]) - 1


def passes_luhn(digits: str) -> bool:
    """Tell whether the last digit of a PAN fits the others."""
    return luhn_rest(digits) == 0


def luhn_rest(digits: str) -> int:
    """Return what the digits of a PAN add up to by Luhn, modulo 10."""
    reverse = digits.encode()[::-1]
    return (sum(reverse[::2].translate(_AS_IS)) + sum(reverse[1::2].translate(_DOUBLED))) % 10


def may_hold_pan(text: str) -> bool:
    """Tell whether a text has as many digits as a PAN, wherever they stand: nothing repeats it then."""
    return sum(each in "0123456789" for each in text) >= 12
