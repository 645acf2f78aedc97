"""Rules about the card: its expiry, how often it pays and is declined, what it paid last."""

import numpy as np

from engine.payments import constants as k
from engine.payments.rules.verdict import OFF, PASS, verdict
from ringbuf.kernel import inlined

EXPIRED = verdict(k.EXPIRED_CARD, k.FIELD_CARD_EXPIRY)
VELOCITY = verdict(k.VELOCITY, k.FIELD_CARD)
BIN_VELOCITY = verdict(k.VELOCITY, k.FIELD_CARD_BIN)
RETRY = verdict(k.RETRY_FORBIDDEN, k.FIELD_CARD)
DOUBLE = verdict(k.DOUBLE_CHARGE, k.FIELD_AMOUNT)
LARGE = verdict(k.TO_REVIEW, k.FIELD_AMOUNT)
DAY_MS = 86_400_000
SMALL_UNITS, LARGE_UNITS = 1, 100


@inlined
def month_begins_at(months):
    """Return the first ms of a month, UTC; months: since January 2000.

    Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil, for day 1.
    """
    march_months = months - 2  # since March 2000, where a cycle of 400 years begins
    years = march_months // 12
    month = march_months - years * 12
    days = years * 365 + years // 4 - years // 100 + years // 400 + (153 * month + 2) // 5
    return (days + 11017) * DAY_MS  # 2000-03-01 is day 11017


@inlined
def card_expiry(payload, ctx):
    """Decline from the first millisecond of the month after `expiry`."""
    return EXPIRED if ctx.ts_ms >= month_begins_at(np.int64(payload.expiry) + 1) else PASS


@inlined
def card_1m(payload, ctx):
    """Decline the attempt that exceeds the card's count of a minute."""
    return VELOCITY if ctx.limit.card_1m != OFF and ctx.card_1m > ctx.limit.card_1m else PASS


@inlined
def card_1h(payload, ctx):
    """Decline the attempt that exceeds the card's count of an hour."""
    return VELOCITY if ctx.limit.card_1h != OFF and ctx.card_1h > ctx.limit.card_1h else PASS


@inlined
def card_declines_1h(payload, ctx):
    """Decline a card that was declined as often as the limit within an hour."""
    limit = ctx.limit.card_declines_1h
    return VELOCITY if limit != OFF and ctx.card_declines_1h >= limit else PASS


@inlined
def bin_declines_1h(payload, ctx):
    """Decline a BIN whose cards were declined as often as the limit within an hour."""
    limit = ctx.limit.bin_declines_1h
    return BIN_VELOCITY if limit != OFF and payload.bin >= 0 and ctx.bin_declines_1h >= limit else PASS


@inlined
def scheme_retry(payload, ctx):
    """Decline a card that this merchant was declined as often as the limit within 30 days."""
    limit = ctx.limit.scheme_retry
    return RETRY if limit != OFF and ctx.scheme_retry >= limit else PASS


@inlined
def double_charge(payload, ctx):
    """Decline what repeats the card's last approved payment within the limit, if not voided whole."""
    is_same = ctx.last_is_same_merchant and ctx.last_amount == payload.amount
    is_same = is_same and ctx.last_currency == payload.currency and not ctx.last_is_voided
    is_near = ctx.last_payment != 0 and ctx.last_age_ms < ctx.limit.double_charge_ms
    return DOUBLE if is_same and is_near else PASS


@inlined
def small_then_large(payload, ctx):
    """Review a large payment that follows a small approved one of the card within the limit."""
    unit = 1
    for _ in range(payload.exponent):
        unit *= 10
    is_near = ctx.last_payment != 0 and ctx.last_age_ms < ctx.limit.small_then_large_ms
    is_small = ctx.last_currency == payload.currency and ctx.last_amount <= SMALL_UNITS * unit
    return LARGE if is_near and is_small and payload.amount >= LARGE_UNITS * unit else PASS
