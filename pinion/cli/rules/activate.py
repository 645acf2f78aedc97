"""`pinion rules activate SET`: a registered set judges every order from the next command on; or none does."""

import argparse

from pinion.cli.rules.asking import add_asking, source_named, told

NONE = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("ruleset", metavar="SET", help=f"its id or its hash; {NONE}: no rules from then on")
    add_asking(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the doors."""
    source = None if args.ruleset == NONE else source_named(args, args.ruleset)
    return told(args, {"act": "activate", "source": source})
