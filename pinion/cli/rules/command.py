"""`pinion rules`: rules of trading that people write in Python, at a desk and in a running instance.

check     check, compile, try and measure files of rules
register  give files to a running instance as a set of rules
activate  let a registered set judge every order from then on, or none
rollback  let the set judge again that did before
param     set a param of a rule for an account or in an instrument
list      show every set, which governs, what each rule refused
"""

import argparse

from pinion.cli.command import DONE
from pinion.cli.parser import Parser, Subcommands, module_of

ACTIONS: Subcommands = {
    "check": ("rules.check", "check, compile, try and measure files of rules"),
    "register": ("rules.register", "give files to a running instance as a set of rules"),
    "activate": ("rules.activate", "let a registered set judge every order from then on, or none"),
    "rollback": ("rules.rollback", "let the set judge again that did before"),
    "param": ("rules.param", "set a param of a rule for an account or in an instrument"),
    "list": ("rules.listing", "show every set, which governs, what each rule refused"),
}


def add_arguments(parser: Parser) -> None:
    """Declare what `pinion rules` can do."""
    parser.set_defaults(explain=parser.print_help)
    parser.add_subcommands(ACTIONS, "rules_action", "ACTION")


def run(args: argparse.Namespace) -> int:
    """Run the action that was asked for; return the exit code."""
    if args.rules_action is None:
        args.explain()
        return DONE
    return int(module_of(ACTIONS[args.rules_action][0]).run(args))
