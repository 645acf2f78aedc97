"""A line about a merchant as commands: limits, currencies that it lists, params of user rules, the rest."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.payments.codes import ISO_CODES, TABLE, Retry
from engine.payments.command_words import (
    CARD_TYPES_SHIFT,
    COUNTRY_WORDS,
    DISCLOSE_WORDS,
    HAS_CARD_TYPES,
    HAS_CHANNELS,
    HAS_COUNTRIES,
    HAS_CURRENCIES,
    LIMIT_ROW_WORDS,
    LIMIT_ROWS_MAX,
    MERCHANT_ACTIVE,
    MERCHANT_CHANNELS,
    MERCHANT_COUNTRIES,
    MERCHANT_DISCLOSE,
    MERCHANT_HOLD_DAYS,
    MERCHANT_MCC,
    MERCHANT_NAME,
    MERCHANT_STATUS,
    MERCHANT_WORDS,
    PARAM_ROW_WORDS,
    PART_BEGINS,
    PERMIT_WORDS,
)
from engine.payments.currencies import CURRENCIES
from engine.payments.records import COMMAND, MONEY_MAX, NOT_GIVEN, TEXT_WORD_BYTES, Op
from engine.payments.texts import text_words
from gateways.payments.bodies import Fields
from gateways.payments.form import CARD_TYPES, CHANNELS
from gateways.payments.hashing import Hasher
from gateways.payments.setup.limits import by_currency, named_limits
from gateways.payments.setup.params import param_rows
from gateways.payments.values import (
    FORMAT,
    FormRefusal,
    country_of,
    flag,
    is_merchant,
    matching,
    whole,
    word,
)

HOLD_DAYS, HOLD_DAYS_MAX = 7, 31
WORD_BITS = 64
is_mcc = re.compile(r"[0-9]{4}").fullmatch
LIMIT_NAMES = ("min", "max", "daily")
APPROVALS = frozenset(row.iso for row in TABLE if row.name in ("OK", "PARTIAL"))
DECLINES = frozenset(row.iso for row in TABLE if row.iso and row.retry != Retry.NONE)
"""Response codes that may be disclosed as another one, or stand for another one."""
assert not DECLINES & APPROVALS


def merchant_records(fields: Fields, hasher: Hasher) -> npt.NDArray[np.void]:
    """Return the commands of a line about a merchant."""
    name = text_words(matching(fields["merchant"], is_merchant, "merchant"), MERCHANT_WORDS)
    status = flag(fields.get("active", True), MERCHANT_ACTIVE, "active")
    currencies = _currencies(fields)
    channels, card_types = _bits(fields, "channels", CHANNELS), _bits(fields, "card_types", CARD_TYPES)
    countries = _countries(fields)
    limits = limit_rows(fields)
    for given, has in (
        (currencies, HAS_CURRENCIES),
        (channels, HAS_CHANNELS),
        (card_types, HAS_CARD_TYPES),
        (countries, HAS_COUNTRIES),
    ):
        status |= has if given is not None else 0
    hold_days = whole(fields.get("hold_days", HOLD_DAYS), 1, HOLD_DAYS_MAX, "hold_days")
    mcc = int(matching(fields["mcc"], is_mcc, "mcc")) if "mcc" in fields else NOT_GIVEN
    disclosed, params = _disclosed(fields), param_rows(fields)

    parts = [limits[begin : begin + LIMIT_ROWS_MAX] for begin in range(0, len(limits), LIMIT_ROWS_MAX)]
    records = np.zeros(len(parts) + (currencies is not None) + bool(params) + 1, COMMAND)
    words = records["words"]
    words[:, MERCHANT_NAME : MERCHANT_NAME + MERCHANT_WORDS] = name
    records["options"][0] = PART_BEGINS
    records["op"] = Op.MERCHANT_LIMITS
    for place, rows in enumerate(parts):
        records["payment"][place] = len(rows)
        flat = [value for row in rows for value in row]
        words[place, MERCHANT_WORDS : MERCHANT_WORDS + len(flat)] = flat
    if currencies is not None:
        place = len(parts)
        records["op"][place] = Op.MERCHANT_PERMITS
        words[place, MERCHANT_WORDS : MERCHANT_WORDS + PERMIT_WORDS] = currencies
    if params:
        records["op"][-2], records["payment"][-2] = Op.MERCHANT_PARAMS, len(params) // PARAM_ROW_WORDS
        words[-2, MERCHANT_WORDS : MERCHANT_WORDS + len(params)] = params
    records["op"][-1] = Op.MERCHANT
    last = words[-1]
    last[MERCHANT_STATUS] = status
    last[MERCHANT_CHANNELS] = (channels or 0) | (card_types or 0) << CARD_TYPES_SHIFT
    last[MERCHANT_HOLD_DAYS], last[MERCHANT_MCC] = hold_days, mcc
    if countries is not None:
        last[MERCHANT_COUNTRIES : MERCHANT_COUNTRIES + COUNTRY_WORDS] = countries
    last[MERCHANT_DISCLOSE : MERCHANT_DISCLOSE + DISCLOSE_WORDS] = disclosed
    return records


def limit_rows(fields: Fields) -> list[list[int]]:
    """Return a row of limits for each currency that a merchant's line names, in the order of naming."""
    limits = by_currency(fields, "limits")
    sca_above, geo_above = by_currency(fields, "sca_above"), by_currency(fields, "geo_above")
    for letters, row in limits.items():
        named_limits(row, LIMIT_NAMES, f"limits.{letters}")
    for name, given in (("sca_above", sca_above), ("geo_above", geo_above)):
        for letters, value in given.items():
            whole(value, 0, MONEY_MAX, f"{name}.{letters}")
    rows = [
        [
            CURRENCIES[letters].number,
            *(limits.get(letters, {}).get(name, NOT_GIVEN) for name in LIMIT_NAMES),
            *(sca_above.get(letters, NOT_GIVEN), geo_above.get(letters, NOT_GIVEN)),
        ]
        for letters in {**limits, **sca_above, **geo_above}
    ]
    assert all(len(row) == LIMIT_ROW_WORDS for row in rows)
    return rows


def as_bits(numbers: Iterable[int], word_count: int) -> list[int]:
    """Return a set of numbers as bits of so many words."""
    bits = sum({1 << number for number in numbers})
    data = bits.to_bytes(word_count * TEXT_WORD_BYTES, "little")
    return [int(each) for each in np.frombuffer(data, "<i8")]


def _entries(fields: Fields, name: str) -> list[Any] | None:
    given = fields.get(name)
    if type(given) is not list and name in fields:
        raise FormRefusal(FORMAT, name)
    return given


def _currencies(fields: Fields) -> list[int] | None:
    given = _entries(fields, "currencies")
    if given is None:
        return None
    for idx, letters in enumerate(given):
        if type(letters) is not str or letters not in CURRENCIES:
            raise FormRefusal(FORMAT, f"currencies[{idx}]")
    return as_bits((CURRENCIES[letters].number for letters in given), PERMIT_WORDS)


def _countries(fields: Fields) -> list[int] | None:
    given = _entries(fields, "issuer_countries")
    if given is None:
        return None
    numbers = [country_of(each, f"issuer_countries[{idx}]") for idx, each in enumerate(given)]
    return as_bits(numbers, COUNTRY_WORDS)


def _bits(fields: Fields, name: str, known: dict[str, int]) -> int | None:
    given = _entries(fields, name)
    if given is None:
        return None
    return sum({1 << word(each, known, f"{name}[{idx}]") for idx, each in enumerate(given)})


def _disclosed(fields: Fields) -> npt.NDArray[np.int64]:
    """Return a byte for each code: what an acquirer reads in its place, counted from 1 in ISO_CODES."""
    given = fields.get("disclose", {})
    if type(given) is not dict:
        raise FormRefusal(FORMAT, "disclose")
    places = bytearray(DISCLOSE_WORDS * TEXT_WORD_BYTES)
    for iso, shown in given.items():
        if iso not in DECLINES or type(shown) is not str or shown not in DECLINES:
            raise FormRefusal(FORMAT, "disclose")
        for row in TABLE:
            if row.iso == iso:
                places[row.number] = ISO_CODES.index(shown) + 1
    return np.frombuffer(bytes(places), "<i8")
