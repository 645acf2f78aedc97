"""A trial as text, and the options that all commands about trials have."""

import argparse
import tomllib
from pathlib import Path
from typing import Any

from engine.contract.errors import UsageError
from pinion.cli.arguments import whole_argument
from pinion.cli.text_files import text_of

MILLION = 10**6
COMPARED = {
    "rates": "the rates",
    "amounts": "the approved amounts",
    "faults": "how often there is no room, no store or no processor",
}
"""What of both sides is compared, as options and bodies name it."""
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
        "--min-seen", type=whole_argument(1, 10**9, 36_000), metavar="N",
        help="decisions before anything is judged, of each side before a step (default 36000)",
    )  # fmt: skip
    parser.add_argument(
        "--max-p99-ms", type=whole_argument(1, 60_000, 20), metavar="MS",
        help="roll back where the p99 of the candidate's answers is beyond so many ms (default: off)",
    )  # fmt: skip
    for name, what in COMPARED.items():
        parser.add_argument(f"--no-{name}", action="store_true", help=f"do not compare {what} of both sides")
    parser.add_argument(
        "--gates", type=Path, metavar="FILE",
        help="all of these out of a TOML file: max_disagree_ppm, min_seen, max_p99_ms, compare_rates, "
        "compare_amounts, compare_faults; an option of its own goes before",
    )  # fmt: skip


def gates_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the gates as a body has them: those of the file, and before these the options given."""
    gates: dict[str, Any] = {} if args.gates is None else _gates_in(args.gates)
    given = {name: getattr(args, name) for name in ("max_disagree_ppm", "min_seen", "max_p99_ms")}
    gates |= {name: value for name, value in given.items() if value is not None}
    gates |= {f"compare_{name}": False for name in COMPARED if getattr(args, f"no_{name}")}
    return gates


def _gates_in(file: Path) -> dict[str, Any]:
    """Return what a file says; what it means is judged by the door."""
    try:
        return tomllib.loads(text_of(file))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"--gates {file}: {error}; give a TOML file such as `min_seen = 36000`") from None


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
            print(f"{name:<10} decided {arm['decided']:>12,}   {', '.join(shares)}{_beside(arm)}")


def _beside(arm: dict[str, Any]) -> str:
    """Return what is compared of an arm beside its outcomes: its approved amounts and its faults."""
    approved = arm["approved_ppm"]
    amounts = "" if approved is None else f"; {approved / MILLION:.2%} of what was asked"
    return f"{amounts}, {arm['faults']:,} faults" if arm["faults"] else amounts


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
