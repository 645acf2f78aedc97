"""Two processes on one SPSC ring: every word arrives, whoever is killed."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numba import njit

from ringbuf.layout import PUBLISHED, RELEASED
from ringbuf.segment import Kind, attach, create
from ringbuf.spsc import NO_SLOT, SpscRing, available, publish, release, try_claim
from ringbuf.waiting import BACKOFF, SPIN_ROUNDS, pause

RECORD = np.dtype([("words", "<i8", (8,))])
CAPACITY = 64
ROUNDS = SPIN_ROUNDS + 100
"""Idle rounds of a kernel before it returns to Python, where a dead peer is noticed."""


@njit
def mixed(position: Any, word: Any) -> Any:
    return (position * 8 + word + 1) * 0x9E3779B97F4A7C1


@njit
def produce(control: Any, slots: Any, last: Any) -> Any:
    """Publish records up to position `last`; return the next position."""
    capacity = slots.shape[0]
    idle = 0
    while control[PUBLISHED] < last and idle < ROUNDS:
        slot = try_claim(control, capacity)
        if slot == NO_SLOT:
            idle = pause(BACKOFF, idle)
            continue
        for word in range(8):
            slots[slot, word] = mixed(control[PUBLISHED], word)
        publish(control)
        idle = 0
    return control[PUBLISHED]


@njit
def consume(control: Any, slots: Any, last: Any, batch: Any) -> Any:
    """Check and release records up to position `last`; return the next, negative after a bad word."""
    capacity = slots.shape[0]
    idle = 0
    while control[RELEASED] < last and idle < ROUNDS:
        count = min(available(control), batch, last - control[RELEASED])
        if count == 0:
            idle = pause(BACKOFF, idle)
            continue
        for i in range(count):
            position = control[RELEASED] + i
            for word in range(8):
                if slots[position & (capacity - 1), word] != mixed(position, word):
                    return -1 - position
        release(control, count)
        idle = 0
    return control[RELEASED]


def attached(name: Any) -> Any:
    segment = attach(name, Kind.SPSC, RECORD)
    return SpscRing(segment.control, segment.slots)


def producer(name: Any, last: Any) -> None:
    ring = attached(name)
    while produce(ring.control, ring.words, last) < last:
        pass


def consumer(name: Any, last: Any) -> None:
    ring = attached(name)
    while (reached := consume(ring.control, ring.words, last, 16)) < last:
        assert reached >= 0


def producer_that_dies_in_a_slot(name: Any, published: Any) -> None:
    producer(name, published)
    ring = attached(name)
    ring.slots[try_claim(ring.control, CAPACITY)]["words"] = -1
    os.kill(os.getpid(), signal.SIGKILL)


def consumer_that_dies_before_releasing(name: Any, released: Any) -> None:
    consumer(name, released)
    ring = attached(name)
    while available(ring.control) == 0:
        pass
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def ring(segment_name: str) -> Iterator[Any]:
    with create(segment_name, Kind.SPSC, RECORD, CAPACITY) as segment:
        made = SpscRing(segment.control, segment.slots)
        produce(made.control, made.words, 0)  # compiled once, before the processes fork
        consume(made.control, made.words, 0, 1)
        yield made


def consume_from(ring: Any, peer: Any, last: Any) -> Any:
    """Consume in this process until `last`, or until the peer is dead and all it published is read."""
    reached = ring.released
    while reached < last:
        is_peer_alive = peer.is_alive()
        reached = consume(ring.control, ring.words, last, 16)
        assert reached >= 0, f"wrong word at position {-1 - reached}"
        if not is_peer_alive and reached == ring.published:
            break
    return reached


def test_two_million_records_arrive_whole_and_in_order(ring: Any, segment_name: str, start: Any) -> None:
    peer = start(producer, segment_name, 2_000_000)

    assert consume_from(ring, peer, 2_000_000) == 2_000_000
    peer.join()
    assert peer.exitcode == 0
    assert len(ring) == 0


def test_a_producer_killed_in_a_slot_publishes_nothing_half_made(
    ring: Any, segment_name: str, start: Any
) -> None:
    peer = start(producer_that_dies_in_a_slot, segment_name, 1_000)
    assert consume_from(ring, peer, 10**9) == 1_000
    assert peer.exitcode == -signal.SIGKILL

    successor = start(producer, segment_name, 3_000)

    assert consume_from(ring, successor, 3_000) == 3_000


def test_a_producer_killed_anywhere_loses_nothing_it_published(
    ring: Any, segment_name: str, start: Any
) -> None:
    peer = start(producer, segment_name, 10**9)
    consume_from(ring, peer, 5_000)
    peer.kill()
    reached = consume_from(ring, peer, 10**9)
    assert reached >= 5_000

    successor = start(producer, segment_name, reached + 5_000)

    assert consume_from(ring, successor, reached + 5_000) == reached + 5_000


def test_a_killed_consumer_is_succeeded_at_what_it_had_not_released(
    ring: Any, segment_name: str, start: Any
) -> None:
    peer = start(consumer_that_dies_before_releasing, segment_name, 1_000)
    while peer.is_alive() and ring.published < 2_000:
        produce(ring.control, ring.words, 2_000)
    peer.join()
    assert peer.exitcode == -signal.SIGKILL
    assert ring.released == 1_000

    successor = start(consumer, segment_name, 20_000)
    while successor.is_alive() and ring.published < 20_000:
        produce(ring.control, ring.words, 20_000)
    successor.join()

    assert successor.exitcode == 0
    assert ring.released == 20_000


def test_a_ring_whose_consumer_is_dead_fills_and_then_refuses(
    ring: Any, segment_name: str, start: Any
) -> None:
    peer = start(consumer, segment_name, 10**9)
    peer.kill()
    peer.join()

    for _ in range(3):
        produce(ring.control, ring.words, 10**6)

    assert try_claim(ring.control, CAPACITY) == NO_SLOT
    assert len(ring) == CAPACITY
