"""Results as files and tables: the JSON of interface R7, pyperf suites for comparisons, a table to read.

`FILE.json` is exactly the list of interface R7. `FILE.pyperf.json` beside it holds every figure as a pyperf
benchmark named tier/case/figure, one value a run, with the machine as metadata, so
`python -m pyperf compare_to OLD NEW` works on p99 as on means. Throughput is not in it: its
mean_ns is.
"""

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import pyperf

from perf.result import KEYS, LATENCY_KEYS, Line
from pinion.cli.outputs import is_replaceable, output

NUMBERS = ("throughput_per_s", *LATENCY_KEYS)
HEADINGS = {
    "throughput_per_s": "per second",
    "mean_ns": "mean ns",
    "p50_ns": "p50",
    "p99_ns": "p99",
    "p999_ns": "p99.9",
    "max_ns": "max",
    "offered_per_s": "offered/s",
}


def median_lines(runs: Sequence[list[Line]]) -> list[Line]:
    """Return one line per case: the median of each figure over the runs that have it."""
    merged = []
    for same in _by_case(runs):
        line = dict(same[0])
        for key in NUMBERS:
            values = [each[key] for each in same if each[key] is not None]
            line[key] = median(values) if values else None
        if line["throughput_per_s"] is not None:
            line["throughput_per_s"] = round(line["throughput_per_s"])
        merged.append(line)
    return merged


def _by_case(runs: Sequence[list[Line]]) -> list[list[Line]]:
    """Return the lines of each case, in the order in which the cases came; a run may lack some."""
    cases: dict[tuple[str, str], list[Line]] = {}
    for line in (line for run in runs for line in run):
        cases.setdefault((line["tier"], line["case"]), []).append(line)
    return list(cases.values())


def pyperf_suite(runs: Sequence[list[Line]], machine: dict[str, str]) -> Any:
    """Return every figure as a pyperf benchmark with one value a run, in seconds."""
    benchmarks = []
    for same in _by_case(runs):
        for key in LATENCY_KEYS:
            values = [each[key] * 1e-9 for each in same if each[key]]
            if values:
                figure = key.removesuffix("_ns")
                metadata = {f"pinion_{name}": value for name, value in machine.items() if value}
                metadata |= {"name": f"{same[0]['tier']}/{same[0]['case']}/{figure}", "unit": "second"}
                done = [pyperf.Run([value], metadata=metadata, collect_metadata=False) for value in values]
                benchmarks.append(pyperf.Benchmark(done))
    return pyperf.BenchmarkSuite(benchmarks)


def pyperf_path(path: Path) -> Path:
    """Return where the pyperf suite of a result file lies."""
    return path.with_suffix(".pyperf.json")


def write(path: Path, runs: Sequence[list[Line]], machine: dict[str, str]) -> None:
    """Write FILE.json, and beside it, where it is a regular file, the pyperf suite."""
    write_text(path, json.dumps(median_lines(runs), indent=1) + "\n")
    has_latencies = any(line[key] for run in runs for line in run for key in LATENCY_KEYS)
    if has_latencies and is_replaceable(str(path)):
        suite = StringIO()
        pyperf_suite(runs, machine).dump(suite)
        write_text(pyperf_path(path), suite.getvalue())


def write_text(path: Path, text: str) -> None:
    """Write a text whole, or not at all; raise OSError, which names the file."""
    with output(str(path)) as file:
        file.write(text.encode())


def read(path: Path) -> tuple[list[Line], dict[str, str]]:
    """Return the lines of a result file and the machine, {} where its pyperf file is gone."""
    lines: Any = json.loads(path.read_text())
    if not isinstance(lines, list) or any(
        not isinstance(line, dict) or set(line) != set(KEYS) for line in lines
    ):
        raise ValueError(f"{path} is not a list of results with the keys {', '.join(KEYS)}")
    beside = pyperf_path(path)
    if not beside.exists():
        return lines, {}
    metadata = pyperf.BenchmarkSuite.load(str(beside)).get_benchmarks()[0].get_metadata()
    prefix = "pinion_"
    return lines, {
        name.removeprefix(prefix): str(value) for name, value in metadata.items() if name.startswith(prefix)
    }


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a table of text."""
    titles = ["tier/case", "commands", *HEADINGS.values(), "durability"]
    rows = [titles]
    for line in lines:
        cells = [f"{line['tier']}/{line['case']}", f"{line['commands']:,}"]
        cells += [_cell(line[key]) for key in HEADINGS]
        rows.append([*cells, line["durability"]])
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as text in columns, the first one to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def machine_text(machine: dict[str, str]) -> str:
    """Return the machine as lines of text."""
    return "\n".join(f"{name:>14}  {value}" for name, value in machine.items())
