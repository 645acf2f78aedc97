"""`pinion payments`: validate payments with an instance of Pinion.

up       start an instance in the foreground: engine, HTTP door
status   show the processes, rings, counters and capacities of a running instance
load     play requests into a running instance and measure its answers
traffic  make requests, and the set-up that they need, that reach every code
rules    check rules that people write in Python
"""

import argparse

from pinion.cli.command import DONE
from pinion.cli.parser import Parser, Subcommands, module_of

ACTIONS: Subcommands = {
    "up": ("payments.up", "start an instance in the foreground: engine, HTTP door"),
    "status": ("payments.status", "show the processes, rings, counters and capacities of a running instance"),
    "load": ("payments.load", "play requests into a running instance, open loop, and measure its answers"),
    "traffic": ("payments.traffic", "make requests, and the set-up that they need, that reach every code"),
    "rules": ("payments.rules_command", "check rules that people write in Python"),
}


def add_arguments(parser: Parser) -> None:
    """Declare what `pinion payments` can do."""
    parser.set_defaults(explain=parser.print_help)
    parser.add_subcommands(ACTIONS, "action", "ACTION")


def run(args: argparse.Namespace) -> int:
    """Run the action that was asked for; return the exit code."""
    if args.action is None:
        args.explain()
        return DONE
    return int(module_of(ACTIONS[args.action][0]).run(args))
