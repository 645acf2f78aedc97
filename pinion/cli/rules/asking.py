"""What the acts of `pinion rules` have in common: the doors that they ask, and what these say, as text."""

import argparse
from typing import Any

import msgspec

from engine.contract.errors import UsageError
from pinion.cli.arguments import DEFAULT_DATA
from pinion.cli.command import DONE
from pinion.cli.door_client import DoorClient, add_door_arguments, door_of

ADMIN, RULES = "/v1/admin", "/v1/rules"
COMPILE_WAIT_S = 180.0
"""Longer than the door waits for its compiler."""


def add_asking(parser: argparse.ArgumentParser, *, has_why: bool = True) -> None:
    """Declare the options that say which door, and why."""
    if has_why:
        parser.add_argument("--why", metavar="TEXT", help="a word on why, for the journal (40 bytes)")
    add_door_arguments(parser, DEFAULT_DATA)
    parser.add_argument("--json", action="store_true", help="the door's document instead of text")


def order_door(args: argparse.Namespace) -> DoorClient:
    """Return the door that takes orders and administration."""
    return door_of(args, "orders", "the order door")


def api_door(args: argparse.Namespace) -> DoorClient:
    """Return the door that answers questions."""
    return door_of(args, "api", "the api")


def told(args: argparse.Namespace, fields: dict[str, Any]) -> int:
    """Send a line about rules, and print what became of it."""
    why = {} if getattr(args, "why", None) is None else {"why": args.why}
    said = order_door(args).ask("POST", ADMIN, {"op": "rules", **fields, **why}, timeout_s=COMPILE_WAIT_S)
    if args.json:
        print(msgspec.json.encode(said).decode())
        return DONE
    for event in said["events"]:
        source = event["source"] or "no rules"
        which = f"set {event['set']}  {source}" if event["set"] else source
        before = f", before set {event['before']}" if event["before"] else ""
        print(f"{event['act'].replace('_', ' ')}: {which}{before} (seq {event['seq']})")
    if not said["events"]:
        print(f"done (seq {said['seq']})")
    return DONE


def source_named(args: argparse.Namespace, given: str) -> str:
    """Return the hash of a set that is given by its id or by the beginning of its hash."""
    sets = api_door(args).ask("GET", RULES)["sets"]
    found = [each for each in sets if given == str(each["set"]) or each["source"].startswith(given.lower())]
    if len(found) != 1:
        known = ", ".join(f"{each['set']} ({each['source'][:8]})" for each in sets) or "none"
        raise UsageError(f"{given!r}: names {len(found)} sets; give the id or the hash of one of: {known}")
    return str(found[0]["source"])
