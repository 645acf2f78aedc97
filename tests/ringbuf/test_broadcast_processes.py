"""A writer that never waits and readers too slow for it: nothing torn is ever delivered."""

import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numba import njit

from ringbuf.atomics import cpu_pause, load_acquire, store_release
from ringbuf.broadcast import LAPPED, Broadcast, announce, commit, committed, read
from ringbuf.layout import END, USER_WORDS
from ringbuf.segment import Kind, attach, create

EVENT = np.dtype([("stamp", "<i8"), ("seq", "<i8"), ("words", "<i8", (14,))])
WORDS = EVENT.itemsize // 8
CAPACITY = 32
GATE = USER_WORDS[0]
SEEN = USER_WORDS[1]
"""Where the reader is, for a writer that meets it now and then."""
MEETING = 3_000
"""Events between two points where such a writer waits for the reader; it runs free between them."""
EVENTS_PER_COMMAND = 3
BEHIND = CAPACITY // 2
"""A lapped reader goes on this far behind the writer, where it may soon be lapped again."""
OUT_OF_ORDER, TORN = -2, -3


@njit
def mixed(position: Any, word: Any) -> Any:
    return (position * 16 + word + 1) * 0x9E3779B97F4A7C1


@njit
def write(control: Any, slots: Any, last: Any, meeting: Any) -> None:
    """Write events up to index `last`, EVENTS_PER_COMMAND at a time; the gate lags one command behind."""
    while control[END] < last:
        first = control[END]
        seq = first // EVENTS_PER_COMMAND + 1
        announce(control, first + EVENTS_PER_COMMAND)
        for position in range(first, first + EVENTS_PER_COMMAND):
            slot = position & (slots.shape[0] - 1)
            slots[slot, 0] = position
            slots[slot, 1] = seq
            for word in range(2, WORDS):
                slots[slot, word] = mixed(position, word)
        commit(control, first + EVENTS_PER_COMMAND)
        store_release(control, GATE, seq - 1)
        if meeting and (first + EVENTS_PER_COMMAND) % MEETING == 0:
            while load_acquire(control, SEEN) < first:
                cpu_pause()


@njit
def first_fault(out: Any, count: Any, position: Any, gate_at_most: Any) -> Any:
    """Return 0 when `count` events from `position` on are whole and visible."""
    for i in range(count):
        if out[i, 0] != position + i or out[i, 1] != (position + i) // EVENTS_PER_COMMAND + 1:
            return OUT_OF_ORDER
        if out[i, 1] > gate_at_most:
            return OUT_OF_ORDER
        for word in range(2, WORDS):
            if out[i, word] != mixed(position + i, word):
                return TORN
    return 0


@njit
def follow(control: Any, slots: Any, position: Any, last: Any, limit: int, rounds: Any, tally: Any) -> Any:
    """Read and check up to index `last`; return the next position or a fault.

    tally : int64[3], delivered, missed and laps are added to it
    """
    out = np.zeros((CAPACITY, WORDS), np.int64)
    for _ in range(rounds):
        if position >= last:
            break
        count = read(control, slots, control, GATE, position, out, limit)
        if count == LAPPED:
            resumed = committed(control) - BEHIND
            tally[1] += resumed - position
            tally[2] += 1
            position = resumed
            store_release(control, SEEN, position)
            continue
        fault = first_fault(out, count, position, control[GATE])
        if fault != 0:
            return fault
        tally[0] += count
        position += count
        store_release(control, SEEN, position)
    return position


def writer(name: Any, last: Any, meeting: Any = False) -> None:
    segment = attach(name, Kind.BROADCAST, EVENT)
    ring = Broadcast(segment.control, segment.slots)
    write(ring.control, ring.words, last, meeting)


def follow_to_the_end(ring: Any, peer: Any, last: Any, limit: int) -> Any:
    """Follow until `last`, or until the writer is dead and all that is visible is read."""
    tally = np.zeros(3, np.int64)
    position = 0
    while position < last:
        is_peer_alive = peer.is_alive()
        before = position
        position = follow(ring.control, ring.words, position, last, limit, 10_000, tally)
        assert position >= 0, {OUT_OF_ORDER: "out of order", TORN: "torn"}[position]
        if not is_peer_alive and position == before:
            break
    return position, tally.tolist()


def reader(name: Any, parent: Any, last: Any, limit: int) -> None:
    segment = attach(name, Kind.BROADCAST, EVENT)
    follow_to_the_end(Broadcast(segment.control, segment.slots), parent, last, limit)


@pytest.fixture
def ring(segment_name: str) -> Iterator[Any]:
    with create(segment_name, Kind.BROADCAST, EVENT, CAPACITY) as segment:
        made = Broadcast(segment.control, segment.slots)
        write(made.control, made.words, 0, False)  # compiled once, before the processes fork
        follow(made.control, made.words, 0, 0, 1, 1, np.zeros(3, np.int64))
        yield made


@pytest.mark.parametrize("limit", [1, 5, CAPACITY])
def test_a_lapped_reader_is_given_whole_events_or_told(
    ring: Any, segment_name: str, start: Any, limit: int
) -> None:
    last = 900_000
    peer = start(writer, segment_name, last, True)

    position, (delivered, missed, _) = follow_to_the_end(ring, peer, last, limit)
    peer.join()

    assert peer.exitcode == 0
    assert delivered + missed == position
    assert position >= last - EVENTS_PER_COMMAND
    assert delivered > 0


def test_a_reader_that_comes_late_is_lapped_exactly_once(ring: Any, segment_name: str, start: Any) -> None:
    last = 30_000
    peer = start(writer, segment_name, last)
    peer.join()

    position, (delivered, missed, laps) = follow_to_the_end(ring, peer, last, CAPACITY)

    assert position == last - EVENTS_PER_COMMAND  # the gate stays one command behind
    assert (missed, laps) == (last - BEHIND, 1)
    assert delivered == BEHIND - EVENTS_PER_COMMAND


def test_a_writer_killed_anywhere_leaves_only_whole_events(ring: Any, segment_name: str, start: Any) -> None:
    peer = start(writer, segment_name, 10**12)
    while committed(ring.control) < 10_000:
        assert peer.is_alive()
    peer.kill()
    peer.join()
    assert peer.exitcode == -signal.SIGKILL

    end = committed(ring.control)
    position, (delivered, missed, laps) = follow_to_the_end(ring, peer, 10**12, 5)
    assert (missed, laps) == (end - BEHIND, 1)
    assert delivered == position - missed

    write(ring.control, ring.words, end + 9, False)
    tally = np.zeros(3, np.int64)
    reached = follow(ring.control, ring.words, position, end + 9, CAPACITY, 10, tally)
    assert reached == end + 9 - EVENTS_PER_COMMAND
    assert tally.tolist() == [reached - position, 0, 0]


def test_a_killed_reader_does_not_disturb_the_others(ring: Any, segment_name: str, start: Any) -> None:
    last = 300_000
    peer = start(writer, segment_name, last)
    victim = start(reader, segment_name, peer, last, 1)
    victim.kill()

    position, (delivered, missed, _) = follow_to_the_end(ring, peer, last, CAPACITY)

    assert delivered + missed == position
    assert position >= last - EVENTS_PER_COMMAND
