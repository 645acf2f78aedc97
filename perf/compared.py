"""What `perf compare` times: some tiers of one checkout, at sizes of its own, as JSON lines.

    python perf/compared.py ROOT SCALE TIER...

Run as a file, so that ROOT, the checkout whose engine, flow and tiers are taken, may be another one;
it imports nothing of its own folder. SCALE multiplies every count of commands.
"""

import json
import sys
from typing import Any

Line = dict[str, Any]
SIZES = {"step": 400_000, "pipeline": 500_000, "durable": 1_000_000}
TRIPS = {"pipeline": 50_000, "durable": 1_000}
PACED = 20_000
"""Commands of the open loop that a measurement of round trips brings along."""


def step(scale: float) -> list[Line]:
    """Return a line for each of the four mixes."""
    from perf.bench_step import StepBench, agrees_with, capacities_for, measure, one_core
    from perf.flow.generate import generate
    from perf.flow.mixes import MIXES

    lines = []
    with one_core():
        for mix in MIXES:
            flow = generate(mix, count=max(1000, round(SIZES["step"] * scale)))
            bench = StepBench(flow.commands, flow.first, capacities_for(mix))
            lines.append(measure(mix.name, bench, 1, agrees_with(flow)))
    return lines


def pipeline(scale: float) -> list[Line]:
    """Return throughput on one symbol and on a hundred, and round trips."""
    from perf.bench_pipeline import latencies, throughput
    from perf.flow.mixes import EXCHANGE_CORE, POWER_LAW_100

    return [*_throughputs("pipeline", throughput, (EXCHANGE_CORE, POWER_LAW_100), scale),
            *_trips("pipeline", latencies, EXCHANGE_CORE, scale)]  # fmt: skip


def durable(scale: float) -> list[Line]:
    """Return throughput and round trips with the journal."""
    from perf.bench_durable import latencies, throughput
    from perf.flow.mixes import EXCHANGE_CORE

    return [*_throughputs("durable", throughput, (EXCHANGE_CORE,), scale),
            *_trips("durable", latencies, EXCHANGE_CORE, scale)]  # fmt: skip


def _throughputs(tier: str, measure: Any, mixes: Any, scale: float) -> list[Line]:
    return [measure(mix, max(1000, round(SIZES[tier] * scale))) for mix in mixes]


def _trips(tier: str, measure: Any, mix: Any, scale: float) -> list[Line]:
    trips, paced = max(200, round(TRIPS[tier] * scale)), max(1000, round(PACED * scale))
    return [line for line in measure(mix, trips, paced) if line["case"].startswith("round_trip/")]


TIERS = {"step": step, "pipeline": pipeline, "durable": durable}
FIGURES = {"round_trip": "p50_ns"}
"""Case -> the figure that is compared; any other case: mean_ns."""


def main() -> None:
    """Measure as the command line says; the last line of standard output holds the result."""
    root, scale, *tiers = sys.argv[1:]
    sys.path[0] = root
    from perf import flow

    assert flow.__file__ is not None
    assert flow.__file__.startswith(root), f"{flow.__file__} is not of {root}"
    figures = {}
    for tier in tiers:
        for line in TIERS[tier](float(scale)):
            figure = FIGURES.get(line["case"].partition("/")[0], "mean_ns")
            figures[f"{tier}/{line['case']}/{figure}"] = line[figure]
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
