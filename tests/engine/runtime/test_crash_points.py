"""The loop that trades holds no crash points; the one that is built where a death is planned holds them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.runtime.crash_points import VARIABLE
from ringbuf.kernel_cache import ROOT

BUILDS = """
import sys
from pathlib import Path
from tests.engine.runtime.bench import running

with running(Path(sys.argv[1])) as bench:
    kernel = bench.call.run_kernel
    print(kernel.py_func.__name__, kernel.stats.cache_path, sep="\\n")
"""


def compiled_loop(data_dir: Path, plan: str) -> tuple[str, bytes]:
    """Return the name of the loop that a process with this plan runs, and its machine code."""
    ended = subprocess.run(
        [sys.executable, "-c", BUILDS, data_dir], cwd=ROOT, env={**os.environ, VARIABLE: plan},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    name, folder = ended.stdout.split()
    files = list(Path(folder).glob(f"loop.{name}-*.nbc"))
    assert files
    return name, b"".join(each.read_bytes() for each in files)


@pytest.mark.parametrize("plan", ["", "journaler.sealed:1", "recovery.rings:0"])
def test_the_loop_that_trades_holds_no_crash_points(tmp_path: Path, plan: str) -> None:
    name, code = compiled_loop(tmp_path, plan)

    assert not name.endswith("_dying")
    assert b"clock_gettime" in code  # it is the code: what it calls can be read in it
    assert b"abort" not in code


def test_the_loop_whose_death_is_planned_can_abort(tmp_path: Path) -> None:
    name, code = compiled_loop(tmp_path, "recovery.rings:0,loop.applied:3")

    assert name.endswith("_dying")
    assert b"abort" in code
