"""Two processes that answer each other by bells without a time-out: one lost wake and they hang.

PINION_HANDOVERS=10000000 pytest tests/ringbuf/test_bell_handovers.py   the long form: some minutes
"""

import mmap
import os
import random
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ringbuf.atomics import cpu_pause, fence_full, load_acquire, store_release
from ringbuf.bells import call, fall_asleep, ring_all, sleep_until_beyond, stay_asleep, wake_up
from ringbuf.broadcast import append, is_visible
from ringbuf.layout import ASLEEP, CONTROL_WORDS, END, LINE_WORDS
from ringbuf.njit import njit

HANDOVERS = int(os.environ.get("PINION_HANDOVERS", "100000"))
NEVER_NS = 2**60
HANG_S = 60 + HANDOVERS / 10_000
"""Far beyond what so many take: only a process that sleeps for ever is still there."""
ASKED, ANSWERED, SECOND = 0, LINE_WORDS, 2 * LINE_WORDS
ASKER, ANSWERER = 0, 1


@njit
def delay(random: Any) -> Any:
    """Pause a random while, now and then, so that every interleaving has its turn; return the next number."""
    random = (random * 6364136223846793005 + 1442695040888963407) & 0x7FFFFFFFFFFFFFFF
    for _ in range((random >> 33) & 63 if (random >> 40) & 3 == 0 else 0):
        cpu_pause()
    return random


@njit
def ask(words: Any, bells: Any, last: Any, limit_ns: Any) -> None:
    """Ask `last` times, waiting for each answer."""
    random = last
    while load_acquire(words, ASKED) < last or load_acquire(words, ANSWERED) < last:
        asked = load_acquire(words, ASKED)
        if load_acquire(words, ANSWERED) == asked:
            store_release(words, ASKED, asked + 1)
            call(bells, ANSWERER, ASLEEP)
        random = delay(random)
        sleep_until_beyond(words, ANSWERED, load_acquire(words, ASKED) - 1, bells, ASKER, 3, limit_ns)


@njit
def answer(words: Any, bells: Any, last: Any, limit_ns: Any) -> None:
    """Answer whatever is asked, up to `last`."""
    random = last + 1
    while load_acquire(words, ANSWERED) < last:
        answered = load_acquire(words, ANSWERED)
        found = sleep_until_beyond(words, ASKED, answered, bells, ANSWERER, 3, limit_ns)
        random = delay(random)
        if found > answered:
            store_release(words, ANSWERED, found)
            call(bells, ASKER, ASLEEP)


@njit
def publish(words: Any, bells: Any, word: Any, last: Any) -> None:
    """Count one of several words up, calling the one who waits for all."""
    random = word + 1
    while load_acquire(words, word) < last:
        store_release(words, word, load_acquire(words, word) + 1)
        call(bells, ANSWERER, ASLEEP)
        random = delay(random)


@njit
def await_all(words: Any, bells: Any, last: Any) -> None:
    """Follow two words with one bell until both are at `last`."""
    seen = 0
    while seen < 2 * last:
        fall_asleep(bells, ANSWERER, ASLEEP)
        found = load_acquire(words, ASKED) + load_acquire(words, SECOND)
        if found == seen:
            stay_asleep(bells, ANSWERER, ASLEEP, NEVER_NS)
        wake_up(bells, ANSWERER)
        seen = load_acquire(words, ASKED) + load_acquire(words, SECOND)


@njit
def commit_events(words: Any, bells: Any, control: Any, slots: Any, record: Any, last: Any) -> None:
    """Show an event for each seq; call the reader where it is durable already, as the worker does."""
    random = last + 2
    while control[END] < last:
        seq = control[END] + 1
        while seq - load_acquire(words, SECOND) > slots.shape[0] // 2:  # the reader is not lapped
            cpu_pause()
        append(control, slots, record, seq)
        fence_full()
        if load_acquire(words, ASKED) >= seq:
            ring_all(bells, ANSWERER, ASLEEP)
        random = delay(random)


@njit
def move_durable(words: Any, bells: Any, last: Any) -> None:
    """Move D, ahead of the events or behind them; call the reader, as the journaler does."""
    random = last + 3
    while load_acquire(words, ASKED) < last:
        while load_acquire(words, ASKED) - load_acquire(words, SECOND) > 3:
            cpu_pause()
        store_release(words, ASKED, load_acquire(words, ASKED) + 1)
        fence_full()
        ring_all(bells, ANSWERER, ASLEEP)
        random = delay(random)


@njit
def read_events(words: Any, bells: Any, control: Any, slots: Any, last: Any) -> None:
    """Take every event that is durable, asleep until there is one."""
    position = 0
    while position < last:
        fall_asleep(bells, ANSWERER, ASLEEP)
        if not is_visible(control, slots, words, ASKED, position):
            stay_asleep(bells, ANSWERER, ASLEEP, NEVER_NS)
        wake_up(bells, ANSWERER)
        while is_visible(control, slots, words, ASKED, position):
            position += 1
            store_release(words, SECOND, position)


class Shared:
    """Words and bells that forked processes share."""

    def __init__(self) -> None:
        self.words = np.frombuffer(mmap.mmap(-1, 4096), np.int64)
        self.bells = np.frombuffer(mmap.mmap(-1, 4096), np.int64)[: 2 * LINE_WORDS]
        self.control = np.frombuffer(mmap.mmap(-1, 4096), np.int64)[:CONTROL_WORDS]
        self.slots = np.frombuffer(mmap.mmap(-1, 4096), np.int64)[: 64 * 2].reshape(64, 2)


def fork(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return pid


def await_ends(pids: list[int], what: Shared) -> None:
    """Wait until all have ended by themselves; kill and fail where one sleeps for ever."""
    deadline = time.monotonic() + HANG_S
    waiting = set(pids)
    try:
        while waiting:
            for pid in list(waiting):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    waiting.discard(pid)
                    assert status == 0
            assert time.monotonic() < deadline, f"somebody sleeps for ever: {what.words[:48:16].tolist()}"
            time.sleep(0.001)
    finally:
        for pid in waiting:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_no_wake_is_lost_between_two_that_answer_each_other() -> None:
    shared = Shared()
    run = [
        lambda: ask(shared.words, shared.bells, HANDOVERS, NEVER_NS),
        lambda: answer(shared.words, shared.bells, HANDOVERS, NEVER_NS),
    ]
    await_ends([fork(each) for each in run], shared)

    assert shared.words[ASKED] == shared.words[ANSWERED] == HANDOVERS


def test_no_wake_is_lost_of_one_who_waits_for_several() -> None:
    shared = Shared()
    run = [
        lambda: publish(shared.words, shared.bells, ASKED, HANDOVERS),
        lambda: publish(shared.words, shared.bells, SECOND, HANDOVERS),
        lambda: await_all(shared.words, shared.bells, HANDOVERS),
    ]
    await_ends([fork(each) for each in run], shared)


def test_no_wake_is_lost_whichever_comes_first_the_event_or_its_durability() -> None:
    shared = Shared()
    record = np.zeros((1, 2), np.int64)
    events = shared.control, shared.slots
    run = [
        lambda: commit_events(shared.words, shared.bells, *events, record, HANDOVERS),
        lambda: move_durable(shared.words, shared.bells, HANDOVERS),
        lambda: read_events(shared.words, shared.bells, *events, HANDOVERS),
    ]
    await_ends([fork(each) for each in run], shared)


@pytest.mark.parametrize("victim", ["asker", "answerer"])
def test_a_side_that_is_killed_anywhere_goes_on_and_what_it_owed_comes_by_time(victim: str) -> None:
    shared, chance = Shared(), random.Random(7)
    rounds, limit_ns = max(20, HANDOVERS // 5_000), 5_000_000
    work = {
        "asker": lambda: ask(shared.words, shared.bells, HANDOVERS, limit_ns),
        "answerer": lambda: answer(shared.words, shared.bells, HANDOVERS, limit_ns),
    }
    running = {name: fork(each) for name, each in work.items()}
    for _ in range(rounds):
        time.sleep(chance.random() * 0.01)
        os.kill(running[victim], signal.SIGKILL)
        os.waitpid(running[victim], 0)
        running[victim] = fork(work[victim])
    await_ends(list(running.values()), shared)

    assert shared.words[ASKED] == shared.words[ANSWERED] == HANDOVERS


@pytest.mark.parametrize("stopped", [0, 1])
def test_a_side_that_is_stopped_for_a_while_hears_what_came_meanwhile(stopped: int) -> None:
    shared = Shared()
    run = [
        lambda: ask(shared.words, shared.bells, HANDOVERS, NEVER_NS),
        lambda: answer(shared.words, shared.bells, HANDOVERS, NEVER_NS),
    ]
    pids = [fork(each) for each in run]
    for _ in range(20):
        os.kill(pids[stopped], signal.SIGSTOP)
        time.sleep(0.002)
        os.kill(pids[stopped], signal.SIGCONT)
        time.sleep(0.002)
    await_ends(pids, shared)

    assert shared.words[ASKED] == shared.words[ANSWERED] == HANDOVERS
