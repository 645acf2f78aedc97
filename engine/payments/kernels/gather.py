"""Gather what the rules know of a request: look up everything that belongs to it, once.

Nothing that decides is changed: windows forget what has passed, and a share that is short is noted.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import CARD, DEVICE, EMAIL, IP, MERCHANT
from engine.payments.kernels.accounts import find_account, find_balance, find_merchant, find_row
from engine.payments.kernels.listing import (
    BIN_DIGITS,
    CARD_LISTS,
    SHORT_BIN_DIGITS,
    lists_of,
    lists_of_bin,
    short_bin,
)
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.shares import daily_limit_of
from engine.payments.kernels.store import weigh_sightings
from engine.payments.kernels.tables import find_pair, mixed
from engine.payments.kernels.windows import (
    DAY_BUCKET_MS,
    DAY_MS,
    HOUR_BUCKET_MS,
    MINUTE_BUCKET_MS,
    MONTH_BUCKET_MS,
    distinct_at,
    total_at,
)
from ringbuf.kernel import inlined, kernel

WORD_BITS = 6
BIT_MASK = 63


@inlined
def gather(s, command):
    """Fill `s.context` and `s.found` for a PAY."""
    ctx, found = s.context[0], s.found[0]
    ctx.ts_ms = s.now
    ctx.is_noted = 0
    s.user[0].is_packed = 0
    _merchant(s, command, ctx, found)
    _account(s, command, ctx, found)
    _card(s, command, ctx, found)
    _sightings(s, command, ctx, found)
    _lists(s, command, ctx)


@inlined
def _merchant(s, command, ctx, found):
    words, currency = command["words"], np.int64(command["currency"])
    merchant = find_merchant(s, words[MERCHANT], words[MERCHANT + 1], words[MERCHANT + 2])
    if merchant != NIL and not s.merchants[merchant].is_defined:
        merchant = NIL
    row = NIL if merchant == NIL else find_row(s, merchant, currency)
    found.merchant = merchant
    found.row = row
    ctx.has_merchant = merchant != NIL
    ctx.merchant_flags = 0
    ctx.merchant_min = ctx.merchant_max = ctx.merchant_daily_limit = NIL
    ctx.sca_above = ctx.geo_above = NIL
    ctx.merchant_daily = command["amount"]
    if merchant == NIL:
        return
    country = np.int64(max(command["issuer_country"], 0))
    has_country = command["issuer_country"] >= 0
    ctx.merchant_flags = s.merchants[merchant].status
    ctx.merchant_channels = s.merchants[merchant].channels
    ctx.merchant_card_types = s.merchants[merchant].card_types
    ctx.permits_currency = (
        s.merchants[merchant].currencies[currency >> WORD_BITS] >> (currency & BIT_MASK)
    ) & 1
    permits = (s.merchants[merchant].countries[country >> WORD_BITS] >> (country & BIT_MASK)) & 1
    ctx.permits_country = permits if has_country else 0
    if row != NIL:
        ctx.merchant_min = s.rows[row].amount_min
        ctx.merchant_max = s.rows[row].amount_max
        ctx.sca_above = s.rows[row].sca_above
        ctx.geo_above = s.rows[row].geo_above
        if s.rows[row].day == s.now // DAY_MS:
            ctx.merchant_daily += s.rows[row].day_sum
        ctx.merchant_daily_limit = daily_limit_of(s, row, ctx.merchant_daily)


@inlined
def _account(s, command, ctx, found):
    account = find_account(s, command["account"])
    if account != NIL and s.accounts[account].status == k.NONE:
        account = NIL
    balance = NIL if account == NIL else find_balance(s, account, np.int64(command["currency"]))
    found.account = account
    found.balance = balance
    ctx.account_status = 0
    ctx.account_min = ctx.account_max = ctx.account_sum_24h_limit = ctx.account_count_24h_limit = NIL
    ctx.account_sum_24h = command["amount"]
    ctx.account_count_24h = 1
    ctx.available = 0
    if account == NIL:
        return
    bucket = s.now // DAY_BUCKET_MS
    ctx.account_status = s.accounts[account].status
    ctx.account_count_24h_limit = s.accounts[account].count_limit
    ctx.account_count_24h += total_at(s.accounts[account].count, bucket)
    if balance != NIL:
        ctx.account_min = s.balances[balance].amount_min
        ctx.account_max = s.balances[balance].amount_max
        ctx.account_sum_24h_limit = s.balances[balance].sum_limit
        ctx.account_sum_24h += total_at(s.balances[balance].sum_24h, bucket)
        ctx.available = s.balances[balance].total - s.balances[balance].held


@inlined
def _card(s, command, ctx, found):
    words = command["words"]
    card = find_pair(s.card_bucket, s.cards, words[CARD], words[CARD + 1])
    found.card = card
    ctx.card_1m = ctx.card_1h = 1
    ctx.card_declines_1h = ctx.last_payment = 0
    if card != NIL:
        hour = s.now // HOUR_BUCKET_MS
        ctx.card_1m += total_at(s.cards[card].minute, s.now // MINUTE_BUCKET_MS)
        ctx.card_1h += total_at(s.cards[card].hour, hour)
        ctx.card_declines_1h = total_at(s.cards[card].declines, hour)
        ctx.last_payment = s.cards[card].last_payment
        ctx.last_is_same_merchant = s.cards[card].last_merchant == found.merchant
        ctx.last_is_voided = s.cards[card].last_is_voided
        ctx.last_amount = s.cards[card].last_amount
        ctx.last_currency = s.cards[card].last_currency
        ctx.last_age_ms = s.now - s.cards[card].last_at
    pair = find_card_pair(s, words)
    found.pair = pair
    ctx.scheme_retry = 0 if pair == NIL else total_at(s.pairs[pair].declines, s.now // MONTH_BUCKET_MS)
    ctx.bin_declines_1h = 0
    found.bin = NIL
    if command["bin"] >= 0 and s.bin_table.used != 0:
        at = _find_bin(s, command)
        found.bin = at
        if at != NIL:
            ctx.bin_declines_1h = total_at(s.bins[at].declines, s.now // HOUR_BUCKET_MS)


@inlined
def pair_hash(words):
    """Return what the bucket of a card at a merchant is taken from."""
    return words[CARD] ^ mixed(words[MERCHANT] ^ mixed(words[MERCHANT + 1] ^ mixed(words[MERCHANT + 2])))


@inlined
def find_card_pair(s, words):
    """Return the row of a PAY's card at its merchant, or NIL."""
    at = np.int64(s.pair_bucket[pair_hash(words) & (len(s.pair_bucket) - 1)]) - 1
    while at != NIL:
        key = s.pairs[at].key
        is_card = key[0] == words[CARD] and key[1] == words[CARD + 1]
        is_merchant = (
            key[2] == words[MERCHANT] and key[3] == words[MERCHANT + 1] and key[4] == words[MERCHANT + 2]
        )
        if is_card and is_merchant:
            break
        at = np.int64(s.pairs[at].chain) - 1
    return at


@inlined
def bin_key(command):
    """Return number and digits by which a BIN is counted: all eight, else the first six."""
    number, digits = np.int64(command["bin"]), np.int64(command["bin_digits"])
    if digits == BIN_DIGITS:
        return number, digits
    return short_bin(number, digits), SHORT_BIN_DIGITS


@kernel
def _find_bin(s, command):
    """Return the row of a PAY's BIN, or NIL."""
    number, digits = bin_key(command)
    return find_pair(s.bin_bucket, s.bins, number, digits)


@inlined
def is_given(words, at):
    """Tell whether a hash was given."""
    return (words[at] | words[at + 1]) != 0


@inlined
def _sightings(s, command, ctx, found):
    words, day, hour = command["words"], s.now // DAY_BUCKET_MS, s.now // HOUR_BUCKET_MS
    card = words[CARD]
    found.device_idx = found.ip = found.email = NIL
    ctx.device_cards_24h = ctx.ip_cards_1h = ctx.email_cards_24h = 0
    if is_given(words, DEVICE):
        found.device_idx = find_pair(s.device_bucket, s.devices, words[DEVICE], words[DEVICE + 1])
        ctx.device_cards_24h = (
            1 if found.device_idx == NIL else distinct_at(s.devices[found.device_idx], day, card)
        )
    if is_given(words, IP):
        found.ip = find_pair(s.ip_bucket, s.ips, words[IP], words[IP + 1])
        ctx.ip_cards_1h = 1 if found.ip == NIL else distinct_at(s.ips[found.ip], hour, card)
    if is_given(words, EMAIL):
        found.email = find_pair(s.email_bucket, s.emails, words[EMAIL], words[EMAIL + 1])
        ctx.email_cards_24h = 1 if found.email == NIL else distinct_at(s.emails[found.email], day, card)
    if s.fleet[0].is_on != 0:
        weigh_sightings(s, ctx)


@inlined
def _lists(s, command, ctx):
    """Look for what stands on a list, where the list has entries at all."""
    words = command["words"]
    ctx.card_lists = ctx.bin_lists = ctx.account_lists = 0
    ctx.device_lists = ctx.ip_lists = ctx.email_lists = ctx.is_allowed = 0
    if s.listed_used == 0:
        return
    counts = s.on_lists
    if (
        counts[k.LIST_LOST] + counts[k.LIST_STOLEN] + counts[k.LIST_BLOCK_CARD] + counts[k.LIST_ALLOW_CARD]
        != 0
    ):
        ctx.card_lists = lists_of(s, words[CARD], words[CARD + 1]) & CARD_LISTS
        ctx.is_allowed = (ctx.card_lists >> k.LIST_ALLOW_CARD) & 1
    if counts[k.LIST_BLOCK_BIN] != 0:
        ctx.bin_lists = lists_of_bin(s, np.int64(command["bin"]), np.int64(command["bin_digits"]))
    if counts[k.LIST_BLOCK_ACCOUNT] != 0:
        ctx.account_lists = lists_of(s, command["account"], np.int64(0))
    if counts[k.LIST_BLOCK_DEVICE] != 0 and is_given(words, DEVICE):
        ctx.device_lists = lists_of(s, words[DEVICE], words[DEVICE + 1])
    if counts[k.LIST_BLOCK_IP] != 0 and is_given(words, IP):
        ctx.ip_lists = lists_of(s, words[IP], words[IP + 1])
    if counts[k.LIST_BLOCK_EMAIL] != 0 and is_given(words, EMAIL):
        ctx.email_lists = lists_of(s, words[EMAIL], words[EMAIL + 1])
