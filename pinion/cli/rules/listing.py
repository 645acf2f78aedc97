"""`pinion rules list`: every set of a running instance, which governs, what each of its rules refused."""

import argparse
from typing import Any

import msgspec

from pinion.cli.command import DONE
from pinion.cli.rules.asking import RULES, add_asking, api_door


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_asking(parser, has_why=False)


def run(args: argparse.Namespace) -> int:
    """Ask the api."""
    said = api_door(args).ask("GET", RULES)
    if args.json:
        print(msgspec.json.encode(said).decode())
        return DONE
    if not said["sets"]:
        print("no set is registered: pinion rules register FILE")
    for each in said["sets"]:
        _tell(each)
    return DONE


def _tell(each: dict[str, Any]) -> None:
    by = f"  by {each['who']}" if each["who"] else ""
    print(f"set {each['set']:<4} {each['state']:<11} {each['source']}{by}")
    if each["why"]:
        print(f"  {each['why']}")
    for rule in each["rules"]:
        counts = f"refused {rule['refused']:,}, faults {rule['faults']:,}"
        print(f"  {rule['rule']:<24} {rule['reason']:<24} {counts}")
