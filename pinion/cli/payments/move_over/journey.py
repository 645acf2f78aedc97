"""`pinion payments journey`: the whole way from an old service to Pinion, on this machine, step by step.

An old service is asked a traffic through the capture proxy; the capture is replayed and nothing may differ;
then Pinion itself is asked the same while another set of rules is tried: in shadow, for 5, 25 and 100 per
cent of the cards, until it governs; and a faulty one is rolled back by its gate. Everything that is made
stays in --out.

The old service is the plain one of the tests (tests/payments/legacy), so this needs a checkout of the
project; --service starts another one.
"""

import argparse
import shlex
import sys
import time
from pathlib import Path

from engine.contract.errors import UsageError
from pinion.cli.arguments import whole_argument
from pinion.cli.command import DONE
from pinion.journey.steps import Journey
from ringbuf.kernel_cache import ROOT

COUNT, COUNT_MIN, COUNT_MAX = 50_000, 2_000, 100_000
LEGACY = "tests.payments.legacy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--count", type=whole_argument(COUNT_MIN, COUNT_MAX, COUNT), default=COUNT, metavar="N",
        help="how many requests (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--seed",
        type=whole_argument(0, 2**63 - 1, 7),
        default=0,
        metavar="N",
        help="of the traffic (default 0)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("var/journey"),
        metavar="DIR",
        help="a new folder (%(default)s)",
    )
    parser.add_argument(
        "--service", metavar="CMD",
        help="starts the old service: {port}, {setup} and {rules} stand for its port and its files",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Walk; what goes wrong ends it."""
    if args.out.exists():
        raise UsageError(f"--out {args.out}: is there already; name a new folder, or remove it")
    service = shlex.split(args.service) if args.service else plain_service()
    began = time.monotonic()
    Journey(args.out, args.count, args.seed, service).walk()
    print(f"\ndone in {(time.monotonic() - began) / 60:.1f} minutes; everything is in {args.out}")
    return DONE


def plain_service() -> list[str]:
    """Return the command of the checkout's plain service, wherever this process runs."""
    if not ROOT.joinpath(*LEGACY.split(".")).is_dir():
        raise UsageError(
            f"the plain service of the tests is not in {ROOT}: install from a checkout of the project "
            f"(make setup), or name another service with --service CMD"
        )
    return [
        *("env", f"PYTHONPATH={ROOT}", sys.executable, "-m", LEGACY),
        *("--port", "{port}", "--setup", "{setup}", "--rules", "{rules}"),
    ]
