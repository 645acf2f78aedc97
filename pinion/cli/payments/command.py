"""`pinion payments`: validate payments with an instance of Pinion.

up       start an instance in the foreground: engine, HTTP door
status   show the processes, rings, counters and capacities of a running instance
load     play requests into a running instance and measure its answers
replay   play what was captured of another service, and tell where Pinion answers otherwise
minimise find the fewest requests that still show a difference
traffic  make requests, and the set-up that they need, that reach every code
rulesets list sets of rules, register one, let it decide in shadow or govern
canary   let a set of rules decide for a part of the cards, and more of them step by step
whatif   decide a journal's payments again under other rules
capture  keep what another service is asked and what it answers, through a proxy, without card numbers
journey  walk the whole way from an old service to Pinion on this machine
rules    check rules that people write in Python
processor run a sample of a processor, for trying what forwarding does
"""

import argparse

from pinion.cli.command import DONE
from pinion.cli.parser import Parser, Subcommands, module_of

ACTIONS: Subcommands = {
    "up": ("payments.up", "start an instance in the foreground: engine, HTTP door"),
    "status": ("payments.status", "show the processes, rings, counters and capacities of a running instance"),
    "load": ("payments.load", "play requests into a running instance, open loop, and measure its answers"),
    "replay": (
        "payments.move_over.replay",
        "play what was captured of another service, and tell where Pinion answers otherwise",
    ),
    "minimise": ("payments.move_over.minimise", "find the fewest requests that still show a difference"),
    "traffic": ("payments.traffic", "make requests, and the set-up that they need, that reach every code"),
    "rulesets": (
        "payments.trials.rulesets",
        "list sets of rules, register one, let it decide in shadow or govern",
    ),
    "whatif": ("payments.trials.whatif", "decide a journal's payments again under other rules"),
    "canary": ("payments.trials.canary", "let a set of rules decide for a part of the cards, step by step"),
    "journey": (
        "payments.move_over.journey",
        "walk the whole way from an old service to Pinion on this machine",
    ),
    "capture": (
        "payments.move_over.capture",
        "keep what another service is asked and what it answers, through a proxy, without card numbers",
    ),
    "rules": ("payments.user_rules.command", "check rules that people write in Python"),
    "processor": (
        "payments.sample.processor",
        "run a sample of a processor on loopback, for trying what forwarding does",
    ),
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
