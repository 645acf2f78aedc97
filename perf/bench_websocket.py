"""Tier websocket: one pipelined session through the HTTP door of a running Pinion.

Included: as in tier http, with WebSocket frames in place of requests, one command a frame, and the
execution reports of filled makers pushed on the same socket. The closed loop keeps WINDOW commands
on their way and has no latency worth a name; the open loop counts from when a command was due.
"""

import statistics
import subprocess
import sys
from typing import Any

import msgspec

from perf.live import Live, live
from perf.result import Line, Result

TIER = "websocket"
WINDOW = 1024
OPEN_RATE = 10_000
ACCEPTED_MIN = 0.95
ROUNDS, ROUND_S = 5, 3.0
QUICK_ROUNDS, QUICK_ROUND_S = 1, 1.0
LATENCIES = ("mean_ns", "p50_ns", "p99_ns", "p999_ns", "max_ns")


def run(quick: bool) -> list[Line]:
    """Measure; return R7 lines."""
    rounds, seconds = (QUICK_ROUNDS, QUICK_ROUND_S) if quick else (ROUNDS, ROUND_S)
    with live() as instance:
        closed = [load(instance, seconds, number, "--window", str(WINDOW)) for number in range(rounds)]
        opened = load(instance, seconds, rounds, "--rate", str(OPEN_RATE))
    middle = statistics.median_low(each["throughput_per_s"] for each in closed)
    best = next(each for each in closed if each["throughput_per_s"] == middle)
    return [
        _line(f"one session, {WINDOW} commands on their way", best, instance),
        _line("one session, open loop", opened, instance, OPEN_RATE),
    ]


def load(instance: Live, seconds: float, session: int, *more: str) -> dict[str, Any]:
    """Run the load generator once; raise unless it checked every answer and most were accepted."""
    command = [sys.executable, "-m", "perf.load_websocket", str(instance.order_port), "--key", instance.key]
    told = subprocess.run(
        [*command, "--seconds", str(seconds), "--session", str(session + 1), *more],
        capture_output=True,
        text=True,
        timeout=60 + 4 * seconds,
        check=False,
    )
    if told.returncode:
        raise RuntimeError(f"load generator failed: {told.stderr.strip()[-2000:]}")
    result: dict[str, Any] = msgspec.json.decode(told.stdout)
    if result["accepted"] < ACCEPTED_MIN * result["commands"]:
        raise RuntimeError(f"only {result['accepted']} of {result['commands']} orders were accepted")
    return result


def _line(case: str, measured: dict[str, Any], instance: Live, offered: int | None = None) -> Line:
    latencies: dict[str, Any] = {name: measured.get(name) for name in LATENCIES}
    return Result(
        tier=TIER,
        case=case,
        commands=measured["commands"],
        throughput_per_s=round(measured["throughput_per_s"]),
        offered_per_s=offered,
        durability=instance.durability,
        **latencies,
    ).line()
