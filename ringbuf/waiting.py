"""Waiting: what a loop does while there is nothing to do, a policy chosen where the loop is started.

    SPIN      pause the core, never give it up: one pinned core per loop
    BACKOFF   spin a little, then yield, then sleep a little longer each time: for shared machines
    BLOCK     spin shortly, then sleep until whoever has something calls (bells.py): for shared machines

The caller counts its idle rounds and resets the count when it finds work:

    idle = 0
    while rounds_left:
        if work():
            idle = 0
        else:
            idle = pause(policy, idle)
"""

from enum import IntEnum

from ringbuf.atomics import Words, clock_monotonic_ns, cpu_pause, load_acquire, sched_yield
from ringbuf.njit import njit
from ringbuf.sleeping import sleep_ns


class Wait(IntEnum):
    """The wait policies."""

    SPIN = 1
    BACKOFF = 2
    BLOCK = 3


SPIN = int(Wait.SPIN)
BACKOFF = int(Wait.BACKOFF)
BLOCK = int(Wait.BLOCK)

SPIN_ROUNDS = 20_000
"""80 us where a pause takes 4 ns (measured), 0.9 ms where it takes 45: longer than a sleeper needs
to wake, or two loops that answer each other would take turns sleeping for ever."""
YIELD_ROUNDS = 20
SLEEP_STEP_NS = 2_500
"""Each sleep is this much longer than the one before: after T of silence the next sleep is about
T / 50 (10 ms: 0.2 ms), so that work after a short silence is met soon."""
SLEEP_FIRST_NS = 20_000
SLEEP_MAX_NS = 2_000_000
"""Reached after 0.8 s of silence. A wake-up costs 8-15 us of CPU on a shared virtual machine:
waking every 0.2 ms cost 3.7% of a core there, every 2 ms under 1%."""
SLEEPS_GROWING = (SLEEP_MAX_NS - SLEEP_FIRST_NS) // SLEEP_STEP_NS


@njit
def pause(policy: int, idle_count: int) -> int:
    """Wait for one round as `policy` says, and return idle_count + 1.

    Parameters
    ----------
    policy : int64, SPIN or BACKOFF; BLOCK waits as BACKOFF does where nobody can call
    idle_count : int64, rounds without work so far, from 0
    """
    if policy == SPIN or idle_count < SPIN_ROUNDS:
        cpu_pause()
    elif idle_count < SPIN_ROUNDS + YIELD_ROUNDS:
        sched_yield()
    else:
        sleeps = idle_count - SPIN_ROUNDS - YIELD_ROUNDS
        sleep_ns(SLEEP_MAX_NS if sleeps > SLEEPS_GROWING else SLEEP_FIRST_NS + SLEEP_STEP_NS * sleeps)
    return idle_count + 1


@njit(nogil=True)
def await_beyond(words: Words, idx: int, value: int, policy: int, idle_count: int, budget_ns: int) -> int:
    """Wait until words[idx] > value or about budget_ns have passed; return the word.

    Parameters
    ----------
    words : int64[n], written by another process with store_release
    idle_count : int64, rounds without work so far: where the policy goes on
    """
    deadline = clock_monotonic_ns() + budget_ns
    while True:
        found = load_acquire(words, idx)
        if found > value or clock_monotonic_ns() >= deadline:
            return found
        idle_count = pause(policy, idle_count)
