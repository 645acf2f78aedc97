"""Tier http: single POSTs through the HTTP door of a running Pinion, beside a bare aiohttp handler.

Included: TCP on loopback, aiohttp, JSON both ways, keys, the command ring, the worker with every
check, the event ring, the durable gate, and the order's outcome in the answer. Load generator,
door, worker and the bare server are processes of their own; rounds of the door and of the bare
handler alternate, so that a noisy neighbour meets both, and the median round counts. Latency of
the closed loop counts from the sending, of the open loop from the moment a request was due.
"""

from typing import Any

from perf.bare_http import bare_server
from perf.live import Live, live
from perf.load import load, middle
from perf.result import Line, Result

TIER = "http"
GENERATOR = "perf.load_http"
CONNECTIONS = 16
OPEN_RATE = 3400
OPEN_CONNECTIONS = 64
ROUNDS, ROUND_S = 5, 3.0
QUICK_ROUNDS, QUICK_ROUND_S = 1, 1.0
LATENCIES = ("mean_ns", "p50_ns", "p99_ns", "p999_ns", "max_ns")


def run(quick: bool) -> list[Line]:
    """Measure; return the results as lines of interface R7."""
    rounds, seconds = (QUICK_ROUNDS, QUICK_ROUND_S) if quick else (ROUNDS, ROUND_S)
    with bare_server() as bare_port, live() as instance:
        bare, door = [], []
        for number in range(rounds):
            bare.append(load(GENERATOR, bare_port, "bare-handler-takes-any", seconds, number, "--bare"))
            door.append(load(GENERATOR, instance.order_port, instance.key, seconds, number))
        opened = load(
            GENERATOR,
            instance.order_port,
            instance.key,
            2 * seconds,
            rounds,
            *("--rate", str(OPEN_RATE), "--connections", str(OPEN_CONNECTIONS)),
        )
        return [
            _line(f"bare aiohttp handler, {CONNECTIONS} connections", middle(bare), instance),
            _line(f"POST /v1/orders, {CONNECTIONS} connections", middle(door), instance),
            _line("POST /v1/orders, open loop", opened, instance, OPEN_RATE),
        ]


def _line(case: str, measured: dict[str, Any], instance: Live, offered: int | None = None) -> Line:
    return Result(
        tier=TIER,
        case=case,
        commands=measured["commands"],
        throughput_per_s=round(measured["throughput_per_s"]),
        offered_per_s=offered,
        durability=instance.durability,
        **{name: measured[name] for name in LATENCIES},
    ).line()
