"""Counting instructions: exact to the last one, repeatable, and refused where the work was not done."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from perf.__main__ import main
from perf.count import COUNTED
from perf.counted import MARK
from perf.machine import ROOT
from perf.single_step import TraceError, stretches

TURNS = (0, 1024, 2048, 5120)
LOOP = """
import signal, sys
from numba import njit
from perf.counted import MARK, traced

@njit
def turn(x, count):
    for _ in range(count):
        x ^= x << 13
        x ^= x >> 7
        x ^= x << 17
    return x

turn(1, 1)
traced()
for count in map(int, sys.argv[1:]):
    signal.raise_signal(MARK)
    turn(88172645463325252, count)
    signal.raise_signal(MARK)
"""


def test_a_loop_of_known_shape_is_counted_to_the_last_instruction() -> None:
    child = subprocess.Popen([sys.executable, "-c", LOOP, *map(str, TURNS)], cwd=ROOT)
    made = list(stretches(child.pid, MARK))
    child.returncode = 0

    assert len(made) == len(TURNS)
    in_1024 = made[2] - made[1]
    assert made[3] - made[2] == 3 * in_1024
    assert in_1024 % (1024 // 16) == 0  # the compiler does a few turns at once
    assert 8 <= in_1024 / 1024 <= 14  # three shifts, three exclusive ors, copies, a share of the loop


def test_a_child_that_fails_is_no_count() -> None:
    child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])

    with pytest.raises(TraceError, match="ended with 3"):
        list(stretches(child.pid, MARK))
    child.returncode = 3


def test_a_count_that_is_killed_leaves_nothing_in_shared_memory() -> None:
    command = [sys.executable, str(COUNTED), str(ROOT), "pipeline", "a-exchange-core", "1"]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status = os.waitpid(child.pid, 0)  # stopped at its first mark, everything in place

    child.kill()
    child.wait()

    assert os.WIFSTOPPED(status)
    assert list(Path("/dev/shm").glob(f"pinion-count-{child.pid}-*")) == []


def test_the_same_commands_take_the_same_instructions_in_both_checkouts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "count.json"

    code = main(["count", "d-nasdaq", "--base", str(ROOT), "--commands", "16", "--json", str(path)])

    lines = json.loads(path.read_text())
    assert code == 0
    assert [(line["tier"], line["case"], line["commands"]) for line in lines] == [
        ("step", "d-nasdaq", 16),
        ("pipeline", "d-nasdaq", 16),
        ("rings", "d-nasdaq", 32),
    ]
    assert all(line["checked"] is True and line["ratio"] == 1 for line in lines)
    assert all(line["instructions"] == line["base_instructions"] for line in lines)
    assert all(500 < line["instructions_per_command"] < 3000 for line in lines)
    assert "pipeline/d-nasdaq" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["count", "warp"], "count 'warp': is not known; give a-exchange-core"),
        (["count", "--base", "/nowhere"], "--base /nowhere: has no folder perf"),
        (
            ["compare", "--base", str(ROOT), "ring"],
            "compare 'ring': is not known; give step, pipeline, durable",
        ),
    ],
)
def test_wrong_names_are_refused_with_the_right_ones(
    options: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(options)

    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err
