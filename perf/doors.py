"""`python -m perf doors`: the order door under each policy of waiting, in alternating rounds.

    base block backoff spin | spin backoff block base | ...     a whole instance each, all processes on

In each round, in mode sync on the same two cores as its load generator: one order at a time; an open loop
of 3,400 a second from the intended time; a closed loop of 16 connections, right beside one of a bare aiohttp
handler; right before, the disk's own write and fdatasync of an order. With a neighbour, one more process
spins all the while. Shown are medians over the rounds with their 95 % intervals, by bootstrap.

A tail is judged where the machine's own stalls (perf/stalls.py), traced beside it, stay below half of it.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from perf.bare_http import bare_server
from perf.bench_durable import disk_times
from perf.bench_http import GENERATOR, OPEN_CONNECTIONS, OPEN_RATE
from perf.compare import interval
from perf.live import live
from perf.load import load
from perf.machine import ROOT
from perf.report import aligned, write_text
from perf.stages import stages_us
from perf.stalls import traced_beside

BASE = "base"
WAITS = ("block", "backoff", "spin")
SETTLE_S = 1.0
ORDER_BYTES = 320
"""What an order alone is in the journal: the head of a frame and a record."""
DISK_WRITES = 300
US = 1000.0
Figures = dict[str, float]


@contextmanager
def neighbour(is_wanted: bool) -> Iterator[None]:
    """Let one more process spin for the block, where it is wanted."""
    if not is_wanted:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def measured(variant: str, base: Path | None, seconds: float, number: int, has_neighbour: bool) -> Figures:
    """Run one instance and its load; return the figures, times in us."""
    root = base if variant == BASE and base is not None else ROOT
    options = () if variant == BASE else ("--wait", variant)
    with live(root=root, options=options) as instance, neighbour(has_neighbour), bare_server() as bare:
        time.sleep(SETTLE_S)
        disk = statistics.median(disk_times(DISK_WRITES, ORDER_BYTES).tolist()) / US
        stages = stages_us(instance)
        door = GENERATOR, instance.order_port, instance.key
        one = load(*door, seconds, 3 * number, "--connections", "1")
        opened_s = 2 * seconds
        with traced_beside(opened_s) as stalls:
            opened = load(
                *door, opened_s, 3 * number + 1,
                *("--rate", str(OPEN_RATE), "--connections", str(OPEN_CONNECTIONS)),
            )  # fmt: skip
        closed = load(*door, seconds, 3 * number + 2)
        handler = load(GENERATOR, bare, "bare-handler-takes-any", seconds, number, "--bare")
    return {
        "disk p50": disk,
        **{f"one order: {name}": value for name, value in stages.items()},
        "one at a time p50": one["p50_ns"] / US,
        "one at a time - disk p50": one["p50_ns"] / US - disk,
        "one at a time p99": one["p99_ns"] / US,
        **{f"3,400/s {name}": opened[f"{name}_ns"] / US for name in ("p50", "p99", "p999")},
        **{f"3,400/s stalls {name}": stalls[f"{name}_ns"] / US for name in ("p99", "p999")},
        "closed loop/s": closed["throughput_per_s"],
        "closed loop/bare %": 100 * closed["throughput_per_s"] / handler["throughput_per_s"],
    }


def table(rounds: dict[str, list[Figures]]) -> str:
    """Return medians and intervals of every figure, a column a variant."""
    names = list(next(iter(rounds.values()))[0])
    rows = [["figure (us)", *rounds]]
    for name in names:
        row = [name]
        for figures in rounds.values():
            values = [each[name] for each in figures]
            low, high = interval(values)
            row.append(f"{statistics.median(values):,.0f} ({low:,.0f} to {high:,.0f})")
        rows.append(row)
    return aligned(rows)


def run(
    base: Path | None,
    waits: Sequence[str],
    pairs: int,
    seconds: float,
    has_neighbour: bool,
    path: Path | None,
) -> int:
    """Measure, print, write after each round."""
    variants = [*([BASE] if base is not None else []), *(waits or WAITS)]
    rounds: dict[str, list[Figures]] = {variant: [] for variant in variants}
    for number in range(pairs):
        for variant in variants if number % 2 == 0 else reversed(variants):
            found = measured(variant, base, seconds, number, has_neighbour)
            rounds[variant].append(found)
            shown: Any = {name: round(value) for name, value in found.items()}
            print(f"round {number + 1} of {pairs}, {variant}: {shown}", file=sys.stderr, flush=True)
            if path is not None:
                write_text(path, json.dumps(rounds, indent=1) + "\n")
    print(table(rounds))
    return 0
