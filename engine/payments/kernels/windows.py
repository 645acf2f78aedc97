"""Windows of twelve buckets: counts, sums of amounts, and distinct cards.

The window of time T ends in the bucket of T and is twelve whole buckets. Looking at one changes nothing
but what it no longer holds; a bucket is a number that never goes back.
"""

import numpy as np

from engine.payments.kernels.rows import BUCKETS, DISTINCT_MAX, NIL
from ringbuf.kernel import inlined, kernel

MINUTE_MS, HOUR_MS, DAY_MS = np.int64(60_000), np.int64(3_600_000), np.int64(86_400_000)
MINUTE_BUCKET_MS = MINUTE_MS // BUCKETS
HOUR_BUCKET_MS = HOUR_MS // BUCKETS
DAY_BUCKET_MS = DAY_MS // BUCKETS
MONTH_BUCKET_MS = 30 * DAY_MS // BUCKETS
COUNT_MAX = np.int64(2**31 - 1)


@inlined
def total_at(window, bucket):
    """Return what a window of counts or sums holds as of a bucket."""
    if bucket != window.last:
        _move_on(window, bucket)
    return np.int64(window.total)


@kernel
def _move_on(window, bucket):
    """Forget the buckets that lie behind the window of `bucket`."""
    if bucket - window.last >= BUCKETS:
        begin_at(window, bucket)
        return
    for passed in range(window.last + 1, bucket + 1):
        at = passed % BUCKETS
        window.total -= window.buckets[at]
        window.buckets[at] = 0
    window.last = bucket


@inlined
def begin_at(window, bucket):
    """Let a window hold nothing as of a bucket."""
    window.last = bucket
    window.total = 0
    for at in range(BUCKETS):
        window.buckets[at] = 0


@inlined
def add_at(window, bucket, amount):
    """Add to the bucket of T, which `total_at` has looked at."""
    window.buckets[bucket % BUCKETS] += amount
    window.total += amount


@inlined
def count_at(window, bucket):
    """Count one more in the bucket of T, which `total_at` has looked at; at the end of int32 it stays."""
    if window.total < COUNT_MAX:
        add_at(window, bucket, 1)


@kernel
def place_of(row, card):
    """Return where a row keeps a card, or NIL."""
    for at in range(np.int64(row.count)):
        if row.seen[at].card == card:
            return np.int64(at)
    return NIL


@kernel
def distinct_at(row, bucket, card):
    """Return how many cards a row has seen in the window of a bucket, `card` included; 32 at most."""
    count = np.int64(1)
    for at in range(np.int64(row.count)):
        if bucket - row.seen[at].bucket < BUCKETS and row.seen[at].card != card:
            count += 1
    return min(count, DISTINCT_MAX)


@kernel
def _room_in(row):
    """Return where a card that is not kept comes: behind the others, or in place of the one seen first."""
    at = np.int64(row.count)
    if at < DISTINCT_MAX:
        return at
    at = np.int64(0)
    for other in range(DISTINCT_MAX):
        if row.seen[other].bucket < row.seen[at].bucket:
            at = np.int64(other)
    return at


@kernel
def see_card(row, bucket, card):
    """Note that a card was seen in a bucket; a card without room takes the place of the one seen first."""
    at = place_of(row, card)
    if at == NIL:
        at = _room_in(row)
        row.seen[at].card = card
    row.seen[at].bucket = bucket
    row.count = max(row.count, at + 1)  # behind the card: others look at rows meanwhile
    row.last = bucket


@kernel
def merge_card(row, bucket, card):
    """Note that a card was seen elsewhere, in this bucket or an earlier one; tell whether that was news."""
    at = place_of(row, card)
    if at == NIL:
        at = _room_in(row)
        if at == row.count:
            row.seen[at].bucket = NIL
    if row.seen[at].bucket >= bucket:
        return False
    row.seen[at].card = card
    row.seen[at].bucket = bucket
    row.count = max(row.count, at + 1)
    row.last = max(row.last, bucket)
    return True
