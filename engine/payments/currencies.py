"""Currencies: what the letters of ISO 4217 stand for, of those that have a minor unit.

A currency without an exponent, such as gold or the one for tests, is none that money is counted in.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import iso4217


class PaymentCurrency(NamedTuple):
    """A currency as records have it: its ISO 4217 number, and how many digits its minor unit takes."""

    number: int
    exponent: int


CURRENCIES: Mapping[str, PaymentCurrency] = MappingProxyType({
    each.code: PaymentCurrency(each.number, each.exponent)
    for each in iso4217.Currency
    if each.exponent is not None and each.number is not None
})  # fmt: skip
LETTERS: Mapping[int, str] = MappingProxyType({each.number: code for code, each in CURRENCIES.items()})
NUMBERS_MAX = 1000
"""ISO 4217 numbers have three digits."""

assert len(LETTERS) == len(CURRENCIES)
assert all(0 < number < NUMBERS_MAX for number in LETTERS)
