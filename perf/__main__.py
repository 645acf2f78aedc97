"""`python -m perf`: run the benchmark tiers, write their results, show, count and compare them."""

import argparse
import shlex
import sys
from collections.abc import Collection
from pathlib import Path

from perf import bench_step, compare, count, doors, report
from perf.bench_step import BenchError
from perf.compared import TIERS as SIZED_TIERS
from perf.flow.mixes import EVERY_MIX
from perf.machine import describe
from perf.result import Line
from perf.single_step import TraceError
from perf.tiers import TIERS, TierError, chosen_tiers, run_tier
from pinion.cli.arguments import whole_argument
from pinion.cli.command import FAILED, WRONG_USAGE, begin, exit_code

LATEST = Path("var/bench.json")
KNOWN: dict[str, Collection[str]] = {"count": EVERY_MIX, "compare": SIZED_TIERS, "doors": doors.WAITS}
"""Command -> the names that it takes."""


def arguments(argv: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m perf", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure tiers; without names, all of them")
    run.add_argument("tiers", nargs="*", metavar="TIER", help=", ".join(TIERS))
    run.add_argument("--quick", action="store_true", help="tiny sizes: that it works, not how fast")
    run.add_argument(
        "--runs",
        type=whole_argument(1, 1000, 5),
        default=1,
        metavar="N",
        help="repeat; JSON gets medians, pyperf all values",
    )
    run.add_argument(
        "--json", type=Path, metavar="FILE", help="write results as they come, and a pyperf suite beside them"
    )
    run.add_argument(
        "--commands", type=Path, metavar="FILE.npy", help="step: time this COMMAND array instead"
    )
    show = commands.add_parser("report", help="show a result file as a table, with the machine")
    show.add_argument("file", nargs="?", type=Path, default=LATEST)
    _add_count(commands.add_parser("count", help="count instructions a command, exactly"))
    _add_compare(
        commands.add_parser("compare", help="time this checkout and another one in alternating pairs")
    )
    _add_doors(commands.add_parser("doors", help="the order door under each policy of waiting, in turn"))
    parsed = parser.parse_args(argv)
    if parsed.command == "run" and parsed.commands is not None and parsed.tiers != ["step"]:
        parser.error(
            "--commands FILE.npy goes with the tier step alone: python -m perf run step --commands FILE.npy"
        )
    if parsed.command in KNOWN:
        _refuse_unknown(parser, parsed)
    return parsed


def _add_count(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="MIX", help=f"{', '.join(EVERY_MIX)}; default: the first four"
    )
    parser.add_argument("--base", type=Path, metavar="PATH", help="count this checkout too; show the ratios")
    parser.add_argument(
        "--commands",
        dest="count",
        type=whole_argument(1, 100_000, 512),
        default=count.COMMANDS,
        metavar="N",
        help="of each mix (default %(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="TIER", help=f"{', '.join(SIZED_TIERS)}; default: all")
    parser.add_argument("--base", type=Path, metavar="PATH", required=True, help="the other checkout")
    parser.add_argument(
        "--pairs", type=whole_argument(1, 1000, 10), default=10, metavar="N", help="default %(default)s"
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        metavar="X",
        help="times the usual sizes, with which ten pairs of all tiers take about ten minutes",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the comparison after each pair")


def _add_doors(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="WAIT", help=f"{', '.join(doors.WAITS)}; default: all")
    parser.add_argument("--base", type=Path, metavar="PATH", help="another checkout, as it starts by itself")
    parser.add_argument(
        "--pairs", type=whole_argument(1, 1000, 10), default=10, metavar="N", help="default %(default)s"
    )
    parser.add_argument("--seconds", type=float, default=2.0, metavar="S", help="of a case")
    parser.add_argument("--neighbour", action="store_true", help="beside a process that hogs a core")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures after each round")


def _refuse_unknown(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> None:
    """Refuse a checkout that is none, and names that are not known."""
    if parsed.base is not None and not (parsed.base / "perf").is_dir():
        parser.error(f"--base {parsed.base}: has no folder perf; give the root of another checkout")
    known = KNOWN[parsed.command]
    for name in parsed.names:
        if name not in known:
            parser.error(f"{parsed.command} {name!r}: is not known; give {', '.join(known)}")


def run(options: argparse.Namespace, argv: list[str]) -> int:
    """Measure and print, writing what was measured when it was; return the exit code.

    A tier that fails takes nothing from the others: it is named at the end, and not tried again.
    """
    tiers = chosen_tiers(options.tiers)
    machine = describe() | {"command": shlex.join(["python", "-m", "perf", *argv])}
    print(report.machine_text(machine), flush=True)
    runs: list[list[Line]] = []
    failures: dict[str, str] = {}
    for _ in range(options.runs):
        runs.append([])
        for tier in tiers:
            if tier in failures:
                continue
            try:
                runs[-1] += _measured(tier, options)
            # Whatever it is, the other tiers are measured.
            except Exception as error:
                failures[tier] = f"{type(error).__name__}: {error}"
                print(f"perf: {tier} failed: {failures[tier]}", file=sys.stderr, flush=True)
                continue
            machine["load_after"] = describe()["load"]
            if options.json is not None:
                report.write(options.json, runs, machine)
    if any(runs):
        print(f"\n{report.table(report.median_lines(runs))}")
        print(f"load average before {machine['load']}, after {machine['load_after']}")
    for tier, failure in failures.items():
        print(f"perf: {tier} was not measured: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _measured(tier: str, options: argparse.Namespace) -> list[Line]:
    if options.commands is not None:
        return bench_step.run_file(options.commands, options.quick)
    return run_tier(tier, options.quick)


def _done(options: argparse.Namespace, argv: list[str]) -> int:
    """Carry out the command; return its exit code."""
    if options.command == "run":
        return run(options, argv)
    if options.command == "count":
        base = None if options.base is None else options.base.resolve()
        return count.run(base, options.names, options.count, options.json)
    if options.command == "doors":
        base = None if options.base is None else options.base.resolve()
        shown = options.names, options.pairs, options.seconds, options.neighbour, options.json
        return doors.run(base, *shown)
    if options.command == "compare":
        return compare.run(options.base.resolve(), options.names, options.pairs, options.scale, options.json)
    lines, machine = report.read(options.file)
    print(f"{report.machine_text(machine)}\n\n{report.table(lines)}" if machine else report.table(lines))
    return 0


def main(argv: list[str]) -> int:
    """Run the command; return the exit code: 0 done, 1 failed, 2 wrong usage."""
    options = arguments(argv)
    try:
        return _done(options, argv)
    except TierError as error:
        print(f"perf: {error}", file=sys.stderr)
        return WRONG_USAGE
    except (BenchError, TraceError, ValueError) as error:
        print(f"perf: {error}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    begin()
    sys.exit(exit_code("perf", lambda: main(sys.argv[1:])))
