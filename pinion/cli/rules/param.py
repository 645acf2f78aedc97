"""`pinion rules param RULE NAME VALUE`: a param of a rule as it is for one account or in one instrument."""

import argparse

from engine.contract.errors import UsageError
from pinion.cli.rules.asking import add_asking, told

OWN = "own"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("rule", metavar="RULE", help="name of the rule")
    parser.add_argument("name", metavar="NAME", help="of its param")
    parser.add_argument("value", metavar="VALUE", help=f"a whole number; {OWN}: what the rule says itself")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--account", type=int, metavar="N", help="for this account")
    whose.add_argument("--symbol", metavar="SYMBOL", help="in this instrument, where the account has none")
    add_asking(parser, has_why=False)


def run(args: argparse.Namespace) -> int:
    """Ask the door."""
    try:
        value = None if args.value == OWN else int(args.value)
    except ValueError:
        raise UsageError(f"VALUE {args.value!r}: give a whole number, or {OWN}") from None
    whose = {"symbol": args.symbol} if args.account is None else {"account": args.account}
    return told(args, {"act": "param", "rule": args.rule, "param": args.name, "value": value, **whose})
