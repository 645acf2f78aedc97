"""Canaries at random: one that declines a point more is rolled back, an equal one gets to its end.

    python -m tests.engine.trials.test_canaries 100

plays a hundred of each kind; the tests play a few. Declines come at a rate of 5 per cent, all that is drawn
comes from the number of the run. A run is of a trial alone.
"""

import sys
from typing import Any

import numpy as np
import pytest

from engine.trials.kernels import begin_canary, count, is_in_cohort, settle
from engine.trials.records import TRIAL, TrialState
from ringbuf.kernel import kernel

APPROVE, DECLINE = np.int64(1), np.int64(2)
OK, FUNDS, VELOCITY = np.int64(1), np.int64(30), np.int64(25)
RUNNING = np.int64(TrialState.RUNNING)
STEPS = np.array([5, 25, 100, 0, 0, 0], np.int64)
MIN_SEEN, DECISIONS = 36_000, 1_200_000
RATE, POINT = 0.05, 0.01
RUNS = 6


@kernel
def play(trial: Any, steps: Any, keys: Any, before: Any, after: Any) -> int:
    """Decide one key after the other until the trial ends; return how many were decided."""
    t = trial[0]
    begin_canary(t, np.int64(7), steps, np.int64(0), np.int64(3), np.int64(0))
    for at in range(len(keys)):
        is_canary = is_in_cohort(t, keys[at])
        counted = after[at] if is_canary else before[at]
        count(t, before[at], after[at], counted, APPROVE if counted == OK else DECLINE, is_canary)
        settle(t, np.int64(at))
        if t.state != RUNNING:
            return at + 1
    return len(keys)


def played(run: int, more: float, code: Any = FUNDS) -> tuple[TrialState, int]:
    """Return how a candidate ended that declines so much more, by this code, and in which step."""
    rng = np.random.default_rng(run)
    trial = np.zeros(1, TRIAL)
    trial["max_disagree_ppm"], trial["min_seen"], trial["compares_rates"] = -1, MIN_SEEN, 1
    keys, draws = rng.integers(0, 2**62, DECISIONS), rng.random(DECISIONS)
    before = np.where(draws < RATE, FUNDS, OK)
    after = np.where((draws >= RATE) & (draws < RATE + more), code, before)
    play(trial, STEPS, keys, before, after)
    return TrialState(int(trial[0]["state"])), int(trial[0]["step"])


@pytest.mark.parametrize("run", range(RUNS))
def test_a_candidate_that_declines_a_point_more_is_rolled_back_in_its_first_step(run: int) -> None:
    assert played(run, POINT) == (TrialState.ROLLED_BACK, 0)


@pytest.mark.parametrize("run", range(RUNS))
def test_a_candidate_that_decides_the_same_is_promoted(run: int) -> None:
    assert played(run, 0.0) == (TrialState.PROMOTED, 2)


def test_few_declines_by_a_code_of_their_own_are_seen_too() -> None:
    assert played(0, POINT / 5, VELOCITY) == (TrialState.ROLLED_BACK, 1)


def main(runs: int) -> int:
    """Play so many of each kind and print how they ended; 1 where fewer than 99 of 100 are as they should."""
    worse = sum(played(run, POINT)[0] == TrialState.ROLLED_BACK for run in range(runs))
    equal = sum(played(run, 0.0)[0] == TrialState.PROMOTED for run in range(runs))
    print(f"a point more: {worse} of {runs} rolled back; equal: {equal} of {runs} promoted")
    return 0 if min(worse, equal) * 100 >= 99 * runs else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
