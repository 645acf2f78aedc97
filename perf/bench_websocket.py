"""Tier websocket: one pipelined session through the HTTP door of a running Pinion.

Included: as in tier http, with WebSocket frames in place of requests, one command a frame, and the
execution reports of filled makers pushed on the same socket. The closed loop keeps WINDOW commands
on their way and has no latency worth a name; the open loop counts from when a command was due.
"""

from typing import Any

from perf.live import Live, live
from perf.load import load, middle
from perf.result import Line, Result

TIER = "websocket"
GENERATOR = "perf.load_websocket"
WINDOW = 1024
OPEN_RATE = 10_000
ROUNDS, ROUND_S = 5, 3.0
QUICK_ROUNDS, QUICK_ROUND_S = 1, 1.0
LATENCIES = ("mean_ns", "p50_ns", "p99_ns", "p999_ns", "max_ns")


def run(quick: bool) -> list[Line]:
    """Measure; return the results as lines of interface R7."""
    rounds, seconds = (QUICK_ROUNDS, QUICK_ROUND_S) if quick else (ROUNDS, ROUND_S)
    with live() as instance:
        door = GENERATOR, instance.order_port, instance.key
        closed = [load(*door, seconds, number, "--window", str(WINDOW)) for number in range(rounds)]
        opened = load(*door, seconds, rounds, "--rate", str(OPEN_RATE))
    return [
        _line(f"one session, {WINDOW} commands on their way", middle(closed), instance),
        _line("one session, open loop", opened, instance, OPEN_RATE),
    ]


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
