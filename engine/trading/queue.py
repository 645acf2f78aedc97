"""Orders in their price level: first in, first out, linked through the order records."""

from numba import njit

from engine.trading.levels import obtain_level, remove_level
from engine.trading.state import NIL


@njit(cache=True)
def enqueue(s, order):
    """Put an order at the tail of the level of its px."""
    book = s.cold[order].instrument
    level = obtain_level(s, book, s.cold[order].side, s.hot[order].px)
    tail = s.levels[level].tail
    s.hot[order].level = level
    s.hot[order].prev = tail
    s.hot[order].next = NIL
    if tail == NIL:
        s.levels[level].head = order
    else:
        s.hot[tail].next = order
    s.levels[level].tail = order
    s.levels[level].qty += s.hot[order].leaves
    s.levels[level].order_count += 1
    s.books[book].order_count += 1


@njit(cache=True)
def dequeue(s, order):
    """Take an order out of its level; the level goes when it is empty."""
    level = s.hot[order].level
    before = s.hot[order].prev
    after = s.hot[order].next
    if before == NIL:
        s.levels[level].head = after
    else:
        s.hot[before].next = after
    if after == NIL:
        s.levels[level].tail = before
    else:
        s.hot[after].prev = before
    s.levels[level].qty -= s.hot[order].leaves
    s.levels[level].order_count -= 1
    s.books[s.levels[level].book].order_count -= 1
    s.hot[order].level = NIL
    if s.levels[level].order_count == 0:
        remove_level(s, level)
