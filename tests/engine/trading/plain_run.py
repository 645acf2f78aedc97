"""Apply COMMAND records and save the events and the state's digest: `plain_run.py COMMANDS.npy EVENTS.npy`.

Run with NUMBA_DISABLE_JIT=1 it is the overflow detector: the kernels are plain Python
then, and any product or sum of theirs that leaves int64 raises; so does an index beyond an
array's end. With NUMBA_BOUNDSCHECK=1 it finds every index outside its array, hints included:
kernels take indices as unsigned (ringbuf/kernel.py), so one below zero would read foreign memory.
"""

import sys
from typing import Any

import numpy as np

from engine.trading.digest import digest
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import COMMAND
from tests.capacities import SMALL
from tests.rule_files import offer_all


def plain_run(commands: Any) -> tuple[np.ndarray, str]:
    """Apply the commands to a fresh state; return the events and the digest."""
    state = new_state(SMALL)
    with np.errstate(over="raise"):
        events = run_all(state, commands)
    assert state[0]["seq"] == len(commands)
    return events, digest(state)


if __name__ == "__main__":
    offer_all()
    given = np.load(sys.argv[1])
    assert given.dtype == COMMAND
    made, reached = plain_run(given)
    np.save(sys.argv[2], made)
    print(reached)
