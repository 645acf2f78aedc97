"""Sightings: the cards that a device, an address or an e-mail was seen with, here and on other instances.

A row that a payment here has touched is ours; `early` counts ours that gave way though their window had not
passed. One that is known from other instances alone is a guest: it takes room that is free or that nobody
needs any more, and gives way before any of ours does. So whatever the others see, ours stay as they would.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import CARD, DEVICE, EMAIL, IP
from engine.payments.fleet_records import SIGHTED_MAX, SIGHTING_ROW_WORDS, SIGHTING_ROWS_MAX, Sighted
from engine.payments.kernels.rows import BUCKETS, NIL
from engine.payments.kernels.set_up import tell_done
from engine.payments.kernels.tables import append, claim, find_pair, link, take_out, touch, unlink
from engine.payments.kernels.windows import DAY_BUCKET_MS, HOUR_BUCKET_MS, merge_card, place_of, see_card
from ringbuf.kernel import kernel

SEEN_DEVICE, SEEN_IP, SEEN_EMAIL = np.int64(Sighted.DEVICE), np.int64(Sighted.IP), np.int64(Sighted.EMAIL)
SIGHTED_MASK = np.int64(SIGHTED_MAX - 1)


@kernel
def see(table, guests, buckets, rows, at, words, word, bucket):
    """Note a PAY's card with a device, an address or an e-mail; at: its row or NIL; word: of its hash."""
    if at == NIL:
        at = _own_row(table, guests, buckets, rows, bucket)
        _begin(buckets, rows, at, words[word], words[word + 1])
        append(table, rows, at)
    elif rows[at].is_guest != 0:
        take_out(guests, rows, at)
        rows[at].is_guest = 0
        append(table, rows, at)
    else:
        touch(table, rows, at)
    see_card(rows[at], bucket, words[CARD])


@kernel
def _own_row(table, guests, buckets, rows, bucket):
    """Return a row that is free, or that gives way: a guest, else that of ours which was idle longest."""
    if table.used == len(rows) and guests.oldest != 0:
        return _without_guest(guests, buckets, rows)
    at, gave_way = claim(table, rows)
    if gave_way:
        table.early += bucket - rows[at].last < BUCKETS
        unlink(buckets, rows, rows[at].key[0] & (len(buckets) - 1), at)
    return at


@kernel
def _without_guest(guests, buckets, rows):
    """Return the row of the guest that was idle longest, which gives way."""
    at = np.int64(guests.oldest) - 1
    take_out(guests, rows, at)
    unlink(buckets, rows, rows[at].key[0] & (len(buckets) - 1), at)
    return at


@kernel
def _begin(buckets, rows, at, first, second):
    """Let a row be that of a hash, without cards, and be found."""
    rows[at].count = 0
    rows[at].last = 0
    rows[at].is_guest = 0
    rows[at].key[0] = first
    rows[at].key[1] = second
    link(buckets, rows, first & (len(buckets) - 1), at)


@kernel
def note_sightings(s, words, hour, day):
    """Note what a PAY shows that no instance knows yet, before it is entered; hour, day: the buckets of T."""
    found = s.found[0]
    _note(s, SEEN_DEVICE, s.devices, found.device_idx, words, DEVICE, day)
    _note(s, SEEN_IP, s.ips, found.ip, words, IP, hour)
    _note(s, SEEN_EMAIL, s.emails, found.email, words, EMAIL, day)


@kernel
def _note(s, kind, rows, at, words, word, bucket):
    """Note a card with what was given, unless the row has it in this bucket."""
    if (words[word] | words[word + 1]) == 0:
        return
    if at != NIL:
        place = place_of(rows[at], words[CARD])
        if place != NIL and rows[at].seen[place].bucket >= bucket:
            return
    noted = s.sighted[s.sighted_count & SIGHTED_MASK]
    noted.kind = kind
    noted.row[0] = bucket
    noted.row[1] = words[word]
    noted.row[2] = words[word + 1]
    noted.row[3] = words[CARD]
    s.sighted_count += 1


@kernel
def merge_sightings(s, command):
    """Enter what other instances have seen."""
    words, kind = command["words"], np.int64(command["kind"])
    for place in range(min(command["payment"], SIGHTING_ROWS_MAX)):
        at = place * SIGHTING_ROW_WORDS
        if kind == SEEN_DEVICE:
            bucket, table, guests = s.now // DAY_BUCKET_MS, s.device_table, s.device_guests
            is_news, has_room = _merge(table, guests, s.device_bucket, s.devices, words, at, bucket)
        elif kind == SEEN_IP:
            bucket, table, guests = s.now // HOUR_BUCKET_MS, s.ip_table, s.ip_guests
            is_news, has_room = _merge(table, guests, s.ip_bucket, s.ips, words, at, bucket)
        else:
            bucket, table, guests = s.now // DAY_BUCKET_MS, s.email_table, s.email_guests
            is_news, has_room = _merge(table, guests, s.email_bucket, s.emails, words, at, bucket)
        s.fleet[0].merged += is_news
        s.fleet[0].unmerged += not has_room
    tell_done(s, command, k.OK, k.NONE, s.seq, k.NONE)


@kernel
def _merge(table, guests, buckets, rows, words, at, now):
    """Enter a row of SIGHTINGS; return whether it was news and whether there was room; now: bucket of T.

    What another clock says to come was seen just now; what has left the window says nothing.
    """
    bucket = min(words[at], now)
    if now - bucket >= BUCKETS:
        return False, True
    row = find_pair(buckets, rows, words[at + 1], words[at + 2])
    if row == NIL:
        row = _guest_row(table, guests, buckets, rows, now)
        if row == NIL:
            return False, False
        _begin(buckets, rows, row, words[at + 1], words[at + 2])
        rows[row].is_guest = 1
        append(guests, rows, row)
    elif rows[row].is_guest != 0:
        touch(guests, rows, row)
    return merge_card(rows[row], bucket, words[at + 3]), True


@kernel
def _guest_row(table, guests, buckets, rows, now):
    """Return a row that is free, or whose window has passed, or that of another guest; NIL: ours need all."""
    if table.used == len(rows):
        oldest = np.int64(table.oldest) - 1
        if oldest == NIL or now - rows[oldest].last < BUCKETS:
            return NIL if guests.oldest == 0 else _without_guest(guests, buckets, rows)
    at, gave_way = claim(table, rows)
    if gave_way:
        unlink(buckets, rows, rows[at].key[0] & (len(buckets) - 1), at)
    return at
