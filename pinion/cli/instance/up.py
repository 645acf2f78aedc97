"""`pinion up`: start an exchange in the foreground and say when it is ready."""

import argparse

from engine.trading.name import TRADING
from pinion.cli.instance import start
from pinion.cli.trading.starting import STARTING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    start.add_arguments(parser, STARTING.doors)


def run(args: argparse.Namespace) -> int:
    """Run until a signal to stop."""
    return start.run(args, TRADING)
