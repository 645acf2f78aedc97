"""Orders in their price level: first in, first out, linked through the order records."""

import numpy as np

from engine.trading.kernels.levels import obtain_level, remove_level
from engine.trading.kernels.state import NIL
from ringbuf.kernel import inlined, kernel

JOINS = np.int64(1)


@inlined
def enqueue(s, order):
    """Put an order at the tail of the level of its px; it counts as open from the first time on."""
    level = obtain_level(s, np.int64(s.hot[order].instrument), np.int64(s.cold[order].side), s.hot[order].px)
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
    if s.cold[order].is_counted == 0:
        s.cold[order].is_counted = 1
        count_open(s, order, JOINS)


@inlined
def dequeue(s, order):
    """Take an order out of its level; the level goes when it is empty."""
    level = np.int64(s.hot[order].level)
    before = np.int64(s.hot[order].prev)
    after = np.int64(s.hot[order].next)
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
    s.hot[order].level = NIL
    if s.levels[level].order_count == 0:
        remove_level(s, level)


@kernel
def count_open(s, order, change):
    """Count an order as open for its book, account and position (+1), or no longer (-1)."""
    s.books[s.hot[order].instrument].order_count += change
    s.accounts[s.hot[order].account].open_orders += change
    s.positions[s.hot[order].position].open_orders += change
