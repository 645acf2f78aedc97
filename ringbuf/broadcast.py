"""One writer, any number of readers, and a writer that never waits: slow readers are lapped and know it.

    writer                                   shared memory                         reader at position p
    announce(end): INTENT = end ------------> INTENT <---------------- 4 lapped if INTENT > p + capacity
        release fence                                                  3 acquire fence
    fill slots (stamp = global index) ------> slots[capacity] -------- 2 copy the slot
    commit(end): END = end, release --------> END -------------------- 1 p < END, acquire
                                              gate (another process) - 5 deliver if its word <= gate

Index p lies in slot p & (capacity - 1). A slot is a record of whole int64 words: word
STAMP_WORD holds its global index, word GATE_WORD what is compared with the gate (a sequence
that something must have reached, a durable cursor for example, before anyone may see it).

Why a reader cannot be fooled: the writer announces before it overwrites. A reader that copied
one new byte therefore finds, behind its acquire fence, the INTENT that covers it (step 4).
A slot that passes step 4 was whole; a wrong stamp there means a broken writer and is fatal.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ringbuf.atomics import (
    Words,
    fence_acquire,
    fence_release,
    load_acquire,
    load_relaxed,
    store_relaxed,
    store_release,
)
from ringbuf.copying import put_slots, take_slots
from ringbuf.layout import CONTROL_WORDS, END, GATE_WORD, INTENT, STAMP_WORD
from ringbuf.njit import njit
from ringbuf.spsc import words_of

LAPPED = -1
READ_CHUNK = 16
"""Slots copied between two looks at INTENT: its line is fetched once a chunk, and a closed
gate wastes at most one chunk of copying."""

GATE_OPEN = int(np.iinfo(np.int64).max)
"""Gate value of a ring whose slots may be read as soon as they are committed."""


@njit
def announce(control: Words, end: int) -> None:
    """Say that slots up to index `end` (exclusive) are about to be overwritten. Only the writer calls."""
    assert end >= control[INTENT]
    store_relaxed(control, INTENT, end)
    # Release fence: the intent is visible before the first new byte of a slot. Pairs with is_lapped().
    fence_release()


@njit
def commit(control: Words, end: int) -> None:
    """Show the written slots up to index `end` (exclusive) to readers. Only the writer calls."""
    assert control[END] <= end <= control[INTENT]
    # Release: slot bytes before the cursor. Pairs with committed().
    store_release(control, END, end)


@njit
def committed(control: Words) -> int:
    """Return the index after the last slot that may be read."""
    return load_acquire(control, END)  # pairs with commit()


@njit
def is_lapped(control: Words, capacity: int, position: int) -> bool:
    """Tell whether slots from `position` on may have been overwritten. Ask *after* copying them."""
    fence_acquire()  # our copy is done before the look at INTENT; pairs with announce()
    return load_relaxed(control, INTENT) > position + capacity


@njit
def read(
    control: Words, slots: Words, gate_words: Words, gate_idx: int, position: int, out: Words, limit: int
) -> int:
    """Copy the next visible slots to `out`; return their count, or LAPPED.

    Parameters
    ----------
    control : int64[CONTROL_WORDS]
    slots : int64[capacity, words]
    gate_words, gate_idx : int64[n] and int64; a slot is delivered when its GATE_WORD <= gate_words[gate_idx]
    position : int64, index of the reader's next slot; it goes on at position + count
    out : int64[m, words]
    limit : int64, slots at most

    LAPPED only when nothing of this call was delivered and slots at `position` are gone.
    Asserts that the stamps are right: anything else is a broken writer.
    """
    capacity = slots.shape[0]
    wanted = min(min(limit, out.shape[0]), load_acquire(control, END) - position)  # pairs with commit()
    count = 0
    while count < wanted:
        first = position + count
        chunk = min(READ_CHUNK, wanted - count)
        take_slots(slots, first, out, count, chunk)
        if is_lapped(control, capacity, first):
            return count if count > 0 else LAPPED
        for i in range(chunk):
            assert out[count + i, STAMP_WORD] == first + i
        gate = load_acquire(gate_words, gate_idx)  # pairs with the gate owner's store_release
        for _ in range(chunk):
            if out[count, GATE_WORD] > gate:
                return count
            count += 1
    return count


@njit
def is_visible(control: Words, slots: Words, gate_words: Words, gate_idx: int, position: int) -> bool:
    """Tell whether `read` would find anything at `position`; parameters as there."""
    if load_acquire(control, END) <= position:  # pairs with commit()
        return False
    gate = load_acquire(gate_words, gate_idx)  # pairs with the gate owner's store_release
    waits_for = slots[position & (slots.shape[0] - 1), GATE_WORD]
    return waits_for <= gate or is_lapped(control, slots.shape[0], position)


@njit
def append(control: Words, slots: Words, records: Words, gate: int) -> int:
    """Write `records` behind the last one and show them; return the index after them. Only the writer calls.

    Parameters
    ----------
    slots, records : int64[capacity, words] and int64[n, words], n at most the capacity
    gate : int64, goes into the GATE_WORD of each
    """
    capacity = slots.shape[0]
    first = control[END]
    end = first + records.shape[0]
    assert records.shape[0] <= capacity
    announce(control, max(end, control[INTENT]))
    put_slots(slots, first, records, 0, records.shape[0])
    for i in range(records.shape[0]):
        slot = (first + i) & (capacity - 1)
        slots[slot, STAMP_WORD] = first + i
        slots[slot, GATE_WORD] = gate
    commit(control, end)
    return end


class Broadcast:
    """The writer's end of an overwriting ring, and the maker of readers.

    Parameters
    ----------
    control : int64[CONTROL_WORDS]
    slots : dtype[capacity], capacity a power of two; the dtype's words 0 and 1 are stamp and gate word
    """

    def __init__(self, control: Words, slots: npt.NDArray[Any]) -> None:
        if control.shape != (CONTROL_WORDS,):
            raise ValueError(f"a control block has {CONTROL_WORDS} words, this array {control.shape}")
        if len(slots) == 0 or len(slots) & (len(slots) - 1):
            raise ValueError(f"the capacity of a ring is a power of two, not {len(slots)}")
        if slots.itemsize < 16:
            raise ValueError(f"a broadcast slot begins with stamp and gate word; {slots.dtype} has no room")
        self.control = control
        self.slots = slots
        self.words = words_of(slots)
        self.capacity = len(slots)

    @classmethod
    def private(cls, dtype: npt.DTypeLike, capacity: int) -> "Broadcast":
        """Return a ring in this process's own memory."""
        return cls(np.zeros(CONTROL_WORDS, np.int64), np.zeros(capacity, dtype))

    def append(self, records: npt.NDArray[Any], gate: int) -> int:
        """Write `records` (dtype[n]), all with gate word `gate`; return the index after them."""
        if records.dtype != self.slots.dtype:
            raise TypeError(f"this ring carries {self.slots.dtype}, not {records.dtype}")
        if len(records) > self.capacity:
            raise ValueError(f"{len(records)} records cannot be shown at once by {self.capacity} slots")
        return int(append(self.control, self.words, words_of(records), gate))

    @property
    def end(self) -> int:
        """Index after the last committed slot."""
        return int(committed(self.control))

    def reader(
        self, gate_words: Words | None = None, gate_idx: int = 0, position: int | None = None
    ) -> "BroadcastReader":
        """Return a reader that starts at `position`, or with what is committed from now on.

        Without gate words everything committed is visible.
        """
        gate = np.full(1, GATE_OPEN) if gate_words is None else gate_words
        return BroadcastReader(self, gate, gate_idx, self.end if position is None else position)


class BroadcastReader:
    """One reader's place in a broadcast ring; counts its laps and what they cost.

    `position` is the index of the next slot, `laps` how often the writer overtook us,
    `missed` how many slots we never saw because of that. After a lap the reader goes on
    with the newest: its user must take up the truth from elsewhere (`drain` returns None).
    """

    def __init__(self, ring: Broadcast, gate_words: Words, gate_idx: int, position: int) -> None:
        self.ring = ring
        self.gate_words = gate_words
        self.gate_idx = gate_idx
        self.position = position
        self.laps = 0
        self.missed = 0

    def drain(self, limit: int) -> npt.NDArray[Any] | None:
        """Return copies of the next visible records, at most `limit`; None: we were lapped."""
        ring = self.ring
        out = np.empty(min(limit, ring.capacity), ring.slots.dtype)
        count = int(
            read(
                ring.control, ring.words, self.gate_words, self.gate_idx, self.position, words_of(out), limit
            )
        )
        if count == LAPPED:
            end = ring.end
            self.laps += 1
            self.missed += end - self.position
            self.position = end
            return None
        self.position += count
        return out[:count]
