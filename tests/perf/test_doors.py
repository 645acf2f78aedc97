"""The benchmark of the policies of waiting measures what it says, and keeps what it measured."""

import json
from pathlib import Path

import pytest

from perf import doors
from perf.stages import STAGES
from perf.stalls import traced_beside


def test_a_round_measures_every_figure_and_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "doors.json"

    assert doors.run(None, ["block"], 1, 0.2, True, path) == 0

    (figures,) = json.loads(path.read_text())["block"]
    assert all(figures[f"one order: {stage}"] > 0 for stage in STAGES)
    assert figures["one at a time p50"] > 0
    assert figures["disk p50"] > 0
    assert figures["3,400/s p50"] <= figures["3,400/s p99"] <= figures["3,400/s p999"]
    assert figures["closed loop/s"] > 0
    assert figures["closed loop/bare %"] > 0


def test_the_table_shows_medians_and_their_intervals() -> None:
    rounds = {"block": [{"p50": 1.0}, {"p50": 3.0}, {"p50": 2.0}], "spin": [{"p50": 4000.0}] * 3}

    title, line = doors.table(rounds).splitlines()

    assert title.split() == ["figure", "(us)", "block", "spin"]
    assert "2 (1 to 3)" in line
    assert "4,000 (4,000 to 4,000)" in line


def test_the_trace_of_stalls_ends_with_its_time_and_has_what_a_process_cannot_avoid() -> None:
    with traced_beside(0.2) as stalls:
        assert not stalls

    assert 0 < stalls["p50_ns"] <= stalls["p99_ns"] <= stalls["max_ns"]


def test_the_trace_of_stalls_is_gone_when_the_load_fails() -> None:
    with pytest.raises(RuntimeError, match="the load failed"), traced_beside(60.0):
        raise RuntimeError("the load failed")
