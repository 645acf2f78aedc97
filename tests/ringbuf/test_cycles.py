"""The length of a cycle of the time-stamp counter."""

import subprocess
import sys

import pytest

TWICE = "from ringbuf.cycles import cycle_ns; print(cycle_ns(), cycle_ns())"


def test_the_first_measurement_in_a_process_counts_no_loading_of_code() -> None:
    said = subprocess.run([sys.executable, "-c", TWICE], check=True, capture_output=True, text=True).stdout

    first, second = map(int, said.split())

    assert first == pytest.approx(second, rel=0.2)
