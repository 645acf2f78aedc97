"""Lists of cards and others: which lists a key stands on."""

import numpy as np

from engine.payments.kernels.rows import NIL
from engine.payments.kernels.tables import find_pair, link
from engine.payments.records import ListKind
from ringbuf.kernel import inlined, kernel

ONE = np.int64(1)
CARD_LISTS = np.int64(
    sum(1 << kind for kind in (ListKind.LOST, ListKind.STOLEN, ListKind.BLOCK_CARD, ListKind.ALLOW_CARD))
)
BIN_DIGITS, SHORT_BIN_DIGITS = np.int64(8), np.int64(6)


@kernel
def lists_of(s, first, second):
    """Return the lists that a key stands on, as bits 1 << ListKind."""
    at = find_pair(s.listed_bucket, s.listed, first, second)
    return np.int64(0) if at == NIL else np.int64(s.listed[at].lists)


@inlined
def short_bin(number, digits):
    """Return the first six digits of a BIN of 6 to 8."""
    return number if digits == 6 else (number // 10 if digits == 7 else number // 100)


@kernel
def lists_of_bin(s, number, digits):
    """Return the lists on which a BIN stands, by its first eight digits or its first six."""
    found = np.int64(0)
    if number < 0:
        return found
    if digits == BIN_DIGITS:
        found = lists_of(s, number, BIN_DIGITS)
    return found | lists_of(s, short_bin(number, digits), SHORT_BIN_DIGITS)


@kernel
def put_on(s, kind, first, second):
    """Put a key on a list; tell whether there was room."""
    at = find_pair(s.listed_bucket, s.listed, first, second)
    if at == NIL:
        at = s.listed_used
        if at == len(s.listed):
            return False
        s.listed_used += 1
        s.listed[at].key[0] = first
        s.listed[at].key[1] = second
        link(s.listed_bucket, s.listed, first & (len(s.listed_bucket) - 1), at)
    if not (s.listed[at].lists >> kind) & 1:
        s.listed[at].lists |= ONE << kind
        s.on_lists[kind] += 1
    return True


@kernel
def take_off(s, kind, first, second):
    """Take a key off a list, if it stands on it; its row waits for the next time."""
    at = find_pair(s.listed_bucket, s.listed, first, second)
    if at != NIL and (s.listed[at].lists >> kind) & 1:
        s.listed[at].lists &= ~(ONE << kind)
        s.on_lists[kind] -= 1
