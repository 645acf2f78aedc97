"""No kernel reads or writes outside an array, whatever the commands are.

PINION_LONG=1 has the compiled kernels check every index, which takes two minutes to compile; the
short run is plain Python, where numpy refuses what lies beyond an array's end.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from engine.trading.digest import digest
from engine.trading.simulate import run_all
from engine.trading.state import new_state
from tests.engine.trading.engine_side import SMALL, Engine
from tests.engine.trading.extremes import extreme_commands
from tests.flows import commands_of

ROOT = Path(__file__).parents[3]
IS_LONG = os.environ.get("PINION_LONG") == "1"
CHECKED = {"NUMBA_BOUNDSCHECK": "1"} if IS_LONG else {"NUMBA_DISABLE_JIT": "1"}


def test_no_index_is_outside_its_array(tmp_path: Path) -> None:
    engine = Engine()
    for command in commands_of(6, 3_000):
        engine.submit(command)
    streams = [engine.recorded(), *(extreme_commands(seed, 2_000) for seed in range(5, 8))]
    expected = []
    for number, commands in enumerate(streams):
        np.save(tmp_path / f"{number}.npy", commands)
        state = new_state(SMALL)
        run_all(state, commands)
        expected.append(digest(state))

    finished = subprocess.run(
        [sys.executable, "-m", "tests.engine.trading.bounds_run", *sorted(map(str, tmp_path.glob("*.npy")))],
        cwd=ROOT,
        env={**os.environ, **CHECKED},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr[-3000:]
    assert finished.stdout.split() == expected
