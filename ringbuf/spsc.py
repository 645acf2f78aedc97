"""One producer, one consumer, fixed slots, no locks, nothing lost.

    producer process                     shared memory                 consumer process
    try_claim / room --- fills a slot --> slots[capacity] --- reads a slot --- available
    publish ------- store_release ------> PUBLISHED ------- load_acquire ------^
    ^--- load_acquire ------------------- RELEASED <------- store_release --- release

Counting model: PUBLISHED and RELEASED only grow. Slots in flight are PUBLISHED - RELEASED,
never negative and never more than the capacity, so no slot is kept empty and the cursors
need no wrapping arithmetic. The slot of position p is p & (capacity - 1). Either side may
die at any point and a successor goes on at the cursors: a slot counts once it is published,
and it is given back only by release.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ringbuf.atomics import Words, load_acquire, store_release
from ringbuf.copying import put_slots, take_slots
from ringbuf.layout import CONTROL_WORDS, PUBLISHED, RELEASED, RELEASED_SEEN
from ringbuf.njit import njit

NO_SLOT = -1


@njit
def room(control: Words, capacity: int) -> int:
    """Return how many slots the producer may fill now, looking at the consumer's cursor.

    The free slots are those of positions control[PUBLISHED] onwards.
    """
    published = control[PUBLISHED]  # the producer's own: a plain load is exact
    released = load_acquire(control, RELEASED)  # pairs with release()
    control[RELEASED_SEEN] = released
    assert 0 <= published - released <= capacity
    return capacity - (published - released)


@njit
def try_claim(control: Words, capacity: int) -> int:
    """Return the slot to fill next, or NO_SLOT when the ring is full.

    Parameters
    ----------
    control : int64[CONTROL_WORDS], the ring's control block
    capacity : int64, slots, a power of two

    The slot belongs to the producer until `publish`. Only the producer calls.
    """
    published = control[PUBLISHED]
    if published - control[RELEASED_SEEN] >= capacity:
        if room(control, capacity) == 0:
            return NO_SLOT
    return published & (capacity - 1)


@njit
def claim_up_to(control: Words, capacity: int, wanted: int) -> int:
    """Return how many of `wanted` slots the producer may fill now, from position control[PUBLISHED] on.

    Unlike room() it looks at the consumer's cursor only when the last look does not suffice.
    """
    free = capacity - (control[PUBLISHED] - control[RELEASED_SEEN])
    if free < wanted:
        free = room(control, capacity)
    return min(wanted, free)


@njit
def publish(control: Words, count: int = 1) -> None:
    """Make the next `count` filled slots visible to the consumer. Only the producer calls."""
    # Release: the slots' bytes are visible before the cursor moves. Pairs with available().
    store_release(control, PUBLISHED, control[PUBLISHED] + count)


@njit
def available(control: Words) -> int:
    """Return how many published slots wait to be read. Only the consumer calls.

    They are those of positions control[RELEASED] onwards.
    """
    published = load_acquire(control, PUBLISHED)  # pairs with publish()
    waiting = published - control[RELEASED]  # the consumer's own: a plain load is exact
    assert waiting >= 0
    return waiting


@njit
def release(control: Words, count: int) -> None:
    """Give `count` read slots back to the producer. Only the consumer calls."""
    assert count >= 0
    # Release: our reads of the slots are done before the producer may overwrite. Pairs with room().
    store_release(control, RELEASED, control[RELEASED] + count)


@njit
def push_words(control: Words, slots: Words, records: Words) -> int:
    """Copy as many of `records` into the ring as fit, publish them and return their count.

    Parameters
    ----------
    slots, records : int64[capacity, words] and int64[n, words]
    """
    capacity = slots.shape[0]
    count = claim_up_to(control, capacity, records.shape[0])
    position = control[PUBLISHED]
    put_slots(slots, position, records, 0, count)
    publish(control, count)
    return count


@njit
def pop_words(control: Words, slots: Words, out: Words) -> int:
    """Copy waiting records to `out`, at most its length, release them and return their count."""
    count = min(available(control), out.shape[0])
    position = control[RELEASED]
    take_slots(slots, position, out, 0, count)
    release(control, count)
    return count


def words_of(records: npt.NDArray[Any]) -> Words:
    """Return records of whole int64 words as int64[n, words], the same memory."""
    if records.ndim != 1 or records.itemsize % 8 or not records.flags.c_contiguous:
        raise ValueError(
            f"records must be a contiguous array of one dimension whose items are whole 8-byte words, "
            f"not {records.dtype} of shape {records.shape}"
        )
    return np.ndarray((len(records), records.itemsize // 8), np.int64, buffer=records)


class SpscRing:
    """A ring of records of one dtype; each process uses either the producer's or the consumer's methods.

    Parameters
    ----------
    control : int64[CONTROL_WORDS], shared between the two sides
    slots : dtype[capacity], shared between the two sides; capacity is a power of two
    """

    def __init__(self, control: Words, slots: npt.NDArray[Any]) -> None:
        if control.shape != (CONTROL_WORDS,):
            raise ValueError(f"a control block has {CONTROL_WORDS} words, this array {control.shape}")
        if len(slots) == 0 or len(slots) & (len(slots) - 1):
            raise ValueError(f"the capacity of a ring is a power of two, not {len(slots)}")
        self.control = control
        self.slots = slots
        self.words = words_of(slots)
        self.capacity = len(slots)

    @classmethod
    def private(cls, dtype: npt.DTypeLike, capacity: int) -> "SpscRing":
        """Return a ring in this process's own memory."""
        return cls(np.zeros(CONTROL_WORDS, np.int64), np.zeros(capacity, dtype))

    def push(self, records: npt.NDArray[Any]) -> int:
        """Publish as many of `records` (dtype[n]) as fit and return how many (producer)."""
        if records.dtype != self.slots.dtype:
            raise TypeError(f"this ring carries {self.slots.dtype}, not {records.dtype}")
        return int(push_words(self.control, self.words, words_of(records)))

    def pop(self, limit: int) -> npt.NDArray[Any]:
        """Return copies of at most `limit` waiting records and release their slots (consumer)."""
        out = np.empty(min(limit, self.capacity), self.slots.dtype)
        return out[: int(pop_words(self.control, self.words, words_of(out)))]

    @property
    def published(self) -> int:
        """Records published since the ring was made."""
        return int(load_acquire(self.control, PUBLISHED))

    @property
    def released(self) -> int:
        """Records released since the ring was made."""
        return int(load_acquire(self.control, RELEASED))

    def __len__(self) -> int:
        """Return how many records are in flight: exact for either side, a moment old for others."""
        released = self.released
        return max(0, self.published - released)
