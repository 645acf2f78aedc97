"""Whole slots into and out of a ring: one straight copy, two where it runs over the end."""

from ringbuf.atomics import Words, copy_words
from ringbuf.njit import njit


@njit
def put_slots(slots: Words, position: int, records: Words, first: int, count: int) -> None:
    """Copy records[first : first + count] into the slots of `position` and those behind it.

    slots, records : int64[capacity, words] and int64[n, words]; count at most the capacity
    """
    width = slots.shape[1]
    slot = position & (slots.shape[0] - 1)
    straight = min(count, slots.shape[0] - slot)
    copy_words(slots, slot, 0, records, first, 0, straight * width)
    if straight < count:
        copy_words(slots, 0, 0, records, first + straight, 0, (count - straight) * width)


@njit
def take_slots(slots: Words, position: int, out: Words, first: int, count: int) -> None:
    """Copy the slots of `position` and those behind it to out[first : first + count]."""
    width = slots.shape[1]
    slot = position & (slots.shape[0] - 1)
    straight = min(count, slots.shape[0] - slot)
    copy_words(out, first, 0, slots, slot, 0, straight * width)
    if straight < count:
        copy_words(out, first + straight, 0, slots, 0, 0, (count - straight) * width)
