"""`pinion payments rulesets`: the sets of rules of a running instance.

    list                                   every set that is kept, and which governs
    register card_1m=5 score_review=off    a set that differs from the governing one in these parameters
    register --file night.py               one with these user rules (docs/writing-rules.md)
    shadow ID                              let it decide beside the governing set, without effect
    activate ID                            let it govern from the next payment on

`pinion payments canary` lets one govern little by little. Each act is journaled with the name of the key and
with --why.
"""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from engine.contract.errors import UsageError
from pinion.cli.command import DONE
from pinion.cli.parser import Parser
from pinion.cli.payments.door_client import add_door_arguments, door_of
from pinion.cli.payments.trials.trial_text import add_gates, add_why, gates_of, tell_trial
from pinion.cli.text_files import texts_by_name

PATH = "/v1/payments/rulesets"
COMPILE_WAIT_S = 180.0
"""Longer than the door waits for its compiler."""


def add_arguments(parser: Parser) -> None:
    """Declare the acts and their options."""
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    listed = acts.add_parser("list", help="every set that is kept, and which governs")
    register = acts.add_parser("register", help="register a set")
    register.add_argument(
        "parameters",
        nargs="*",
        metavar="NAME=VALUE",
        help="what differs from the governing set",
    )
    register.add_argument(
        "--order", metavar="RULES", help="names of rules, commas between them (default: as they stand)"
    )
    files = register.add_mutually_exclusive_group()
    files.add_argument(
        "--file",
        action="append",
        type=Path,
        dest="files",
        metavar="FILE",
        help="user rules in Python, several times for several files (default: those of the governing set)",
    )
    files.add_argument("--no-files", action="store_true", help="no user rules")
    shadow = acts.add_parser("shadow", help="let a set decide without effect")
    add_gates(shadow)
    activate = acts.add_parser("activate", help="let a set govern from the next payment on")
    for each in (shadow, activate):
        each.add_argument("ruleset", type=int, metavar="ID", help="of the set")
    for each in (register, shadow, activate):
        add_why(each)
    for each in (listed, register, shadow, activate):
        add_door_arguments(each)
        each.add_argument("--json", action="store_true", help="the door's document instead of text")


def run(args: argparse.Namespace) -> int:
    """Ask the door, and print what it says."""
    door = door_of(args)
    if args.act == "list":
        said = door.ask("GET", PATH)
        rows = said["rulesets"]
    elif args.act == "register":
        body: dict[str, Any] = {"parameters": parameters_of(args.parameters), "why": args.why}
        if args.order is not None:
            body["order"] = args.order.split(",")
        if args.no_files or args.files is not None:
            body["files"] = texts_by_name(args.files or [])
        said = door.ask("POST", PATH, body, timeout_s=COMPILE_WAIT_S)
        rows = [said]
    elif args.act == "shadow":
        said = door.ask("POST", f"{PATH}/{args.ruleset}/shadow", {"why": args.why, "gates": gates_of(args)})
        rows = []
    else:
        said = door.ask("POST", f"{PATH}/{args.ruleset}/activate", {"why": args.why})
        rows = [said]
    if args.json:
        print(msgspec.json.encode(said).decode())
    elif args.act == "shadow":
        tell_trial(said)
    else:
        for row in rows:
            _tell(row)
    return DONE


def parameters_of(given: list[str]) -> dict[str, int | str]:
    """Return parameters as a body has them, of NAME=VALUE."""
    found: dict[str, int | str] = {}
    for each in given:
        name, is_said, value = each.partition("=")
        if not is_said or not name or not value:
            raise UsageError(f"{each!r}: give NAME=VALUE, such as card_1m=5 or email_cards_24h=off")
        found[name] = int(value) if value.lstrip("-").isdigit() else value
    return found


def _tell(row: dict[str, Any]) -> None:
    print(f"set {row['ruleset']:<4} {row['state']:<11} {row['hash']}  by {row['who'] or 'the configuration'}")
    print("  " + ", ".join(f"{name} {value}" for name, value in row["parameters"].items()))
    if row["user_rules"]:
        print("  user rules " + ", ".join(row["user_rules"]))
    if row["why"]:
        print(f"  {row['why']}")
