"""What a loop does while there is nothing to do: a policy, chosen where the loop is started.

    SPIN      pause the core, never give it up: one pinned core per loop
    BACKOFF   spin a little, then yield, then sleep up to SLEEP_MAX_NS: for shared machines

The caller counts its idle rounds and resets the count when it finds work:

    idle = 0
    while rounds_left:
        if work():
            idle = 0
        else:
            idle = pause(policy, idle)
"""

from enum import IntEnum

from numba import njit

from ringbuf.atomics import cpu_pause, sched_yield, sleep_ns


class Wait(IntEnum):
    """The wait policies."""

    SPIN = 1
    BACKOFF = 2


SPIN = int(Wait.SPIN)
BACKOFF = int(Wait.BACKOFF)

SPIN_ROUNDS = 2_000
"""About 50 us of pauses: an answer that is on its way is met awake."""
YIELD_ROUNDS = 20
SLEEP_FIRST_NS = 20_000
SLEEP_MAX_NS = 200_000
SLEEP_ROUNDS_PER_STEP = 4


@njit(cache=True)
def pause(policy: int, idle_count: int) -> int:
    """Wait for one round as `policy` says, and return idle_count + 1.

    Parameters
    ----------
    policy : int64, SPIN or BACKOFF
    idle_count : int64, rounds without work so far, from 0
    """
    if policy == SPIN or idle_count < SPIN_ROUNDS:
        cpu_pause()
    elif idle_count < SPIN_ROUNDS + YIELD_ROUNDS:
        sched_yield()
    else:
        step = (idle_count - SPIN_ROUNDS - YIELD_ROUNDS) // SLEEP_ROUNDS_PER_STEP
        sleep_ns(min(SLEEP_FIRST_NS * (step + 1), SLEEP_MAX_NS))
    return idle_count + 1
