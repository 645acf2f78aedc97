"""Processes that compile at the same moment, or die at it, leave a cache that gives the right code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringbuf.kernel_cache import ROOT

FUNCTION_COUNT = 8
KERNELS = "\n".join(
    ["from ringbuf.njit import njit"]
    + [f"@njit\ndef f{i}(x):\n    return x // 2 + {i}" for i in range(FUNCTION_COUNT)]
    + [f"KERNELS = [{', '.join(f'f{i}' for i in range(FUNCTION_COUNT))}]\n"]
)
COMPILES_BESIDE_ANOTHER = """
import os, sys
from numba.core import event
from kernels import KERNELS

class Meeting(event.Listener):
    def on_start(self, event): pass
    def on_end(self, event):  # what was compiled is saved next
        os.write(int(sys.argv[2]), b".")
        os.read(int(sys.argv[3]), 1)

with event.install_listener("numba:compile", Meeting()):
    for kernel in KERNELS:
        kernel({"int": int, "float": float}[sys.argv[1]](7))
"""
CALLS = """
from kernels import KERNELS
whole = [kernel(7) for kernel in KERNELS]
halves = [kernel(7.0) for kernel in KERNELS]
hits = sum(sum(kernel.stats.cache_hits.values()) for kernel in KERNELS)
print(whole, halves, hits, sep="\\n")
"""


FOR_RECORDS = """from ringbuf.njit import njit

@njit
def total(record):
    found = 0
    for i in range(record.a.shape[0]):
        found += record.a[i]
    return found

@njit
def both(first, second):
    return total(first), total(second)
"""
SUMS_RECORDS = """
import os, sys
import numpy as np
from records import both, total

first, *rest = [np.arange(int(each)).view([("a", "<i8", (int(each),))])[0] for each in sys.argv[2:]]
if sys.argv[1] == "forked" and (child := os.fork()):
    sys.exit(os.waitpid(child, 0)[1])
print(both(first, *rest) if rest else total(first))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "kernels.py").write_text(KERNELS)
    (tmp_path / "records.py").write_text(FOR_RECORDS)
    return {**os.environ, "PINION_KERNEL_CACHE": str(tmp_path / "cache"), "PYTHONPATH": f"{ROOT}:{tmp_path}"}


def calls(environment: dict[str, str]) -> list[str]:
    """Return what a process gets from every kernel, for int and float, and how many it found compiled."""
    done = subprocess.run(
        [sys.executable, "-c", CALLS], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


EXPECTED = [str([3 + i for i in range(FUNCTION_COUNT)]), str([3.0 + i for i in range(FUNCTION_COUNT)])]


def test_two_processes_that_save_at_the_same_moment_do_not_mix_their_code(
    environment: dict[str, str],
) -> None:
    (read_a, tell_b), (read_b, tell_a) = os.pipe(), os.pipe()
    running = []
    for kind, tell, read in (("int", tell_a, read_a), ("float", tell_b, read_b)):
        command = [sys.executable, "-c", COMPILES_BESIDE_ANOTHER, kind, str(tell), str(read)]
        running.append(subprocess.Popen(command, env=environment, pass_fds=(tell, read)))
    for each in (read_a, tell_b, read_b, tell_a):
        os.close(each)
    assert [process.wait() for process in running] == [0, 0]

    assert calls(environment) == [*EXPECTED, str(2 * FUNCTION_COUNT)]


@pytest.mark.parametrize("kept", ["nothing", "half", "other code"])
def test_a_file_that_is_not_what_it_should_be_is_compiled_anew(
    environment: dict[str, str], tmp_path: Path, kept: str
) -> None:
    calls(environment)
    files = sorted((tmp_path / "cache").rglob("kernels.*.nbc"))
    content = {each: each.read_bytes() for each in files}
    for file, other in zip(files, [*files[1:], files[0]], strict=True):
        file.write_bytes({"nothing": b"", "half": content[file][:-100], "other code": content[other]}[kept])

    assert len(files) == 2 * FUNCTION_COUNT
    assert calls(environment) == [*EXPECTED, "0"]
    assert calls(environment) == [*EXPECTED, str(2 * FUNCTION_COUNT)]


def test_another_source_at_the_same_place_is_compiled_anew(
    environment: dict[str, str], tmp_path: Path
) -> None:
    calls(environment)
    (tmp_path / "kernels.py").write_text(KERNELS.replace("// 2", "// 7"))

    whole, _, hits = calls(environment)

    assert whole == str([1 + i for i in range(FUNCTION_COUNT)])
    assert hits == "0"


def test_no_draft_stays_in_the_cache(environment: dict[str, str], tmp_path: Path) -> None:
    calls(environment)

    assert {each.suffix for each in (tmp_path / "cache").rglob("kernels.*")} == {".nbc"}


@pytest.mark.parametrize("process", ["begun", "forked"])
def test_code_of_several_processes_for_several_records_keeps_apart(
    environment: dict[str, str], process: str
) -> None:
    def sums(*sizes: int) -> str:
        """Return what a process of its own makes of records of these sizes: the first thing it compiles."""
        done = subprocess.run(
            [sys.executable, "-c", SUMS_RECORDS, process, *map(str, sizes)],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    assert [sums(3), sums(5)] == ["3", "10"]

    assert sums(3, 5) == "(3, 10)"
    assert sums(5, 3) == "(10, 3)"
