"""A bell is rung once for a sleeper, never for one awake; a sleeper wakes for a call, a signal, the time."""

import errno
import os
import select
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from ringbuf.bells import (
    Bell,
    call,
    fall_asleep,
    ring_all,
    sleep_until_beyond,
    sleep_until_visible,
    stay_asleep,
    wake_up,
)
from ringbuf.broadcast import Broadcast
from ringbuf.layout import ASLEEP, AWAKE, CALLED, DESCRIPTOR, LINE_WORDS
from ringbuf.sleeping import INTERRUPTED

FOR_ANOTHER_THING = ASLEEP + 1
LONG_NS = 60_000_000_000
"""Longer than any of these tests: who sleeps so long was not woken."""
NEWS = np.dtype([("stamp", "<i8"), ("seq", "<i8")])


@pytest.fixture
def bells() -> np.ndarray:
    return np.zeros(3 * LINE_WORDS, np.int64)


@pytest.fixture
def descriptor() -> Iterator[int]:
    made = os.eventfd(0, os.EFD_NONBLOCK)
    yield made
    os.close(made)


def test_a_sleeper_is_called_once(bells: np.ndarray) -> None:
    fall_asleep(bells, 1, ASLEEP)

    assert call(bells, 1, ASLEEP)
    assert not call(bells, 1, ASLEEP), "it was called already"
    assert bells[LINE_WORDS] == CALLED


def test_nobody_calls_one_that_is_awake(bells: np.ndarray, descriptor: int) -> None:
    bells[LINE_WORDS + DESCRIPTOR] = descriptor + 1
    fall_asleep(bells, 1, ASLEEP)
    wake_up(bells, 1)

    assert not call(bells, 1, ASLEEP)
    assert bells[LINE_WORDS] == AWAKE
    assert not select.select([descriptor], [], [], 0)[0], "that would have been a system call"


def test_a_call_for_something_else_is_not_heard(bells: np.ndarray) -> None:
    fall_asleep(bells, 0, FOR_ANOTHER_THING)

    assert not call(bells, 0, ASLEEP)
    assert call(bells, 0, FOR_ANOTHER_THING)


def test_one_who_was_called_before_it_slept_does_not_sleep(bells: np.ndarray) -> None:
    fall_asleep(bells, 0, ASLEEP)
    call(bells, 0, ASLEEP)

    assert stay_asleep(bells, 0, ASLEEP, LONG_NS) == errno.EAGAIN


def test_a_sleep_ends_by_time(bells: np.ndarray) -> None:
    fall_asleep(bells, 0, ASLEEP)

    assert stay_asleep(bells, 0, ASLEEP, 1_000_000) == errno.ETIMEDOUT


def test_a_sleep_ends_by_a_signal(bells: np.ndarray) -> None:
    heard = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: heard.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)  # again and again: one may come before the sleep
    fall_asleep(bells, 0, ASLEEP)
    try:
        outcome = stay_asleep(bells, 0, ASLEEP, LONG_NS)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert outcome == INTERRUPTED
    assert heard


def test_all_readers_are_called_but_those_before_the_first(bells: np.ndarray) -> None:
    for bell in range(3):
        fall_asleep(bells, bell, ASLEEP)

    ring_all(bells, 1, ASLEEP)

    assert bells[::LINE_WORDS].tolist() == [ASLEEP, CALLED, CALLED]


def test_an_event_loop_is_called_through_its_descriptor(bells: np.ndarray, descriptor: int) -> None:
    bells[LINE_WORDS + DESCRIPTOR] = descriptor + 1
    bell = Bell(bells, 1)
    assert bell.descriptor == descriptor

    bell.fall_asleep()
    call(bells, 1, ASLEEP)

    assert select.select([descriptor], [], [], 10)[0]
    bell.hear()
    assert not select.select([descriptor], [], [], 0)[0]
    bell.hear()  # a call that somebody else heard already does not matter
    bell.wake_up()
    assert bells[LINE_WORDS] == AWAKE


def test_a_bell_without_descriptor_says_so(bells: np.ndarray) -> None:
    assert Bell(bells, 0).descriptor == -1


def test_a_word_that_moved_already_is_not_waited_for(bells: np.ndarray) -> None:
    words = np.array([7], np.int64)

    assert sleep_until_beyond(words, 0, 6, bells, 0, 0, LONG_NS) == 7
    assert bells[0] == AWAKE


def test_whoever_stores_the_word_and_calls_ends_the_sleep(bells: np.ndarray) -> None:
    words = np.zeros(1, np.int64)
    found: list[int] = []
    sleeper = threading.Thread(
        target=lambda: found.append(sleep_until_beyond(words, 0, 0, bells, 0, 5, LONG_NS))
    )
    sleep_until_beyond(words, 0, -1, bells, 1, 5, 1)  # compiled
    sleeper.start()
    while bells[0] != ASLEEP:
        time.sleep(0.001)

    words[0] = 3
    assert call(bells, 0, ASLEEP)
    sleeper.join(30)

    assert found == [3]


def test_a_wait_without_a_call_ends_by_time(bells: np.ndarray) -> None:
    assert sleep_until_beyond(np.zeros(1, np.int64), 0, 0, bells, 0, 0, 1_000_000) == 0
    assert bells[0] == AWAKE


def test_an_event_that_is_not_durable_is_no_reason_to_wake(bells: np.ndarray) -> None:
    ring = Broadcast.private(NEWS, 8)
    ring.append(np.zeros(1, NEWS), gate=5)
    gate = np.array([4], np.int64)

    sleep_until_visible(ring.control, ring.words, gate, 0, 0, bells, 0, 1_000_000)

    assert bells[0] == AWAKE
    gate[0] = 5
    sleep_until_visible(ring.control, ring.words, gate, 0, 0, bells, 0, LONG_NS)


def test_a_reader_that_was_lapped_is_not_kept_asleep(bells: np.ndarray) -> None:
    ring = Broadcast.private(NEWS, 8)
    for _ in range(3):
        ring.append(np.zeros(8, NEWS), gate=5)
    gate = np.array([4], np.int64)

    sleep_until_visible(ring.control, ring.words, gate, 0, 0, bells, 0, LONG_NS)
