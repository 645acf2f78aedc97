"""Tables of rows that are found by a key, and the order in which those that forget were used.

A bucket holds the first row of its chain, idx + 1. Keys are hashes already, made by the doors under a
secret, so the low bits of their first word choose the bucket; numbers that people choose are mixed first.
"""

import numpy as np

from engine.payments.kernels.rows import NIL
from ringbuf.kernel import inlined, kernel

SPREAD = np.int64(2654435761)
"""2**32 / golden ratio: Knuth, TAOCP 3, section 6.4."""
FOLDED_BITS = 31
FOLDED_MASK = (1 << FOLDED_BITS) - 1


@inlined
def mixed(number):
    """Return a number whose low bits depend on all of its bits; nothing overflows."""
    folded = (number ^ (number >> FOLDED_BITS) ^ (number >> 2 * FOLDED_BITS)) & FOLDED_MASK
    product = folded * SPREAD
    return product ^ (product >> FOLDED_BITS)


@inlined
def find_pair(buckets, rows, first, second):
    """Return the row whose key is these two words, or NIL."""
    at = np.int64(buckets[first & (len(buckets) - 1)]) - 1
    while at != NIL and (rows[at].key[0] != first or rows[at].key[1] != second):
        at = np.int64(rows[at].chain) - 1
    return at


@inlined
def link(buckets, rows, bucket, at):
    """Make a row findable in a bucket."""
    rows[at].chain = buckets[bucket]
    buckets[bucket] = at + 1


@kernel
def unlink(buckets, rows, bucket, at):
    """Take a row out of its bucket."""
    place = np.int64(buckets[bucket]) - 1
    if place == at:
        buckets[bucket] = rows[at].chain
        return
    while rows[place].chain - 1 != at:
        place = np.int64(rows[place].chain) - 1
    rows[place].chain = rows[at].chain


@inlined
def append(table, rows, at):
    """Put a row behind the newest one."""
    newest = np.int64(table.newest)
    rows[at].older = newest
    rows[at].newer = 0
    if newest != 0:
        rows[newest - 1].newer = at + 1
    else:
        table.oldest = at + 1
    table.newest = at + 1


@inlined
def take_out(table, rows, at):
    """Take a row out of the order."""
    older, newer = np.int64(rows[at].older), np.int64(rows[at].newer)
    if older != 0:
        rows[older - 1].newer = newer
    else:
        table.oldest = newer
    if newer != 0:
        rows[newer - 1].older = older
    else:
        table.newest = older


@inlined
def claim(table, rows):
    """Return (a row for a newcomer, whether it gave way: the one idle longest, out of the order now)."""
    at = np.int64(table.used)
    if at < len(rows):
        table.used += 1
        return at, False
    at = np.int64(table.oldest) - 1
    take_out(table, rows, at)
    return at, True


@inlined
def touch(table, rows, at):
    """Make a row the newest."""
    if table.newest != at + 1:
        take_out(table, rows, at)
        append(table, rows, at)
