"""Rules about the merchant: that it is there, what it permits, how much it takes."""

from engine.payments import constants as k
from engine.payments.command_words import (
    HAS_CARD_TYPES,
    HAS_CHANNELS,
    HAS_COUNTRIES,
    HAS_CURRENCIES,
    MERCHANT_ACTIVE,
)
from engine.payments.rules.verdict import OFF, PASS, UNKNOWN, verdict
from ringbuf.kernel import inlined

BAD_MERCHANT = verdict(k.BAD_MERCHANT, k.FIELD_MERCHANT)
CURRENCY = verdict(k.CURRENCY_NOT_PERMITTED, k.FIELD_CURRENCY)
CHANNEL = verdict(k.CHANNEL_NOT_PERMITTED, k.FIELD_CHANNEL)
CARD_TYPE = verdict(k.CARD_TYPE_NOT_PERMITTED, k.FIELD_CARD_TYPE)
COUNTRY = verdict(k.COUNTRY_NOT_PERMITTED, k.FIELD_CARD_ISSUER_COUNTRY)
AMOUNT = verdict(k.AMOUNT_LIMIT, k.FIELD_AMOUNT)
DAILY = verdict(k.MERCHANT_DAILY_LIMIT, k.FIELD_AMOUNT)
STORE_GONE = verdict(k.STORE_DOWN, k.FIELD_AMOUNT)


@inlined
def merchant_active(payload, ctx):
    """Decline at a merchant that is unknown or not active."""
    return PASS if ctx.has_merchant and ctx.merchant_flags & MERCHANT_ACTIVE else BAD_MERCHANT


@inlined
def merchant_permits(payload, ctx):
    """Decline what the merchant does not list: a type not given passes, a country not given does not."""
    found = PASS
    flags = ctx.merchant_flags
    if flags & HAS_COUNTRIES and not ctx.permits_country:
        found = COUNTRY
    if (
        flags & HAS_CARD_TYPES
        and payload.card_type >= 0
        and not (ctx.merchant_card_types >> payload.card_type) & 1
    ):
        found = CARD_TYPE
    if flags & HAS_CHANNELS and not (ctx.merchant_channels >> payload.channel) & 1:
        found = CHANNEL
    if flags & HAS_CURRENCIES and not ctx.permits_currency:
        found = CURRENCY
    return found


@inlined
def merchant_amount(payload, ctx):
    """Decline an amount below the least or above the most that the merchant takes."""
    is_above = ctx.merchant_max != OFF and payload.amount > ctx.merchant_max
    return AMOUNT if is_above or payload.amount < ctx.merchant_min else PASS


@inlined
def merchant_daily(payload, ctx):
    """Decline what would bring the merchant's sum of the day above its limit, or above our share of it."""
    limit = ctx.merchant_daily_limit
    found = DAILY if limit != OFF and ctx.merchant_daily > limit else PASS
    return STORE_GONE if limit == UNKNOWN else found
