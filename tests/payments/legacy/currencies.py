"""The currencies that money can be in: ISO 4217 letters and their minor-unit exponents."""

from iso4217 import Currency

EXPONENTS = {each.code: each.exponent for each in Currency if each.exponent is not None}
"""EUR -> 2, JPY -> 0; a code without minor units (gold, testing) is no currency of a payment."""
