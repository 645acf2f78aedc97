"""Apply COMMAND records of several files, each to a fresh state, and print the digests.

Run with NUMBA_BOUNDSCHECK=1 it is the detector of indices outside their arrays, hints included:
kernels take indices as unsigned (engine/kernel.py), so one below zero would read foreign memory.
NUMBA_DISABLE_JIT=1 finds those beyond an array's end only.
"""

import sys

import numpy as np

from engine.trading.digest import digest
from engine.trading.simulate import run_all
from engine.trading.state import new_state
from tests.engine.trading.engine_side import SMALL

for path in sys.argv[1:]:
    state = new_state(SMALL)
    run_all(state, np.load(path))
    print(digest(state))
