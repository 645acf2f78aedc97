"""Count an attempt: every decided authorise or sale, behind its decision.

Rows of cards, devices and the like are made here. Where a table is full, the row that was idle longest
gives way; `early` counts those whose longest window had not passed.
"""

import numpy as np

from engine.payments.kernels.gather import bin_key, find_bin, is_given, pair_hash
from engine.payments.kernels.rows import BUCKETS, NIL
from engine.payments.kernels.tables import append, link, take_out, touch, unlink
from engine.payments.kernels.windows import (
    DAY_BUCKET_MS,
    HOUR_BUCKET_MS,
    MINUTE_BUCKET_MS,
    MONTH_BUCKET_MS,
    count_at,
    see_card,
    total_at,
)
from engine.payments.records import CARD, DEVICE, EMAIL, IP, MERCHANT
from ringbuf.kernel import inlined, kernel


@inlined
def count_attempt(s, command, is_declined):
    """Enter an attempt into everything that counts it; `s.found` has its rows."""
    s.decided += 1
    found, words = s.found[0], command["words"]
    card = found.card
    if card == NIL:
        card = new_card(s, words[CARD], words[CARD + 1])
        found.card = card
    minute, hour, day = s.now // MINUTE_BUCKET_MS, s.now // HOUR_BUCKET_MS, s.now // DAY_BUCKET_MS
    count_at(s.cards[card].minute, minute)
    count_at(s.cards[card].hour, hour)
    touch(s.card_table, s.cards, card)
    if found.account != NIL:
        count_at(s.accounts[found.account].count, day)
    if is_given(words, DEVICE):
        see(s.device_table, s.device_bucket, s.devices, found.device_idx, words, DEVICE, day)
    if is_given(words, IP):
        see(s.ip_table, s.ip_bucket, s.ips, found.ip, words, IP, hour)
    if is_given(words, EMAIL):
        see(s.email_table, s.email_bucket, s.emails, found.email, words, EMAIL, day)
    if is_declined:
        count_decline(s, command, card)


@kernel
def count_decline(s, command, card):
    """Enter a decline into what counts those of the card, of its BIN and of it at the merchant."""
    hour, month = s.now // HOUR_BUCKET_MS, s.now // MONTH_BUCKET_MS
    count_at(s.cards[card].declines, hour)
    pair = s.found[0].pair
    if pair == NIL:
        pair = _new_pair(s, command["words"])
    total_at(s.pairs[pair].declines, month)
    count_at(s.pairs[pair].declines, month)
    touch(s.pair_table, s.pairs, pair)
    if command["bin"] >= 0:
        at = find_bin(s, command)
        if at == NIL:
            at = _new_bin(s, command)
        total_at(s.bins[at].declines, hour)
        count_at(s.bins[at].declines, hour)
        touch(s.bin_table, s.bins, at)


@inlined
def _clear(window):
    window.last = 0
    window.total = 0
    for at in range(BUCKETS):
        window.buckets[at] = 0


@kernel
def new_card(s, first, second):
    """Return a row for a card that has none, the newest."""
    at = s.card_table.used
    hour = s.now // HOUR_BUCKET_MS
    if at == len(s.cards):
        at = np.int64(s.card_table.oldest) - 1
        take_out(s.card_table, s.cards, at)
        s.card_table.early += hour - s.cards[at].hour.last < BUCKETS
        unlink(s.card_bucket, s.cards, s.cards[at].key[0] & (len(s.card_bucket) - 1), at)
    else:
        s.card_table.used += 1
    s.cards[at].key[0] = first
    s.cards[at].key[1] = second
    s.cards[at].last_payment = 0
    _clear(s.cards[at].minute)
    _clear(s.cards[at].hour)
    _clear(s.cards[at].declines)
    total_at(s.cards[at].minute, s.now // MINUTE_BUCKET_MS)
    total_at(s.cards[at].hour, hour)
    total_at(s.cards[at].declines, hour)
    link(s.card_bucket, s.cards, first & (len(s.card_bucket) - 1), at)
    append(s.card_table, s.cards, at)
    return at


@kernel
def _new_pair(s, words):
    """Return a row for a card at a merchant."""
    at = s.pair_table.used
    if at == len(s.pairs):
        at = np.int64(s.pair_table.oldest) - 1
        take_out(s.pair_table, s.pairs, at)
        s.pair_table.early += s.now // MONTH_BUCKET_MS - s.pairs[at].declines.last < BUCKETS
        unlink(s.pair_bucket, s.pairs, s.pairs[at].hashed & (len(s.pair_bucket) - 1), at)
    else:
        s.pair_table.used += 1
    hashed = pair_hash(words)
    s.pairs[at].hashed = hashed
    s.pairs[at].key[0] = words[CARD]
    s.pairs[at].key[1] = words[CARD + 1]
    for word in range(3):
        s.pairs[at].key[2 + word] = words[MERCHANT + word]
    _clear(s.pairs[at].declines)
    link(s.pair_bucket, s.pairs, hashed & (len(s.pair_bucket) - 1), at)
    append(s.pair_table, s.pairs, at)
    return at


@kernel
def _new_bin(s, command):
    """Return a row for a BIN."""
    at = s.bin_table.used
    if at == len(s.bins):
        at = np.int64(s.bin_table.oldest) - 1
        take_out(s.bin_table, s.bins, at)
        s.bin_table.early += s.now // HOUR_BUCKET_MS - s.bins[at].declines.last < BUCKETS
        unlink(s.bin_bucket, s.bins, s.bins[at].key[0] & (len(s.bin_bucket) - 1), at)
    else:
        s.bin_table.used += 1
    number, digits = bin_key(command)
    s.bins[at].key[0] = number
    s.bins[at].key[1] = digits
    _clear(s.bins[at].declines)
    link(s.bin_bucket, s.bins, number & (len(s.bin_bucket) - 1), at)
    append(s.bin_table, s.bins, at)
    return at


@kernel
def see(table, buckets, rows, at, words, word, bucket):
    """Note a PAY's card with a device, an address or an e-mail; at: its row or NIL; word: of its hash."""
    if at == NIL:
        at = np.int64(table.used)
        if at == len(rows):
            at = np.int64(table.oldest) - 1
            take_out(table, rows, at)
            table.early += bucket - rows[at].last < BUCKETS
            unlink(buckets, rows, rows[at].key[0] & (len(buckets) - 1), at)
        else:
            table.used += 1
        rows[at].key[0] = words[word]
        rows[at].key[1] = words[word + 1]
        rows[at].count = 0
        link(buckets, rows, words[word] & (len(buckets) - 1), at)
        append(table, rows, at)
    else:
        touch(table, rows, at)
    see_card(rows[at], bucket, words[CARD])
