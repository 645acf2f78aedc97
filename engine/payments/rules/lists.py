"""Rules about lists of cards and others that are known to be bad."""

from engine.payments import constants as k
from engine.payments.rules.verdict import PASS, verdict
from ringbuf.kernel import inlined

LOST = verdict(k.LOST_CARD, k.FIELD_CARD)
STOLEN = verdict(k.STOLEN_CARD, k.FIELD_CARD)
CARD = verdict(k.BLOCKED, k.FIELD_CARD)
BIN = verdict(k.BLOCKED, k.FIELD_CARD_BIN)
ACCOUNT = verdict(k.BLOCKED, k.FIELD_ACCOUNT)
DEVICE = verdict(k.BLOCKED, k.FIELD_DEVICE)
IP = verdict(k.BLOCKED, k.FIELD_IP)
EMAIL = verdict(k.BLOCKED, k.FIELD_EMAIL)


@inlined
def hot_list(payload, ctx):
    """Decline a card that is lost, else one that is stolen."""
    if (ctx.card_lists >> k.LIST_LOST) & 1:
        return LOST
    return STOLEN if (ctx.card_lists >> k.LIST_STOLEN) & 1 else PASS


@inlined
def block_list(payload, ctx):
    """Decline a card, BIN, account, device, address or e-mail that is blocked; the first of these counts."""
    found = PASS
    if (ctx.email_lists >> k.LIST_BLOCK_EMAIL) & 1:
        found = EMAIL
    if (ctx.ip_lists >> k.LIST_BLOCK_IP) & 1:
        found = IP
    if (ctx.device_lists >> k.LIST_BLOCK_DEVICE) & 1:
        found = DEVICE
    if (ctx.account_lists >> k.LIST_BLOCK_ACCOUNT) & 1:
        found = ACCOUNT
    if (ctx.bin_lists >> k.LIST_BLOCK_BIN) & 1:
        found = BIN
    if (ctx.card_lists >> k.LIST_BLOCK_CARD) & 1:
        found = CARD
    return found
