"""`python -m perf`: run the benchmark tiers, write their results, show them."""

import argparse
import shlex
import sys
from pathlib import Path

from engine.cli.arguments import whole_argument
from perf import bench_step, report
from perf.bench_step import BenchError
from perf.machine import describe
from perf.result import Line
from perf.tiers import TIERS, TierError, chosen_tiers, run_tier

WRONG_USAGE = 2
LATEST = Path("var/bench.json")


def arguments(argv: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m perf", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure tiers; without names, all that are built")
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
        "--json", type=Path, metavar="FILE", help="write the results, and a pyperf suite beside it"
    )
    run.add_argument(
        "--commands", type=Path, metavar="FILE.npy", help="step: time this COMMAND array instead"
    )
    show = commands.add_parser("report", help="show a result file as a table, with the machine")
    show.add_argument("file", nargs="?", type=Path, default=LATEST)
    parsed = parser.parse_args(argv)
    if parsed.command == "run" and parsed.commands is not None and parsed.tiers != ["step"]:
        parser.error(
            "--commands FILE.npy goes with the tier step alone: python -m perf run step --commands FILE.npy"
        )
    if parsed.command == "run" and parsed.runs < 1:
        parser.error(f"--runs {parsed.runs}: must be 1 or more")
    return parsed


def run(options: argparse.Namespace, argv: list[str]) -> int:
    """Measure and print; return the exit code."""
    tiers = chosen_tiers(options.tiers)
    machine = describe() | {"command": shlex.join(["python", "-m", "perf", *argv])}
    print(report.machine_text(machine), flush=True)
    runs: list[list[Line]] = []
    for _ in range(options.runs):
        lines: list[Line] = []
        for tier in tiers:
            if options.commands is not None:
                lines += bench_step.run_file(options.commands, options.quick)
            else:
                lines += run_tier(tier, options.quick)
        runs.append(lines)
    machine["load_after"] = describe()["load"]
    print(f"\n{report.table(report.median_lines(runs))}")
    print(f"load average before {machine['load']}, after {machine['load_after']}")
    if options.json is not None:
        report.write(options.json, runs, machine)
    return 0


def main(argv: list[str]) -> int:
    """Run the command; return the exit code of R1: 0 done, 1 failed, 2 wrong usage."""
    options = arguments(argv)
    try:
        if options.command == "run":
            return run(options, argv)
        lines, machine = report.read(options.file)
        print(f"{report.machine_text(machine)}\n\n{report.table(lines)}" if machine else report.table(lines))
        return 0
    except TierError as error:
        print(f"perf: {error}", file=sys.stderr)
        return WRONG_USAGE
    except (BenchError, OSError, ValueError) as error:
        print(f"perf: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
