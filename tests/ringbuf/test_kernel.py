"""The decorators of hot kernels: results as numba's own, and no test of an index for being negative."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from ringbuf.kernel import apart, inlined, kernel

RECORD = np.dtype([("items", np.dtype([("value", "<i8")]), (8,)), ("grid", "<i4", (4, 8))])


def touch_all(s: Any, i: int, k: int) -> int:
    s.items[i].value += 3
    s.grid[k, i] = 7
    return s.items[i].value + s.grid[k, i] + s.grid[k, i - 1]


def state() -> Any:
    made = np.zeros(1, RECORD)
    made[0]["items"]["value"] = np.arange(8)
    return made


@pytest.mark.parametrize("i", [1, 4, 7])
@pytest.mark.parametrize("decorator", [kernel, inlined, apart])
def test_a_kernel_computes_what_the_same_function_does_under_njit(decorator: Any, i: int) -> None:
    mine, numbas = state(), state()

    assert decorator(touch_all)(mine[0], i, 2) == njit(touch_all)(numbas[0], i, 2)

    assert mine.tobytes() == numbas.tobytes()


SELECTS = """
import numpy as np
from numba import njit
from ringbuf.kernel import kernel

def read(a, i, k):
    return a[i, k]

def selects(decorator):
    compiled = decorator(read)
    compiled(np.zeros((3, 4), np.int64), 1, 2)
    (text,) = compiled.inspect_llvm().values()
    return text.count("icmp slt")

print(selects(njit), selects(kernel))
"""
"""Fresh code: numba shows none of what it loads from its cache."""


def test_a_kernel_does_not_test_indices_for_being_negative(tmp_path: Path) -> None:
    ended = run(tmp_path, SELECTS, NUMBA_CACHE_DIR=str(tmp_path))

    assert ended.returncode == 0, ended.stderr
    with_njit, with_kernel = map(int, ended.stdout.split())
    assert with_kernel < with_njit


CALLS = """
from ringbuf.kernel import apart, inlined, kernel

def seldom(a):
    return a * 3 + 1

def often(a):
    return step(a) + 1

step = {decorator}(seldom)
hot = inlined(often)

@kernel
def loop(a):
    return hot(a)

assert loop(2) == 8
(text,) = loop.inspect_asm().values()
print(sum("seldom" in line and ("call" in line or "movabs" in line) for line in text.splitlines()))
"""


@pytest.mark.parametrize(("decorator", "calls"), [("kernel", 0), ("apart", 1)])
def test_what_is_apart_is_called_also_by_what_is_always_inlined(
    tmp_path: Path, decorator: str, calls: int
) -> None:
    script = CALLS.format(decorator=decorator)

    ended = run(tmp_path, script, NUMBA_CACHE_DIR=str(tmp_path))

    assert ended.returncode == 0, ended.stderr
    assert (int(ended.stdout) > 0) == (calls > 0)


BELOW_ZERO = """
import sys
import numpy as np
from ringbuf.kernel import apart, bind, inlined, kernel

STATE = np.dtype([("items", np.dtype([("value", "<i8")]), (8,)), ("grid", "<i4", (4, 8))])

def read_array(s, a, i):
    return a[i]

def read_item(s, a, i):
    return s.items[i].value

def write_grid(s, a, i):
    s.grid[0, i] = 1
    return 0

def planted(s, a, i):
    return step(s, a, i)

step = {decorator}({function})
{{"kernel": kernel(planted), "bind": bind(planted, "planted_1", {{"step": step}})}}["{caller}"](
    np.zeros(1, STATE)[0], np.zeros(3, np.int64), -1
)
"""


@pytest.mark.parametrize(
    ("caller", "decorator", "function"),
    [
        ("kernel", "kernel", "read_array"),
        ("kernel", "inlined", "read_item"),
        ("bind", "inlined", "write_grid"),
        ("bind", "kernel", "read_item"),
        ("kernel", "apart", "read_item"),
    ],
)
def test_bounds_checking_finds_an_index_below_zero(
    tmp_path: Path, caller: str, decorator: str, function: str
) -> None:
    script = BELOW_ZERO.format(caller=caller, decorator=decorator, function=function)

    ended = run(tmp_path, script, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(tmp_path))

    assert ended.returncode != 0
    assert "IndexError" in ended.stderr
    assert "out of bounds" in ended.stderr


def run(folder: Path, source: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a script beside the project's packages."""
    script = folder / "script.py"
    script.write_text(source)
    return subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": os.getcwd(), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
