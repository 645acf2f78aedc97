"""A trial as text, and the options that all commands about trials have."""

import argparse
from typing import Any

from pinion.cli.arguments import whole_argument

MILLION = 10**6
MS_PER_MINUTE = 60_000
MS_PER_S = 1_000


def add_why(parser: argparse.ArgumentParser) -> None:
    """Declare the reason that is journaled."""
    parser.add_argument("--why", default="", metavar="TEXT", help="a reason, journaled with the act")


def add_gates(parser: argparse.ArgumentParser) -> None:
    """Declare what ends a trial by itself, and how much it has to see."""
    parser.add_argument(
        "--max-disagree-ppm", type=whole_argument(0, MILLION, 1000), metavar="N",
        help="roll back beyond so many disagreements a million decisions (default: off)",
    )  # fmt: skip
    parser.add_argument(
        "--min-seen", type=whole_argument(1, 10**9, 36_000), default=36_000, metavar="N",
        help="decisions before anything is judged, of each side before a step (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--no-rates", action="store_true", help="do not compare the rates of both sides")


def gates_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the gates as a body has them."""
    return {
        "max_disagree_ppm": args.max_disagree_ppm,
        "min_seen": args.min_seen,
        "compare_rates": not args.no_rates,
    }


def tell_trial(said: dict[str, Any]) -> None:
    """Print how a trial stands."""
    if said["ruleset"] is None:
        print("no set has been on trial")
        return
    print(f"set {said['ruleset']} {said['state']}{_of_step(said)}{_by_gate(said)}")
    ppm = said["disagreements"] / said["seen"] * MILLION if said["seen"] else 0.0
    print(f"seen           {said['seen']:>12,}\ndisagreements  {said['disagreements']:>12,}   {ppm:,.0f} ppm")
    for pair, count in said["pairs"].items():
        print(f"  {pair:<40} {count:>12,}")
    if any(arm["decided"] for arm in said["arms"].values()):
        for name, arm in said["arms"].items():
            shares = [f"{what.lower()} {many / arm['decided']:.2%}" for what, many in arm["outcomes"].items()]
            print(f"{name:<10} decided {arm['decided']:>12,}   {', '.join(shares)}")


def _of_step(said: dict[str, Any]) -> str:
    if not said["steps"]:
        return ""
    steps = ", ".join(str(each) for each in said["steps"])
    held_ms = said["hold_ms"][said["step"] - 1]
    unit, name = (MS_PER_MINUTE, "min") if held_ms >= MS_PER_MINUTE else (MS_PER_S, "s")
    held = f"{held_ms / unit:g} {name}"
    return f", {said['percent']} % of the cards, step {said['step']} of {steps}, {held} at least"


def _by_gate(said: dict[str, Any]) -> str:
    return f", by its gate {said['gate']} {said['gate_of'] or ''}".rstrip() if said["gate"] else ""
