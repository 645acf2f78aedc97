"""The table of reply codes: what each means to whoever asked, as data.

One row a code: its number, which journals and states keep and which is never reused, the response code
of ISO 8583 (DE 39, edition of 1987), the HTTP status, and whether asking again can help. `iso_1993` and
`networks` are other response codes for those who need them: the edition of 1993 has action codes of
three digits, and a network may have one of its own.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple


class Retry(IntEnum):
    """Whether, and when, the same request may be sent again."""

    NONE = 0  # it is not needed
    LATER = 1
    FIX = 2  # once it has been corrected
    NEVER = 3


class CodeRow(NamedTuple):
    """What a code means."""

    number: int
    name: str
    iso: str | None
    http: int
    retry: Retry
    iso_1993: str | None = None
    networks: Mapping[str, str] = MappingProxyType({})


_NONE, _LATER, _FIX, _NEVER = Retry.NONE, Retry.LATER, Retry.FIX, Retry.NEVER
TABLE = (
    CodeRow(1, "OK", "00", 200, _NONE, "000"),
    CodeRow(2, "PARTIAL", "10", 200, _NONE, "002"),
    CodeRow(3, "FORMAT", "30", 422, _FIX, "904"),
    CodeRow(4, "BAD_AMOUNT", "13", 422, _FIX, "110"),
    CodeRow(5, "BAD_CURRENCY", "12", 422, _FIX, "902"),
    CodeRow(6, "BAD_PAN", "14", 422, _FIX, "111"),
    CodeRow(7, "DUPLICATE", "94", 409, _NEVER, "913"),
    CodeRow(8, "BAD_MERCHANT", "03", 200, _NEVER, "109"),
    CodeRow(9, "NO_ACCOUNT", "78", 200, _NEVER, "114"),
    CodeRow(10, "CLOSED_ACCOUNT", "46", 200, _NEVER, "184"),
    CodeRow(11, "FROZEN_ACCOUNT", "62", 200, _NEVER, "104"),
    CodeRow(12, "BLOCKED", "62", 200, _NEVER, "104"),
    CodeRow(13, "COUNTRY_NOT_PERMITTED", "62", 200, _NEVER, "104"),
    CodeRow(14, "EXPIRED_CARD", "54", 200, _FIX, "101"),
    CodeRow(15, "LOST_CARD", "41", 200, _NEVER, "208"),
    CodeRow(16, "STOLEN_CARD", "43", 200, _NEVER, "209"),
    CodeRow(17, "CURRENCY_NOT_PERMITTED", "58", 200, _NEVER, "120"),
    CodeRow(18, "CHANNEL_NOT_PERMITTED", "58", 200, _NEVER, "120"),
    CodeRow(19, "CARD_TYPE_NOT_PERMITTED", "57", 200, _NEVER, "119"),
    CodeRow(20, "AMOUNT_LIMIT", "61", 200, _LATER, "121"),
    CodeRow(21, "REVERSED", "21", 200, _NEVER, "914"),
    CodeRow(22, "MERCHANT_DAILY_LIMIT", "61", 200, _LATER, "121"),
    CodeRow(23, "SUM_LIMIT", "61", 200, _LATER, "121"),
    CodeRow(24, "COUNT_LIMIT", "65", 200, _LATER, "123"),
    CodeRow(25, "VELOCITY", "59", 200, _LATER, "102"),
    CodeRow(26, "FRAUD_SCORE", "59", 200, _LATER, "102"),
    CodeRow(27, "RETRY_FORBIDDEN", "05", 200, _NEVER, "100"),
    CodeRow(28, "DOUBLE_CHARGE", "94", 200, _NEVER, "913"),
    CodeRow(29, "CVV_MISMATCH", "N7", 200, _FIX, "129"),
    CodeRow(30, "REVIEW", "01", 200, _NONE, "107"),
    CodeRow(31, "SCA_REQUIRED", "1A", 200, _FIX),
    CodeRow(32, "FUNDS", "51", 200, _LATER, "116"),
    CodeRow(33, "NOT_FOUND", "25", 404, _NEVER, "302"),
    CodeRow(34, "NOT_OPEN", "12", 409, _NEVER, "902"),
    CodeRow(35, "EXCEEDS_AUTHORISED", "13", 409, _FIX, "110"),
    CodeRow(36, "EXCEEDS_CAPTURED", "13", 409, _FIX, "110"),
    CodeRow(37, "BUSY", "91", 503, _LATER, "907"),
    CodeRow(38, "TIMEOUT", "68", 504, _LATER, "911"),
    CodeRow(39, "RATE", None, 429, _LATER),
    CodeRow(40, "SYSTEM", "96", 503, _LATER, "909"),
    CodeRow(41, "CAPACITY", "96", 200, _LATER, "909"),
    CodeRow(42, "UNSUPPORTED", "40", 422, _NEVER, "904"),
    CodeRow(43, "PROCESSOR_DECLINED", "05", 200, _LATER, "100"),
    CodeRow(44, "PROCESSOR_DOWN", "91", 200, _LATER, "907"),
    CodeRow(45, "STORE_DOWN", "91", 200, _LATER, "907"),
    CodeRow(46, "USER_RULE", "05", 200, _LATER, "100"),
)
DECLINED = "DECLINED"
"""The code that a reply has whose own a merchant does not disclose."""

_enum_of: Any = IntEnum  # to mypy only, for it wants the names spelt out
Code = _enum_of("Code", {row.name: row.number for row in TABLE})
BY_NUMBER = {row.number: row for row in TABLE}
BY_NAME = {row.name: row for row in TABLE}
ISO_CODES = tuple(sorted({row.iso for row in TABLE if row.iso}))
"""Every response code once: its place in here, counted from 1, stands for it in records."""
CODES_MAX = 48
"""Codes have numbers below this."""

assert len(BY_NUMBER) == len(TABLE) == len(BY_NAME)
assert max(BY_NUMBER) < CODES_MAX
