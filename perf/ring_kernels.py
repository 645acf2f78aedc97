"""The kernels of the ring tier: send and sum records, send them back, time round trips."""

from ringbuf.atomics import Words, cycle_count, load_acquire, store_release
from ringbuf.broadcast import append, read
from ringbuf.layout import END, PUBLISHED, RELEASED, STAMP_WORD, USER_WORDS
from ringbuf.njit import njit
from ringbuf.spsc import NO_SLOT, available, claim_up_to, publish, release, try_claim
from ringbuf.waiting import BACKOFF, SPIN, pause

RECORD_WORDS = 16
BATCH = 64
IDLE_LIMIT, SPIN_LIMIT = 50_000, 1 << 34
"""Rounds of waiting, backing off or spinning, before a kernel gives its peer up: a minute or so."""
READER_AT = USER_WORDS[0]
DONE, STALLED = 0, -1


@njit
def send(control: Words, slots: Words, last: int, batch: int) -> int:
    """Publish records up to position `last`, at most `batch` at once; return DONE or STALLED."""
    capacity = slots.shape[0]
    idle = 0
    while control[PUBLISHED] < last and idle < IDLE_LIMIT:
        first = control[PUBLISHED]
        count = claim_up_to(control, capacity, min(batch, last - first))
        if count == 0:
            idle = pause(BACKOFF, idle)
            continue
        idle = 0
        for position in range(first, first + count):
            for word in range(RECORD_WORDS):
                slots[position & (capacity - 1), word] = position * RECORD_WORDS + word
        publish(control, count)
    return DONE if control[PUBLISHED] >= last else STALLED


@njit
def receive(control: Words, slots: Words, last: int) -> tuple[int, int]:
    """Sum and release records up to position `last`; return DONE or STALLED, and the sum."""
    capacity = slots.shape[0]
    idle = 0
    total = 0
    while control[RELEASED] < last and idle < IDLE_LIMIT:
        count = min(min(available(control), BATCH), last - control[RELEASED])
        if count == 0:
            idle = pause(BACKOFF, idle)
            continue
        idle = 0
        first = control[RELEASED]
        for position in range(first, first + count):
            slot = position & (capacity - 1)
            assert slot >= 0  # known, the sum is unrolled; unknown, it takes 36 ns instead of 5
            for word in range(RECORD_WORDS):
                total += slots[slot, word]
        release(control, count)
    return (DONE if control[RELEASED] >= last else STALLED), total


@njit
def show(control: Words, slots: Words, last: int, batch: Words) -> int:
    """Append records up to index `last`, never more than a ring ahead of the reader."""
    idle = 0
    while control[END] < last and idle < IDLE_LIMIT:
        if control[END] + BATCH - load_acquire(control, READER_AT) > slots.shape[0]:
            idle = pause(BACKOFF, idle)
            continue
        idle = 0
        append(control, slots, batch, 1)
    return DONE if control[END] >= last else STALLED


@njit
def follow(control: Words, slots: Words, gate: Words, last: int, out: Words) -> tuple[int, int]:
    """Read up to index `last`; return DONE or STALLED, and the sum of all words but the first two."""
    idle = 0
    total = 0
    position = control[READER_AT]
    while position < last and idle < IDLE_LIMIT:
        count = read(control, slots, gate, 0, position, out, BATCH)
        assert count >= 0  # the writer waits for us: a lap would be its fault
        if count == 0:
            idle = pause(BACKOFF, idle)
            continue
        idle = 0
        for i in range(count):
            assert out[i, STAMP_WORD] == position + i
            for word in range(2, RECORD_WORDS):
                total += out[i, word]
        position += count
        store_release(control, READER_AT, position)
    return (DONE if position >= last else STALLED), total


@njit
def echo(there_control: Words, there_slots: Words, back_control: Words, back_slots: Words, last: int) -> int:
    """Send each record back as it comes, up to position `last`; return DONE or STALLED."""
    capacity = there_slots.shape[0]
    idle = 0
    while there_control[RELEASED] < last and idle < SPIN_LIMIT:
        if available(there_control) == 0:
            idle = pause(SPIN, idle)
            continue
        idle = 0
        slot = try_claim(back_control, capacity)
        assert slot != NO_SLOT  # one record at a time
        came = there_control[RELEASED] & (capacity - 1)
        for word in range(RECORD_WORDS):
            back_slots[slot, word] = there_slots[came, word]
        publish(back_control)
        release(there_control, 1)
    return DONE if there_control[RELEASED] >= last else STALLED


@njit
def ping(
    there_control: Words, there_slots: Words, back_control: Words, back_slots: Words, cycles: Words
) -> tuple[int, int]:
    """Send a record and await its echo, len(cycles) times; return DONE or STALLED, and the echoes' sum."""
    capacity = there_slots.shape[0]
    total = 0
    for i in range(cycles.shape[0]):
        begun = cycle_count()
        slot = try_claim(there_control, capacity)
        assert slot != NO_SLOT  # one record at a time
        for word in range(RECORD_WORDS):
            there_slots[slot, word] = there_control[PUBLISHED] * RECORD_WORDS + word
        publish(there_control)
        idle = 0
        while available(back_control) == 0:
            idle = pause(SPIN, idle)
            if idle == SPIN_LIMIT:
                return STALLED, total
        came = back_control[RELEASED] & (capacity - 1)
        for word in range(RECORD_WORDS):
            total += back_slots[came, word]
        release(back_control, 1)
        cycles[i] = cycle_count() - begun
    return DONE, total
