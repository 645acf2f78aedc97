"""Rules about how many cards one device, address or e-mail was seen with."""

from engine.payments import constants as k
from engine.payments.rules.verdict import AWAY, OFF, PASS, verdict
from ringbuf.kernel import inlined

DEVICE = verdict(k.VELOCITY, k.FIELD_DEVICE)
IP = verdict(k.VELOCITY, k.FIELD_IP)
EMAIL = verdict(k.VELOCITY, k.FIELD_EMAIL)
DEVICE_AWAY = verdict(k.STORE_DOWN, k.FIELD_DEVICE)
IP_AWAY = verdict(k.STORE_DOWN, k.FIELD_IP)
EMAIL_AWAY = verdict(k.STORE_DOWN, k.FIELD_EMAIL)


@inlined
def device_cards_24h(payload, ctx):
    """Decline where the device was seen with more cards than the limit within 24 hours."""
    found = DEVICE if ctx.device_cards_24h < AWAY else DEVICE_AWAY
    is_over = ctx.limit.device_cards_24h != OFF and ctx.device_cards_24h > ctx.limit.device_cards_24h
    return found if is_over else PASS


@inlined
def ip_cards_1h(payload, ctx):
    """Decline where the address was seen with more cards than the limit within an hour."""
    found = IP if ctx.ip_cards_1h < AWAY else IP_AWAY
    is_over = ctx.limit.ip_cards_1h != OFF and ctx.ip_cards_1h > ctx.limit.ip_cards_1h
    return found if is_over else PASS


@inlined
def email_cards_24h(payload, ctx):
    """Decline where the e-mail was seen with more cards than the limit within 24 hours."""
    found = EMAIL if ctx.email_cards_24h < AWAY else EMAIL_AWAY
    is_over = ctx.limit.email_cards_24h != OFF and ctx.email_cards_24h > ctx.limit.email_cards_24h
    return found if is_over else PASS
