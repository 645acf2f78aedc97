"""`pinion payments status`: what runs on a data folder of payments, and how full its tables are."""

import argparse

from pinion.cli.instance import status
from pinion.cli.payments.place import DEFAULT_DATA


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    status.add_arguments(parser, DEFAULT_DATA)


def run(args: argparse.Namespace) -> int:
    """Print the status."""
    return status.run(args)
