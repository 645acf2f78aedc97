"""`pinion rules rollback`: the set judges again that did before, or none if none did."""

import argparse

from pinion.cli.rules.asking import add_asking, told


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_asking(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the door."""
    return told(args, {"act": "rollback"})
