"""`pinion status`: what runs on a data folder, how full its rings are, how fast it goes."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import msgspec

from engine.contract import instance
from engine.contract.instance import Instance
from engine.contract.port import EventReader
from engine.contract.readiness import STALLED_NS_MAX, Readiness
from pinion.cli.applications import Applications
from pinion.cli.arguments import DEFAULT_DATA
from pinion.cli.command import DONE
from ringbuf.huge_pages import huge_bytes
from ringbuf.segment import process_start
from ringbuf.spsc import SpscRing

RATE_WINDOW_S = 0.5
LOOK_AGAIN_S = 0.05
MIB = 1 << 20
PERCENTILES = (50.0, 99.0, 99.9)


def add_arguments(parser: argparse.ArgumentParser, data_dir: Path = DEFAULT_DATA) -> None:
    """Declare the options; data_dir : the folder where none is given."""
    parser.add_argument(
        "--data", type=Path, default=data_dir, metavar="DIR", help="data folder (default %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def run(args: argparse.Namespace) -> int:
    """Print the status; PortError when nothing runs there."""
    status = collect(args.data.resolve(), args.applications)
    print(json.dumps(flat(status)) if args.json else text_of(status))
    return DONE


def collect(data_dir: Path, applications: Applications) -> dict[str, Any]:
    """Return what the instance says of itself and what its counters show."""
    found = instance.read(data_dir)
    with EventReader.attach(data_dir) as reader:
        counters, readiness = reader.counters(), Readiness(reader)
        readiness.look()
        before = counters["worker.commands"]
        began = time.monotonic()
        time.sleep(RATE_WINDOW_S)
        rate = (counters["worker.commands"] - before) / (time.monotonic() - began)
        while (
            readiness.latched() is None and 0 < readiness.look() <= STALLED_NS_MAX
        ):  # long enough to tell a slow disk from one that stands
            time.sleep(LOOK_AGAIN_S)
        found = instance.read(data_dir)
        troubles = readiness.troubles(found)
        return {
            "data": found.data_dir,
            "application": found.application,
            "durability": found.durability,
            "latched": readiness.latched(),
            "ready": not any(each.blocks for each in troubles),
            "troubles": [msgspec.structs.asdict(each) for each in troubles],
            "config": found.config,
            "epoch": found.epoch,
            "uptime_s": round((time.time_ns() - found.started_at) / 1e9, 1),
            "doors": found.doors,
            "processes": _processes(found, counters),
            "endings": [msgspec.structs.asdict(each) for each in found.endings],
            "rings": _rings(found, counters),
            "counters": {name: counters[name] for name in counters if not name.endswith(".heartbeat")},
            "memory": _memory(found),
            "commands_per_s": round(rate),
            **_of_state(found.application, reader.state(), applications),
            "seq": counters["worker.commands"],
            "durable_seq": reader.durable_seq(),
            "latency_ns": {
                name: {
                    "count": each.count,
                    **{f"p{share:g}": each.percentile(share) for share in PERCENTILES},
                }
                for name, each in reader.histograms().items()
            },
        }


def _of_state(application: str, state: Any, applications: Applications) -> dict[str, Any]:
    """Return what the application counts, and the use of its capacities; nothing of one that has no row."""
    if application not in applications:
        return {"counts": {}}
    tools = applications[application]()
    used, sizes = tools.used(state), tools.capacities_of(state)
    shown = {name: {"used": count, "of": sizes[name]} for name, count in used.items()}
    return {"counts": tools.counts(state), **({"capacities": shown} if shown else {})}


def _memory(found: Instance) -> dict[str, int]:
    """Return how many MiB of shared memory the worker has, and in huge pages; nothing if nobody may ask."""
    names = list(found.segments.values())
    for process in found.processes:
        told = huge_bytes(process.pid, names) if process.name == instance.WORKER else None
        if told is not None:
            return {"shared_mib": told[0] // MIB, "huge_mib": told[1] // MIB}
    return {}


def _processes(found: Instance, counters: Any) -> list[dict[str, Any]]:
    rows = []
    for process in found.processes:
        name = f"{process.name}.heartbeat"
        age_ns = counters.age_ns(name) if name in counters else None
        rows.append(
            {
                "name": process.name,
                "pid": process.pid,
                "alive": process_start(process.pid) is not None,
                "heartbeat_age_ms": None if age_ns is None else age_ns // 1_000_000,
            }
        )
    return rows


def _rings(found: Instance, counters: Any) -> list[dict[str, Any]]:
    shared = instance.attach_commands(found)
    rows = []
    for idx, name in enumerate(found.rings):
        ring = SpscRing(shared.slots[0]["rings"][idx]["control"], shared.slots[0]["rings"][idx]["slots"])
        rows.append(
            {
                "name": name,
                "depth": len(ring),
                "capacity": ring.capacity,
                "published": ring.published,
                "busy": counters[instance.counter_name(name, "busy")],
            }
        )
    return rows


def flat(status: dict[str, Any]) -> dict[str, Any]:
    """Return the status as programs get it: each door and count stands in it under its own name."""
    others = {name: value for name, value in status.items() if name not in ("doors", "counts")}
    return {**others, **status["doors"], **status["counts"]}


def text_of(status: dict[str, Any]) -> str:
    """Write the status for people."""
    lines = [f"LATCHED: {status['latched']}; nothing more is accepted"] if status["latched"] else []
    lines += [
        f"{'NOT READY' if each['blocks'] else 'degraded'}: {each['detail']}"
        for each in status["troubles"]
        if each["reason"] != "latched"
    ]
    lines += [
        f"{status['application']} on {status['data']}, epoch {status['epoch']}, up {status['uptime_s']} s",
        f"durability {status['durability']}, configuration {status['config']}",
        *(f"{name:<6} {url}" for name, url in status["doors"].items()),
        "",
        f"{'process':<12}{'pid':>8}  {'alive':<6}{'heartbeat':>12}",
    ]
    for row in status["processes"]:
        age_ms = row["heartbeat_age_ms"]
        beat = "-" if age_ms is None else f"{age_ms} ms ago"
        lines.append(f"{row['name']:<12}{row['pid']:>8}  {'yes' if row['alive'] else 'NO':<6}{beat:>12}")
    for ending in status["endings"]:
        ago_s = (time.time_ns() - ending["ended_at"]) / 1e9
        shown = f"ended {ago_s:.0f} s ago: {ending['process']} (pid {ending['pid']}) {ending['cause']}"
        lines.append(f"  {shown}" + (f" ({ending['count']} times)" if ending["count"] > 1 else ""))
    lines += ["", f"{'ring':<12}{'depth':>8}{'of':>8}{'commands':>14}{'busy':>8}"]
    for row in status["rings"]:
        lines.append(
            f"{row['name']:<12}{row['depth']:>8}{row['capacity']:>8}{row['published']:>14,}{row['busy']:>8}"
        )
    lines += ["", f"seq {status['seq']:,}, durable {status['durable_seq']:,}, {status['commands_per_s']:,}/s"]
    lines += [
        f"{name} {count:,}" if isinstance(count, int) else f"{name} {count}"
        for name, count in status["counts"].items()
    ]
    lines += _capacities(status.get("capacities", {}))
    if status["memory"]:
        shared, huge = status["memory"].values()
        lines.append(f"worker: {shared:,} MiB of shared memory, {huge:,} MiB of it in huge pages")
    for name, row in status["latency_ns"].items():
        shares = "  ".join(f"{key} {row[key]:,} ns" for key in row if key != "count")
        lines.append(f"{name:<10} {shares}  ({row['count']:,} values)")
    return "\n".join(lines)


def _capacities(shown: dict[str, dict[str, int]]) -> list[str]:
    """Write what is used of each capacity."""
    head = ["", f"{'capacity':<20}{'used':>12}{'of':>12}"] if shown else []
    return head + [f"{name:<20}{each['used']:>12,}{each['of']:>12,}" for name, each in shown.items()]
