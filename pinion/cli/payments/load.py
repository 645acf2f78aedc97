"""`pinion payments load`: play requests into a running instance, open loop, and measure its answers.

A request's latency counts from the moment at which it was due, so that a stall is charged to every request
that should have been sent meanwhile. The machine's own stalls are traced beside it on the same schedule;
`--bare` plays the same to a bare aiohttp handler behind it and tells the difference. The merchants m1, m2 ..
and the accounts 1, 2 .. must be there with EUR: the demo has three and ten, `--write-setup` makes more.
"""

import argparse
import secrets
import time
from pathlib import Path
from typing import Any

import msgspec

from perf.bare_http import bare_server
from perf.load_payments import LoadResult, Plan, measured
from pinion.cli.arguments import decimal_argument, whole_argument
from pinion.cli.command import DONE, FAILED
from pinion.cli.payments.door_client import add_door_arguments, door_of

TIMES = ("p50_ns", "p99_ns", "p999_ns", "max_ns")
CURVE_STEPS_MAX = 10
CURVE_TAIL = 3.0
"""A curve ends where p99 is beyond so many times that of its first step."""
MS = 1e6
MANY = 10_000_000
SHIFTS, STEP_SHIFT = 2**40, 1009


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_door_arguments(parser)
    parser.add_argument(
        "--rate", type=decimal_argument(0, 1e6, "requests a second", "3400"), default=3400.0, metavar="N",
        help="requests a second, whatever the answers do; of a curve the first (default %(default)g)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=decimal_argument(0, 86_400, "seconds", "60"), default=60.0, metavar="S",
        help="how long; of a curve each step (default %(default)g)",
    )  # fmt: skip
    for name, count, what in (
        ("connections", 16, "connections, each with one request at a time"),
        ("merchants", 3, "merchants"),
        ("accounts", 10, "accounts"),
        ("cards", 100_000, "cards"),
    ):
        parser.add_argument(
            f"--{name}", type=whole_argument(1, MANY, count), default=count, metavar="N",
            help=f"how many {what} (default %(default)s)",
        )  # fmt: skip
    parser.add_argument(
        "--bare", action="store_true", help="then the same to a bare handler; tell the difference"
    )
    parser.add_argument(
        "--curve",
        action="store_true",
        help="double the rate until p99 is three times the first, or errors come",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a run instead of text")
    parser.add_argument(
        "--write-setup", type=Path, metavar="FILE",
        help="write so many merchants and accounts as lines for `pinion payments up --setup`; play nothing",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Play as the arguments say; 1 where there were errors."""
    if args.write_setup is not None:
        args.write_setup.write_text(set_up_of(args.merchants, args.accounts))
        return DONE
    plan = plan_of(args)
    first: LoadResult | None = None
    for step in range(CURVE_STEPS_MAX if args.curve else 1):
        rate = args.rate * 2**step
        result = measured(with_rate(plan, rate, step))
        tell(result, bare_of(plan, rate, step) if args.bare else None, is_json=args.json)
        first = first or result
        if is_beyond(result, first):
            break
    return FAILED if first is not None and first.errors else DONE


def is_beyond(result: LoadResult, first: LoadResult) -> bool:
    """Tell whether a step of a curve is one that the door does not carry any more."""
    return bool(result.errors) or result.p99_ns > CURVE_TAIL * first.p99_ns


def plan_of(args: argparse.Namespace) -> Plan:
    """Return what is played; UsageError, PortError where there is no door to play it to."""
    door = door_of(args)
    return Plan(
        host=door.host,
        port=door.port,
        key=door.key,
        run=f"load-{time.time_ns() // 10**6:x}",
        shift=secrets.randbelow(SHIFTS),
        rate=args.rate,
        seconds=args.seconds,
        connections=args.connections,
        merchants=args.merchants,
        accounts=args.accounts,
        cards=args.cards,
    )


def with_rate(plan: Plan, rate: float, step: int) -> Plan:
    """Return the plan of one step of a curve, with ids, and a shift, of its own."""
    shift = plan.shift + step * STEP_SHIFT
    return msgspec.structs.replace(plan, rate=rate, run=f"{plan.run}-{step}", shift=shift)


def bare_of(plan: Plan, rate: float, step: int) -> LoadResult:
    """Play the same to a bare handler."""
    with bare_server() as port:
        bare = msgspec.structs.replace(with_rate(plan, rate, step), host="127.0.0.1", port=port)
        return measured(bare)


def tell(result: LoadResult, bare: LoadResult | None, *, is_json: bool) -> None:
    """Print what a run came to."""
    if is_json:
        told: dict[str, Any] = msgspec.structs.asdict(result)
        if bare is not None:
            told |= {"bare": bare, "difference": differences(result, bare)}
        print(msgspec.json.encode(told).decode(), flush=True)
        return
    print(
        f"{result.requests:,} requests, {result.throughput_per_s:,.0f}/s of {result.offered_per_s:,.0f}/s due"
    )
    print(f"{'ms':<12}{'p50':>12}{'p99':>12}{'p99.9':>12}{'max':>12}")
    rows: dict[str, dict[str, float]] = {"door": msgspec.structs.asdict(result)}
    if bare is not None:
        rows |= {"bare": msgspec.structs.asdict(bare), "difference": differences(result, bare)}
    rows["stalls"] = result.stalls
    for name, row in rows.items():
        print(f"{name:<12}" + "".join(f"{row[each] / MS:>12,.3f}" for each in TIMES))
    print("  ".join(f"{code} {count:,}" for code, count in sorted(result.codes.items())))
    print(f"errors: {result.errors or 'none'}", flush=True)


def differences(result: LoadResult, bare: LoadResult) -> dict[str, float]:
    """Return by how much the door is slower than the bare handler on the same schedule."""
    return {name: round(getattr(result, name) - getattr(bare, name), 1) for name in TIMES}


def set_up_of(merchants: int, accounts: int) -> str:
    """Return lines of set-up that make so many merchants and accounts."""
    lines: list[dict[str, Any]] = [
        {"op": "merchant", "merchant": f"m{1 + number}"} for number in range(merchants)
    ]
    lines += [
        {"op": "account", "account": 1 + number, "balances": {"EUR": 10**10}} for number in range(accounts)
    ]
    return "".join(msgspec.json.encode(line).decode() + "\n" for line in lines)
