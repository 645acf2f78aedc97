"""Bells: a word for each sleeper, by which whoever publishes something wakes it.

    sleeper                                     publisher
    fall_asleep: word = ASLEEP, full fence      publishes what the sleeper waits for
    looks at everything again                   full fence
    stay_asleep: sleeps while it is ASLEEP      call: ASLEEP -> CALLED in one step, then wakes
    wake_up: word = AWAKE

Each side stores and then loads what the other one stores, with a full fence between: at least one
of them sees the other, so nobody sleeps over what is there. A publisher whose consumer is awake makes
no system call, and of several publishers one does. Only the sleeper writes AWAKE and ASLEEP.

There is one bell for a sleeper, not for a ring, because a sleeper may wait for several things at
once. Values above ASLEEP are asleep as well, each for something of its own, and hear its call alone.
A wake that a killed publisher owes comes by the sleeper's time-out.

A bell is a line of words. Its sleeper sleeps in futex(2) on the first one, or, being an event loop, in
a poll that watches an eventfd, whose number (of the publishers' processes) stands in the second.
"""

import os
from contextlib import suppress

from ringbuf.atomics import (
    Words,
    clock_monotonic_ns,
    cpu_pause,
    exchange,
    fence_full,
    load_acquire,
    load_relaxed,
    store_relaxed,
)
from ringbuf.broadcast import is_visible
from ringbuf.layout import ASLEEP, AWAKE, CALLED, DESCRIPTOR, LINE_WORDS
from ringbuf.njit import njit
from ringbuf.sleeping import INTERRUPTED, futex_wait, futex_wake, signal_event


@njit
def call(bells: Words, bell: int, asleep: int) -> bool:
    """Wake a sleeper that sleeps as `asleep`: call it once what it waits for is published.

    bells : int64[n * LINE_WORDS]
    bell : int64, index of the sleeper
    """
    fence_full()  # the publication is stored before the word is loaded; pairs with fall_asleep()
    return ring(bells, bell, asleep)


@njit
def ring(bells: Words, bell: int, asleep: int) -> bool:
    """Wake a sleeper, without the fence: for those who call several behind one."""
    at = bell * LINE_WORDS
    if load_relaxed(bells, at) != asleep or not exchange(bells, at, asleep, CALLED):
        return False
    descriptor = bells[at + DESCRIPTOR] - 1
    if descriptor >= 0:
        signal_event(descriptor)
    else:
        futex_wake(bells, at)
    return True


@njit
def ring_all(bells: Words, first: int, asleep: int) -> None:
    """Wake every sleeper from bell `first` on that sleeps as `asleep`, without the fence."""
    for bell in range(first, bells.shape[0] // LINE_WORDS):
        ring(bells, bell, asleep)


@njit
def fall_asleep(bells: Words, bell: int, asleep: int) -> None:
    """Say that one is about to sleep: look once more at what one waits for, then stay_asleep or wake_up."""
    store_relaxed(bells, bell * LINE_WORDS, asleep)
    fence_full()  # the word is stored before anything is looked at; pairs with call()


@njit
def stay_asleep(bells: Words, bell: int, asleep: int, limit_ns: int) -> int:
    """Sleep until called, limit_ns at most; return INTERRUPTED when a signal came."""
    return futex_wait(bells, bell * LINE_WORDS, asleep, limit_ns)


@njit
def wake_up(bells: Words, bell: int) -> None:
    """Say that one is awake: nobody needs to call."""
    store_relaxed(bells, bell * LINE_WORDS, AWAKE)


@njit(nogil=True)
def sleep_until_beyond(
    words: Words, idx: int, value: int, bells: Words, bell: int, spin_count: int, budget_ns: int
) -> int:
    """Wait until words[idx] > value, about budget_ns or a signal at most; return the word.

    Parameters
    ----------
    words : int64[n]; who stores words[idx] calls this bell
    spin_count : int64, rounds to spin before sleeping
    """
    deadline = clock_monotonic_ns() + budget_ns
    rounds = 0
    while True:
        found = load_acquire(words, idx)
        left_ns = deadline - clock_monotonic_ns()
        if found > value or left_ns <= 0:
            return found
        if rounds < spin_count:
            rounds += 1
            cpu_pause()
            continue
        fall_asleep(bells, bell, ASLEEP)
        outcome = 0
        if load_acquire(words, idx) <= value:
            outcome = stay_asleep(bells, bell, ASLEEP, left_ns)
        wake_up(bells, bell)
        if outcome == INTERRUPTED:
            return load_acquire(words, idx)


@njit(nogil=True)
def sleep_until_visible(
    control: Words, slots: Words, gate_words: Words, gate_idx: int, position: int,
    bells: Words, bell: int, limit_ns: int,
) -> None:  # fmt: skip
    """Wait until a broadcast ring has something to read, limit_ns or a signal at most.

    Parameters as of ringbuf.broadcast.read, and of `call`; who commits or opens the gate calls.
    """
    deadline = clock_monotonic_ns() + limit_ns
    while not is_visible(control, slots, gate_words, gate_idx, position):
        fall_asleep(bells, bell, ASLEEP)
        left_ns = deadline - clock_monotonic_ns()
        is_over = left_ns <= 0
        if not is_over and not is_visible(control, slots, gate_words, gate_idx, position):
            is_over = stay_asleep(bells, bell, ASLEEP, left_ns) == INTERRUPTED
        wake_up(bells, bell)
        if is_over:
            return


class Bell:
    """One sleeper's bell, for a sleeper in Python.

    Parameters
    ----------
    bells : int64[n * LINE_WORDS]
    index : of the sleeper
    """

    def __init__(self, bells: Words, index: int) -> None:
        self._bells = bells
        self._index = index

    @property
    def descriptor(self) -> int:
        """The eventfd that a call writes to; -1 for a bell that wakes by futex."""
        return int(self._bells[self._index * LINE_WORDS + DESCRIPTOR]) - 1

    def fall_asleep(self) -> None:
        """Say that one is about to sleep: then look once more, then poll the descriptor."""
        fall_asleep(self._bells, self._index, ASLEEP)

    def wake_up(self) -> None:
        """Say that one is awake."""
        wake_up(self._bells, self._index)

    def hear(self) -> None:
        """Take note of a call: the descriptor is quiet again."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.descriptor)
