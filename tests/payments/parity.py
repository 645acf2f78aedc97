"""The long proof of replay and minimise: captures of the plain service, without a fault and with each.

    python -m tests.payments.parity --count 50000 [--fault NAME]... [--seed N]

Without a fault no pair may differ. With a fault some must, and the first of them is minimised: the table
says how many differ, how many requests are left, how often the old service was started, and how long
that took. The exit code is 0 only where all of that holds.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

import msgspec

from pinion.capture.records import read
from pinion.cli.main import main as pinion
from tests.payments.captures import written
from tests.payments.legacy.faults import FAULTS

SERVICE = f"{sys.executable} -m tests.payments.legacy --port {{port}}"
LEFT_MAX = 40
"""A few requests; what bucket_off_by_one or a daily sum needs is several payments."""


class Proved(NamedTuple):
    """What a fault came to."""

    fault: str
    different: int
    left: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.fault:28}{self.different:>8,}{self.left:>6}{self.seconds:>8.1f} s"


class Proof:
    """A capture of the plain service with these faults, in a folder, and what replays of it say."""

    def __init__(self, folder: Path, seed: int, count: int, *faults: str) -> None:
        self.faults = faults
        self.written = written(folder, seed, count, *faults)
        self._told = ("--setup", str(self.written.set_up), "--config", str(self.written.config))
        self.report = folder / "report"
        self.out = folder / "minimised"

    def replay(self) -> int:
        """Replay in process; return the exit code."""
        capture = str(self.written.capture)
        return asked("replay", capture, "--in-process", *self._told, "--report", str(self.report))

    def differing(self) -> list[int]:
        """Return the numbers of the records that differ, by the report."""
        return differing(self.report)

    def minimise(self, number: int) -> int:
        """Minimise the difference at a record; return how many requests are left."""
        faults = [f"--fault {fault}" for fault in self.faults]
        service = " ".join([SERVICE, f"--rules {self.written.rules}", *faults])
        code = asked(
            *("minimise", str(self.written.capture), "--diff", str(number), "--service", service),
            *(*self._told, "--out", str(self.out)),
        )
        assert code == 0, f"record {number}: {self.faults}"
        return sum(1 for _ in read(self.out))

    def shows_it_alone(self) -> bool:
        """Tell whether the minimised capture, without any set-up, ends with the one difference it has."""
        report = self.report.with_name("of-minimised")
        config = ("--config", str(self.written.config))
        code = asked("replay", str(self.out), "--in-process", *config, "--report", str(report))
        return code == 1 and differing(report)[-1] == sum(1 for _ in read(self.out))


def differing(report: Path) -> list[int]:
    """Return the numbers of the records that differ, by a report."""
    return [msgspec.json.decode(line)["n"] for line in (report / "diffs.jsonl").read_bytes().splitlines()]


def asked(*arguments: str) -> int:
    """Run a command of payments quietly; return its exit code."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = pinion(["payments", *arguments])
    if code == 2:
        raise ValueError(said.getvalue())
    return code


def proved(fault: str, seed: int, count: int) -> Proved:
    """Replay and minimise a capture with a fault."""
    with TemporaryDirectory() as folder:
        proof = Proof(Path(folder), seed, count, fault)
        code, found = proof.replay(), proof.differing()
        if code == 0 or not found:
            return Proved(fault, 0, 0, 0.0)
        began = perf_counter()
        left = proof.minimise(found[0])
        took = perf_counter() - began
        return Proved(fault, len(found), left if proof.shows_it_alone() else 0, took)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove, print and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.payments.parity", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=50_000, help="pairs of each capture")
    parser.add_argument("--fault", action="append", choices=sorted(FAULTS), help="left out: each in turn")
    args = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        without = Proof(Path(folder), args.seed, args.count)
        is_equal = without.replay() == 0 and not without.differing()
    print(f"without a fault: {'0' if is_equal else 'some'} of {args.count:,} differ", flush=True)
    print(f"{'fault':28}{'differ':>8}{'left':>6}{'took':>8}", flush=True)
    results = []
    for fault in args.fault or sorted(FAULTS):
        results.append(proved(fault, args.seed, args.count))
        print(results[-1], flush=True)
    return 0 if is_equal and all(0 < each.left <= LEFT_MAX for each in results) else 1


if __name__ == "__main__":
    sys.exit(main())
