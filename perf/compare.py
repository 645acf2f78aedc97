"""`python -m perf compare`: times of this checkout and of another one, in alternating pairs.

    base here | here base | base here ...      each a process of its own, one after the other

What disturbs the machine for a while meets both halves of a pair, so it is their ratio that counts.
For each case: the median of the ratios here / base and its 95 % interval, by bootstrap over the
pairs. A case holds when the median is at most RATIO_MAX, or when 1 lies in the interval.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from perf.bench_step import BenchError
from perf.compared import TIERS
from perf.machine import ROOT
from perf.report import aligned, write_text

COMPARED = Path(__file__).with_name("compared.py")
RATIO_MAX = 1.02
RESAMPLES = 10_000
SEED = 1
Figures = dict[str, float]


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the median: percentiles of the medians of resampled pairs."""
    values = np.asarray(ratios, np.float64)
    picked = np.random.default_rng(SEED).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(np.median(values[picked], axis=1), (2.5, 97.5))
    return float(low), float(high)


def compared(pairs: Sequence[tuple[Figures, Figures]]) -> list[dict[str, Any]]:
    """Return a line for each case of (base, here) pairs."""
    lines = []
    for case in pairs[0][0]:
        both = [(base[case], here[case]) for base, here in pairs]
        ratios = [here / base for base, here in both]
        median, (low, high) = float(np.median(ratios)), interval(ratios)
        lines.append(
            {
                "case": case,
                "base_ns": round(float(np.median([base for base, _ in both])), 1),
                "here_ns": round(float(np.median([here for _, here in both])), 1),
                "median_ratio": round(median, 4),
                "low": round(low, 4),
                "high": round(high, 4),
                "holds": median <= RATIO_MAX or low <= 1 <= high,
                "pairs_ns": both,
            }
        )
    return lines


def measured(root: Path, scale: float, tiers: Sequence[str]) -> Figures:
    """Run the tiers of a checkout once; return ns by case; raise BenchError where it fails."""
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, str(COMPARED), str(root), str(scale), *tiers],
        capture_output=True, text=True, cwd=root, env=environment, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchError(f"{root}: {done.stderr.strip()[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def table(lines: Sequence[dict[str, Any]]) -> str:
    """Return the comparison as a table of text."""
    titles = ["tier/case/figure", "base ns", "here ns", "median ratio", "95 % interval", "holds"]
    rows = [
        [
            line["case"],
            f"{line['base_ns']:,.1f}",
            f"{line['here_ns']:,.1f}",
            f"{line['median_ratio']:.4f}",
            f"{line['low']:.4f} to {line['high']:.4f}",
            "yes" if line["holds"] else "NO",
        ]
        for line in lines
    ]
    return aligned([titles, *rows])


def run(base: Path, tiers: Sequence[str], pair_count: int, scale: float, path: Path | None) -> int:
    """Compare, print, write after each pair; return 0, or 1 where a case does not hold."""
    roots = {"base": base, "here": ROOT}
    tiers = tiers or list(TIERS)
    begun = time.monotonic()
    for root in roots.values():  # compiles and warms up; what it measures is not kept
        measured(root, scale / 100, tiers)
    print(f"both warm after {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    pairs: list[tuple[Figures, Figures]] = []
    lines: list[dict[str, Any]] = []
    begun = time.monotonic()
    for number in range(1, pair_count + 1):
        order = ("base", "here") if number % 2 else ("here", "base")
        found = {name: measured(roots[name], scale, tiers) for name in order}
        pairs.append((found["base"], found["here"]))
        lines = compared(pairs)
        if path is not None:
            write_text(path, json.dumps(lines, indent=1) + "\n")
        worst = max(lines, key=lambda line: line["median_ratio"])
        left_s = (time.monotonic() - begun) / number * (pair_count - number)
        print(
            f"pair {number} of {pair_count}: highest median ratio {worst['median_ratio']:.4f}, "
            f"{worst['case']}; about {left_s:.0f} s left",
            file=sys.stderr, flush=True,
        )  # fmt: skip
    print(table(lines))
    return 0 if all(line["holds"] for line in lines) else 1
