"""Waiting is counted by its caller, and backs off only where the policy says so."""

import time

from ringbuf.waiting import (
    BACKOFF,
    SLEEP_FIRST_NS,
    SLEEP_MAX_NS,
    SPIN,
    SPIN_ROUNDS,
    YIELD_ROUNDS,
    pause,
)


def test_each_round_counts_one() -> None:
    for policy in (SPIN, BACKOFF):
        for idle_count in (0, SPIN_ROUNDS, SPIN_ROUNDS + YIELD_ROUNDS, 10**9):
            assert pause(policy, idle_count) == idle_count + 1


def test_backoff_sleeps_once_it_was_idle_for_long() -> None:
    before = time.monotonic_ns()

    pause(BACKOFF, SPIN_ROUNDS + YIELD_ROUNDS)

    assert time.monotonic_ns() - before >= SLEEP_FIRST_NS


def test_backoff_sleeps_grow_to_their_longest() -> None:
    before = time.monotonic_ns()

    pause(BACKOFF, 10**12)

    assert time.monotonic_ns() - before >= SLEEP_MAX_NS


def test_spin_never_gives_the_core_away() -> None:
    before = time.process_time_ns(), time.thread_time_ns()

    for idle_count in range(1_000):
        pause(SPIN, 10**9 + idle_count)

    assert time.thread_time_ns() > before[1]
