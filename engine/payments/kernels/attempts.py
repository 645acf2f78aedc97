"""Count an attempt: every decided authorise or sale, behind its decision.

Rows of cards, of BINs and of cards at merchants are made here. Where a table is full, the row that was idle
longest gives way; `early` counts those whose longest window had not passed.
"""

from engine.payments.command_words import CARD, DEVICE, EMAIL, IP, MERCHANT
from engine.payments.kernels.gather import bin_key, is_given, pair_hash
from engine.payments.kernels.rows import BUCKETS, NIL
from engine.payments.kernels.sightings import note_sightings, see
from engine.payments.kernels.tables import append, claim, link, touch, unlink
from engine.payments.kernels.windows import (
    DAY_BUCKET_MS,
    HOUR_BUCKET_MS,
    MINUTE_BUCKET_MS,
    MONTH_BUCKET_MS,
    begin_at,
    count_at,
)
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
    if s.fleet[0].is_on != 0:
        note_sightings(s, words, hour, day)
    if is_given(words, DEVICE):
        see(s.device_table, s.device_guests, s.device_bucket, s.devices, found.device_idx, words, DEVICE, day)
    if is_given(words, IP):
        see(s.ip_table, s.ip_guests, s.ip_bucket, s.ips, found.ip, words, IP, hour)
    if is_given(words, EMAIL):
        see(s.email_table, s.email_guests, s.email_bucket, s.emails, found.email, words, EMAIL, day)
    if is_declined:
        count_decline(s, command, card)


@kernel
def count_decline(s, command, card):
    """Enter a decline into what counts those of the card, of its BIN and of it at the merchant."""
    hour, month = s.now // HOUR_BUCKET_MS, s.now // MONTH_BUCKET_MS
    count_at(s.cards[card].declines, hour)
    pair = s.found[0].pair
    if pair == NIL:
        pair = _new_pair(s, command["words"], month)
    count_at(s.pairs[pair].declines, month)
    touch(s.pair_table, s.pairs, pair)
    if command["bin"] >= 0:
        at = s.found[0].bin
        if at == NIL:
            at = _new_bin(s, command, hour)
        count_at(s.bins[at].declines, hour)
        touch(s.bin_table, s.bins, at)


@kernel
def new_card(s, first, second):
    """Return a row for a card that has none, the newest."""
    at, gave_way = claim(s.card_table, s.cards)
    hour = s.now // HOUR_BUCKET_MS
    if gave_way:
        s.card_table.early += hour - s.cards[at].hour.last < BUCKETS
        unlink(s.card_bucket, s.cards, s.cards[at].key[0] & (len(s.card_bucket) - 1), at)
    s.cards[at].key[0] = first
    s.cards[at].key[1] = second
    s.cards[at].last_payment = 0
    begin_at(s.cards[at].minute, s.now // MINUTE_BUCKET_MS)
    begin_at(s.cards[at].hour, hour)
    begin_at(s.cards[at].declines, hour)
    link(s.card_bucket, s.cards, first & (len(s.card_bucket) - 1), at)
    append(s.card_table, s.cards, at)
    return at


@kernel
def _new_pair(s, words, month):
    """Return a row for a card at a merchant; month: the bucket of T."""
    at, gave_way = claim(s.pair_table, s.pairs)
    if gave_way:
        s.pair_table.early += month - s.pairs[at].declines.last < BUCKETS
        unlink(s.pair_bucket, s.pairs, s.pairs[at].hashed & (len(s.pair_bucket) - 1), at)
    hashed = pair_hash(words)
    s.pairs[at].hashed = hashed
    s.pairs[at].key[0] = words[CARD]
    s.pairs[at].key[1] = words[CARD + 1]
    for word in range(3):
        s.pairs[at].key[2 + word] = words[MERCHANT + word]
    begin_at(s.pairs[at].declines, month)
    link(s.pair_bucket, s.pairs, hashed & (len(s.pair_bucket) - 1), at)
    append(s.pair_table, s.pairs, at)
    return at


@kernel
def _new_bin(s, command, hour):
    """Return a row for a BIN; hour: the bucket of T."""
    at, gave_way = claim(s.bin_table, s.bins)
    if gave_way:
        s.bin_table.early += hour - s.bins[at].declines.last < BUCKETS
        unlink(s.bin_bucket, s.bins, s.bins[at].key[0] & (len(s.bin_bucket) - 1), at)
    number, digits = bin_key(command)
    s.bins[at].key[0] = number
    s.bins[at].key[1] = digits
    begin_at(s.bins[at].declines, hour)
    link(s.bin_bucket, s.bins, number & (len(s.bin_bucket) - 1), at)
    append(s.bin_table, s.bins, at)
    return at
