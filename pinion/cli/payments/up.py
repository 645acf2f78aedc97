"""`pinion payments up`: start an instance of payments in the foreground and say when it is ready."""

import argparse
from pathlib import Path

from engine.payments.name import PAYMENTS
from gateways.payments.core_dumps import forbid_core_dumps
from pinion.cli.instance import start
from pinion.cli.payments.place import DEFAULT_DATA
from pinion.cli.payments.set_up import DEMO_SET_UP
from pinion.cli.payments.starting import STARTING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    start.add_arguments(parser, STARTING.doors, DEFAULT_DATA)
    parser.add_argument(
        "--setup",
        type=Path,
        metavar="FILE",
        help="merchants, accounts, lists and deposits as JSON lines, sent once per content; left out "
        "without --config: three merchants and ten accounts",
    )
    parser.add_argument(
        "--lean",
        action="store_true",
        help="engine and doors for payments alone: no queries, shadow, history; a start replays the whole "
        "journal",
    )


def run(args: argparse.Namespace) -> int:
    """Run until a signal to stop."""
    forbid_core_dumps()  # before the cards of a list are read, whose text every child inherits
    if args.config is None and args.setup is None:
        args.setup = DEMO_SET_UP
    return start.run(args, PAYMENTS)
