"""Each rule alone, at its boundaries: a pure function of a request and of what the engine knows beside it.

docs/payments.md lists for every rule the tests that prove it; tests/engine/payments/test_rule_table.py reads
that list.
"""

from types import SimpleNamespace
from typing import Any

import pytest

from engine.payments.codes import BY_NUMBER
from engine.payments.command_words import (
    HAS_CARD_TYPES,
    HAS_CHANNELS,
    HAS_COUNTRIES,
    HAS_CURRENCIES,
    MERCHANT_ACTIVE,
)
from engine.payments.records import (
    FIELD_NAMES,
    HAS_SCA,
    LIMITS,
    WANTS_PARTIAL,
    AccountStatus,
    CardType,
    Channel,
    CheckResult,
    Field,
    ListKind,
    Rule,
)
from engine.payments.rules.card import month_begins_at
from engine.payments.rules.table import TABLE
from engine.payments.rules.verdict import CODE_MASK, FIELD_SHIFT, PASS

PAYLOAD = {
    "amount": 1000,
    "currency": 978,
    "exponent": 2,
    "channel": Channel.POS,
    "card_type": -1,
    "issuer_country": -1,
    "ip_country": -1,
    "expiry": 12 * 30,
    "bin": 41111111,
    "cvv_result": -1,
    "score": -1,
    "options": 0,
}
CONTEXT = {
    **dict.fromkeys(("merchant_min", "merchant_max", "merchant_daily_limit", "sca_above", "geo_above"), -1),
    **dict.fromkeys(("account_min", "account_max", "account_sum_24h_limit", "account_count_24h_limit"), -1),
    **dict.fromkeys(
        ("card_lists", "bin_lists", "account_lists", "device_lists", "ip_lists", "email_lists"), 0
    ),
    **{"ts_ms": 0, "has_merchant": 1, "merchant_flags": MERCHANT_ACTIVE, "merchant_channels": 0},
    **{"merchant_card_types": 0, "permits_currency": 0, "permits_country": 0, "merchant_daily": 1000},
    **{"account_status": AccountStatus.OPEN, "account_sum_24h": 1000, "account_count_24h": 1},
    **{"available": 10**6, "card_1m": 1, "card_1h": 1, "card_declines_1h": 0, "bin_declines_1h": 0},
    **{"device_cards_24h": 0, "ip_cards_1h": 0, "email_cards_24h": 0, "scheme_retry": 0, "is_noted": 0},
    **{"last_payment": 0, "last_is_same_merchant": 0, "last_is_voided": 0, "last_amount": 0},
    **{"last_currency": 0, "last_age_ms": 0},
}
LAST = {"last_payment": 7, "last_is_same_merchant": 1, "last_amount": 1000, "last_currency": 978}
JANUARY_2030_MS = 1_893_456_000_000
ACTIVE = MERCHANT_ACTIVE

CASES: list[tuple[Rule, dict[str, Any], str]] = [
    (Rule.MERCHANT_ACTIVE, {}, ""),
    (Rule.MERCHANT_ACTIVE, {"has_merchant": 0, "merchant_flags": 0}, "BAD_MERCHANT merchant"),
    (Rule.MERCHANT_ACTIVE, {"merchant_flags": 0}, "BAD_MERCHANT merchant"),
    (Rule.ACCOUNT_STATUS, {}, ""),
    (Rule.ACCOUNT_STATUS, {"account_status": 0}, "NO_ACCOUNT account"),
    (Rule.ACCOUNT_STATUS, {"account_status": AccountStatus.CLOSED}, "CLOSED_ACCOUNT account"),
    (Rule.ACCOUNT_STATUS, {"account_status": AccountStatus.FROZEN}, "FROZEN_ACCOUNT account"),
    (Rule.CARD_EXPIRY, {"expiry": 12 * 29 + 11, "ts_ms": JANUARY_2030_MS - 1}, ""),
    (Rule.CARD_EXPIRY, {"expiry": 12 * 29 + 11, "ts_ms": JANUARY_2030_MS}, "EXPIRED_CARD card.expiry"),
    (Rule.HOT_LIST, {}, ""),
    (Rule.HOT_LIST, {"card_lists": 1 << ListKind.LOST | 1 << ListKind.STOLEN}, "LOST_CARD card"),
    (Rule.HOT_LIST, {"card_lists": 1 << ListKind.STOLEN}, "STOLEN_CARD card"),
    (Rule.BLOCK_LIST, {"card_lists": 1 << ListKind.ALLOW_CARD}, ""),
    (Rule.BLOCK_LIST, {"card_lists": 1 << ListKind.BLOCK_CARD, "bin_lists": -1}, "BLOCKED card"),
    (Rule.BLOCK_LIST, {"bin_lists": -1, "account_lists": -1}, "BLOCKED card.bin"),
    (Rule.BLOCK_LIST, {"account_lists": -1, "device_lists": -1}, "BLOCKED account"),
    (Rule.BLOCK_LIST, {"device_lists": -1, "ip_lists": -1}, "BLOCKED device"),
    (Rule.BLOCK_LIST, {"ip_lists": -1, "email_lists": -1}, "BLOCKED ip"),
    (Rule.BLOCK_LIST, {"email_lists": -1}, "BLOCKED email"),
    (Rule.MERCHANT_PERMITS, {}, ""),
    (Rule.MERCHANT_PERMITS, {"merchant_flags": ACTIVE | HAS_CURRENCIES, "permits_currency": 1}, ""),
    (Rule.MERCHANT_PERMITS, {"merchant_flags": ACTIVE | HAS_CURRENCIES}, "CURRENCY_NOT_PERMITTED currency"),
    (Rule.MERCHANT_PERMITS, {"merchant_flags": HAS_CHANNELS, "merchant_channels": 1 << Channel.POS}, ""),
    (
        Rule.MERCHANT_PERMITS,
        {"merchant_flags": HAS_CHANNELS | HAS_COUNTRIES, "merchant_channels": 1 << Channel.ECOM},
        "CHANNEL_NOT_PERMITTED channel",
    ),
    (Rule.MERCHANT_PERMITS, {"merchant_flags": HAS_CARD_TYPES}, ""),
    (
        Rule.MERCHANT_PERMITS,
        {
            "merchant_flags": HAS_CARD_TYPES,
            "merchant_card_types": 1 << CardType.DEBIT,
            "card_type": CardType.DEBIT,
        },
        "",
    ),
    (
        Rule.MERCHANT_PERMITS,
        {"merchant_flags": HAS_CARD_TYPES | HAS_COUNTRIES, "card_type": CardType.DEBIT},
        "CARD_TYPE_NOT_PERMITTED card.type",
    ),
    (Rule.MERCHANT_PERMITS, {"merchant_flags": HAS_COUNTRIES}, "COUNTRY_NOT_PERMITTED card.issuer_country"),
    (Rule.MERCHANT_PERMITS, {"merchant_flags": HAS_COUNTRIES, "permits_country": 1}, ""),
    (Rule.MERCHANT_AMOUNT, {"merchant_min": 1000, "merchant_max": 1000}, ""),
    (Rule.MERCHANT_AMOUNT, {"merchant_min": 1001}, "AMOUNT_LIMIT amount"),
    (Rule.MERCHANT_AMOUNT, {"merchant_max": 999}, "AMOUNT_LIMIT amount"),
    (Rule.ACCOUNT_AMOUNT, {"account_min": 1000, "account_max": 1000}, ""),
    (Rule.ACCOUNT_AMOUNT, {"account_min": 1001}, "AMOUNT_LIMIT amount"),
    (Rule.ACCOUNT_AMOUNT, {"account_max": 999}, "AMOUNT_LIMIT amount"),
    (Rule.MERCHANT_DAILY, {"merchant_daily_limit": 1000}, ""),
    (Rule.MERCHANT_DAILY, {"merchant_daily_limit": 999}, "MERCHANT_DAILY_LIMIT amount"),
    (Rule.ACCOUNT_SUM_24H, {"account_sum_24h_limit": 1000}, ""),
    (Rule.ACCOUNT_SUM_24H, {"account_sum_24h_limit": 999}, "SUM_LIMIT amount"),
    (Rule.ACCOUNT_COUNT_24H, {"account_count_24h_limit": 1}, ""),
    (Rule.ACCOUNT_COUNT_24H, {"account_count_24h_limit": 0}, "COUNT_LIMIT account"),
    (Rule.CARD_1M, {"card_1m": 3}, ""),
    (Rule.CARD_1M, {"card_1m": 4}, "VELOCITY card"),
    (Rule.CARD_1H, {"card_1h": 10}, ""),
    (Rule.CARD_1H, {"card_1h": 11}, "VELOCITY card"),
    (Rule.CARD_DECLINES_1H, {"card_declines_1h": 4}, ""),
    (Rule.CARD_DECLINES_1H, {"card_declines_1h": 5}, "VELOCITY card"),
    (Rule.BIN_DECLINES_1H, {"bin_declines_1h": 10**6}, ""),
    (Rule.BIN_DECLINES_1H, {"bin_declines_1h": 1, "bin_declines_1h_limit": 2}, ""),
    (Rule.BIN_DECLINES_1H, {"bin_declines_1h": 2, "bin_declines_1h_limit": 2}, "VELOCITY card.bin"),
    (Rule.BIN_DECLINES_1H, {"bin_declines_1h": 0, "bin_declines_1h_limit": 0, "bin": -1}, ""),
    (Rule.DEVICE_CARDS_24H, {"device_cards_24h": 3}, ""),
    (Rule.DEVICE_CARDS_24H, {"device_cards_24h": 4}, "VELOCITY device"),
    (Rule.IP_CARDS_1H, {"ip_cards_1h": 5}, ""),
    (Rule.IP_CARDS_1H, {"ip_cards_1h": 6}, "VELOCITY ip"),
    (Rule.EMAIL_CARDS_24H, {"email_cards_24h": 32}, ""),
    (Rule.EMAIL_CARDS_24H, {"email_cards_24h": 2, "email_cards_24h_limit": 2}, ""),
    (Rule.EMAIL_CARDS_24H, {"email_cards_24h": 3, "email_cards_24h_limit": 2}, "VELOCITY email"),
    (Rule.SCHEME_RETRY, {"scheme_retry": 19}, ""),
    (Rule.SCHEME_RETRY, {"scheme_retry": 20}, "RETRY_FORBIDDEN card"),
    (Rule.DOUBLE_CHARGE, {**LAST, "last_age_ms": 119_999}, "DOUBLE_CHARGE amount"),
    (Rule.DOUBLE_CHARGE, {**LAST, "last_age_ms": 120_000}, ""),
    (Rule.DOUBLE_CHARGE, {**LAST, "last_is_voided": 1}, ""),
    (Rule.DOUBLE_CHARGE, {**LAST, "last_is_same_merchant": 0}, ""),
    (Rule.DOUBLE_CHARGE, {**LAST, "last_amount": 999}, ""),
    (Rule.DOUBLE_CHARGE, {**LAST, "last_currency": 392}, ""),
    (Rule.DOUBLE_CHARGE, {**LAST, "last_payment": 0}, ""),
    (Rule.CVV, {"cvv_result": CheckResult.MISMATCH}, "CVV_MISMATCH cvv_result"),
    (Rule.CVV, {"cvv_result": CheckResult.NONE}, ""),
    (Rule.CVV, {}, ""),
    (Rule.SCORE_DECLINE, {"score": 899}, ""),
    (Rule.SCORE_DECLINE, {"score": 900}, "FRAUD_SCORE score"),
    (Rule.SCORE_REVIEW, {"score": 699}, ""),
    (Rule.SCORE_REVIEW, {"score": 700}, "REVIEW score"),
    (Rule.GEO, {"issuer_country": 1, "ip_country": 2, "geo_above": 999}, "REVIEW ip_country"),
    (Rule.GEO, {"issuer_country": 1, "ip_country": 2, "geo_above": 1000}, ""),
    (Rule.GEO, {"issuer_country": 1, "ip_country": 2}, ""),
    (Rule.GEO, {"issuer_country": 1, "ip_country": 1, "geo_above": 0}, ""),
    (Rule.GEO, {"issuer_country": 1, "geo_above": 0}, ""),
    (Rule.SMALL_THEN_LARGE, {**LAST, "last_amount": 100, "amount": 10_000}, "REVIEW amount"),
    (Rule.SMALL_THEN_LARGE, {**LAST, "last_amount": 101, "amount": 10_000}, ""),
    (Rule.SMALL_THEN_LARGE, {**LAST, "last_amount": 100, "amount": 9_999}, ""),
    (Rule.SMALL_THEN_LARGE, {**LAST, "last_amount": 1, "amount": 10_000, "last_age_ms": 600_000}, ""),
    (Rule.SMALL_THEN_LARGE, {**LAST, "last_amount": 1, "amount": 100, "exponent": 0}, "REVIEW amount"),
    (Rule.SCA, {"channel": Channel.ECOM, "sca_above": 999}, "SCA_REQUIRED sca"),
    (Rule.SCA, {"channel": Channel.ECOM, "sca_above": 1000}, ""),
    (Rule.SCA, {"channel": Channel.ECOM, "sca_above": 0, "options": HAS_SCA}, ""),
    (Rule.SCA, {"channel": Channel.MOTO, "sca_above": 0}, ""),
    (Rule.BALANCE, {"available": 1000}, ""),
    (Rule.BALANCE, {"available": 999}, "FUNDS amount"),
    (Rule.BALANCE, {"available": 1, "options": WANTS_PARTIAL}, ""),
    (Rule.BALANCE, {"available": 0, "options": WANTS_PARTIAL}, "FUNDS amount"),
    (Rule.BALANCE, {"available": 1, "options": WANTS_PARTIAL, "is_noted": 1}, "FUNDS amount"),
]


def told(rule: Rule, given: dict[str, Any]) -> str:
    """Return what a rule says: code and field, nothing where it passes."""
    validate = next(row.validate for row in TABLE if row.rule == rule)
    limits = LIMITS | {
        name.removesuffix("_limit"): value for name, value in given.items() if name.endswith("_limit")
    }
    payload = SimpleNamespace(**PAYLOAD | {name: value for name, value in given.items() if name in PAYLOAD})
    known = CONTEXT | {name: value for name, value in given.items() if name in CONTEXT}
    found = getattr(validate, "py_func", validate)(
        payload, SimpleNamespace(**known, limit=SimpleNamespace(**limits))
    )
    if found == PASS:
        return ""
    return f"{BY_NUMBER[found & CODE_MASK].name} {FIELD_NAMES[Field(found >> FIELD_SHIFT)]}"


@pytest.mark.parametrize(
    ("rule", "given", "expected"),
    CASES,
    ids=[f"{case[0].name.lower()}-{at}" for at, case in enumerate(CASES)],
)
def test_a_rule_alone(rule: Rule, given: dict[str, Any], expected: str) -> None:
    assert told(rule, given) == expected


def test_every_rule_passes_and_finds_something() -> None:
    for row in TABLE:
        outcomes = {bool(expected) for rule, _, expected in CASES if rule == row.rule}
        assert outcomes == {True, False}, row.rule.name


@pytest.mark.parametrize("off", [name for name in LIMITS if not name.endswith("_ms")])
def test_a_limit_that_is_off_checks_nothing(off: str) -> None:
    most = dict.fromkeys(CONTEXT, 10**6) | {f"{off}_limit": -1, "score": 1000}
    assert told(Rule[off.upper()], most) == ""


def test_months_begin_as_the_calendar_says() -> None:
    from datetime import UTC, datetime

    begins = getattr(month_begins_at, "py_func", month_begins_at)
    for months in range(1201):
        expected = datetime(2000 + months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000
        assert begins(months) == expected, months
