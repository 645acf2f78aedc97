"""Counting and signs of life in words that other processes read (counters.py)."""

from ringbuf.atomics import Words, clock_monotonic_ns, store_release
from ringbuf.njit import njit


@njit
def add(words: Words, i: int, count: int) -> None:
    """Add `count` to the value at words[i]. Only its one writer calls."""
    store_release(words, i, words[i] + count)  # pairs with load_acquire in any reader


@njit
def beat(words: Words, i: int) -> None:
    """Note in words[i] that its owner is alive now."""
    store_release(words, i, clock_monotonic_ns())
