"""Comparing two checkouts: the median of the ratios, its interval, and what holds."""

import json
from pathlib import Path

import numpy as np
import pytest

from perf.__main__ import main
from perf.compare import compared, interval
from perf.machine import ROOT

CASE = "step/a/mean_ns"


def pairs(*ratios: float) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Return pairs of these ratios, the machine slower from pair to pair."""
    return [({CASE: 100.0 * n}, {CASE: 100.0 * n * ratio}) for n, ratio in enumerate(ratios, 1)]


@pytest.mark.parametrize(
    ("ratios", "median", "holds"),
    [
        ((1.0,) * 10, 1.0, True),
        ((1.02,) * 10, 1.02, True),
        ((1.03,) * 10, 1.03, False),
        ((0.5,) * 10, 0.5, True),
        ((0.9, 1.2, 0.95, 1.1, 0.97, 1.15, 0.99, 1.3, 1.0, 1.12), 1.05, True),  # 1 lies in the interval
        ((1.04, 1.05, 1.06, 1.05, 1.04, 1.07, 1.05, 1.06, 1.05, 0.5), 1.05, False),  # one outlier
    ],
)
def test_a_case_holds_by_its_median_or_its_interval(
    ratios: tuple[float, ...], median: float, holds: bool
) -> None:
    (line,) = compared(pairs(*ratios))

    assert line["case"] == CASE
    assert line["median_ratio"] == pytest.approx(median)
    assert line["low"] <= line["median_ratio"] <= line["high"]
    assert line["holds"] is holds


def test_the_interval_holds_the_true_median_about_95_times_in_100() -> None:
    rng = np.random.default_rng(5)

    hits = sum(
        low <= 1.0 <= high for low, high in (interval(rng.normal(1, 0.05, 10).tolist()) for _ in range(200))
    )

    assert 180 <= hits <= 200


def test_compare_runs_both_checkouts_and_writes_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "compare.json"

    main(["compare", "step", "--base", str(ROOT), "--pairs", "1", "--scale", "0.001", "--json", str(path)])

    lines = json.loads(path.read_text())
    assert lines[0]["case"] == "step/a-exchange-core/mean_ns"
    assert all(len(line["pairs_ns"]) == 1 and line["median_ratio"] > 0 for line in lines)
    said = capsys.readouterr()
    assert "pair 1 of 1" in said.err
    assert "95 % interval" in said.out
