"""`pinion payments rules`: rules that people write in Python.

check    check, compile, try and measure files of rules
"""

import argparse

from pinion.cli.command import DONE
from pinion.cli.parser import Parser, Subcommands, module_of

ACTIONS: Subcommands = {
    "check": ("payments.user_rules.check", "check, compile, try and measure files of rules"),
}


def add_arguments(parser: Parser) -> None:
    """Declare what `pinion payments rules` can do."""
    parser.set_defaults(explain=parser.print_help)
    parser.add_subcommands(ACTIONS, "rules_action", "ACTION")


def run(args: argparse.Namespace) -> int:
    """Run the action that was asked for; return the exit code."""
    if args.rules_action is None:
        args.explain()
        return DONE
    return int(module_of(ACTIONS[args.rules_action][0]).run(args))
