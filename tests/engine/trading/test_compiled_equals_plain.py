"""The kernels compiled and as plain Python: the same bytes, and no number leaves int64 (exchange rule S1)."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.trading.digest import digest
from engine.trading.kernels.state import new_state
from engine.trading.offline.simulate import run_all
from ringbuf.kernel_cache import ROOT
from tests.capacities import SMALL
from tests.engine.trading import state_reading
from tests.engine.trading.engine_side import Engine
from tests.engine.trading.extremes import extreme_commands
from tests.flows import commands_of

PLAIN, BOUNDS = "NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"
WAYS = (PLAIN, BOUNDS) if os.environ.get("PINION_LONG") == "1" else (PLAIN,)
"""PINION_LONG=1 also compiles the kernels with bounds checks, which takes two minutes."""


def run_otherwise(commands: np.ndarray, folder: Path, way: str) -> tuple[np.ndarray, str]:
    """Apply the commands in a process with that setting of numba; return its events and its digest."""
    given, made = folder / "commands.npy", folder / "events.npy"
    np.save(given, commands)
    finished = subprocess.run(
        [sys.executable, "-m", "tests.engine.trading.plain_run", str(given), str(made)],
        cwd=ROOT,
        env={**os.environ, way: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    return np.load(made), finished.stdout.strip()


def assert_same(commands: np.ndarray, folder: Path, way: str) -> None:
    state = new_state(SMALL)
    compiled = run_all(state, commands)

    plain, plain_digest = run_otherwise(commands, folder, way)

    assert len(plain) == len(compiled)
    different = np.flatnonzero(plain != compiled)
    if len(different):
        first = different[0]
        raise AssertionError(f"event {first}\ncompiled {compiled[first]}\nplain    {plain[first]}")
    assert plain_digest == digest(state)
    state_reading.check_invariants(state)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", [5, 6])
def test_a_flow_gives_the_same_bytes_compiled_and_plain(seed: int, way: str, tmp_path: Path) -> None:
    engine = Engine()
    for command in commands_of(seed, 3_000):
        engine.submit(command)

    assert_same(engine.recorded(), tmp_path, way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(1, 8))
def test_extremes_give_the_same_bytes_compiled_and_plain_and_nothing_overflows(
    seed: int, way: str, tmp_path: Path
) -> None:
    assert_same(extreme_commands(seed, 2_000), tmp_path, way)


def test_simulate_runs_as_plain_python_too() -> None:
    script = (
        "import numpy as np, pinion\n"
        "commands = np.zeros(3, pinion.COMMAND)\n"
        "commands['op'], commands['version'] = pinion.Op.SESSION_END, 1\n"
        "commands['roles'] = pinion.Role.ALL\n"
        "print(pinion.simulate(commands)['seq'].tolist())\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.stdout.strip() == "[1, 2, 3]", finished.stderr[-3000:]
