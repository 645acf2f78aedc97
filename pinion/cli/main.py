"""The `pinion` command: one subcommand per file, imported only when it is used.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from pinion.cli.applications import APPLICATIONS, Applications
from pinion.cli.command import DONE, begin, exit_code
from pinion.cli.parser import Parser, Subcommands, module_of

COMMANDS: Subcommands = {
    "up": ("instance.up", "start an instance in the foreground: engine, order entry, queries"),
    "status": ("instance.status", "show the processes, rings and counters of a running instance"),
    "replay": ("replay.command", "run a file of commands or market data through the engine, offline"),
    "feed": ("instance.feed", "play a file into a running instance"),
    "journal": (
        "journal.command",
        "verify, dump, count, archive, restore or migrate the journal; quarantine a command",
    ),
    "digest": ("instance.digest", "compare the whole states of worker and shadow in a running instance"),
    "payments": ("payments.command", "validate payments: start an instance, look at it, load it"),
    "rules": ("rules.command", "check, register, activate or take back rules written in Python"),
    "whatif": ("replay.whatif", "decide a journal's commands again under other limits"),
}
DESCRIPTION = """\
Pinion is an order execution engine: orders in through HTTP, WebSocket or files, matched by
compiled Python, events out, at a few million commands a second.
"""
EXAMPLES = """\
a first look:
  pinion up                              start the demo exchange; prints `ready {...}`
  pinion status                          in a second terminal: what runs, how fast
  pinion replay orders.jsonl --events -  the same engine offline, one JSON event a line

`pinion COMMAND --help` tells more. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
"""


def main(arguments: Sequence[str] | None = None, applications: Applications = APPLICATIONS) -> int:
    """Run one subcommand and return its exit code; with the arguments of the process, be its whole life.

    applications : those whose data folders the tools open
    """
    if arguments is not None:
        return exit_code(_name_of(arguments), lambda: _run(arguments, applications))
    begin()
    given = sys.argv[1:]
    return exit_code(_name_of(given), lambda: _run(given, applications))


def _run(given: Sequence[str], applications: Applications) -> int:
    parser = Parser(
        prog="pinion",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pinion {version('pinion')}")
    parser.add_subcommands(COMMANDS, "command", "COMMAND")
    args = parser.parse_args(given)
    if args.command is None:
        parser.print_help()
        return DONE
    args.applications = applications
    return int(module_of(COMMANDS[args.command][0]).run(args))


def _name_of(given: Sequence[str]) -> str:
    """Return how an error begins: `pinion replay`, `pinion journal verify`, `pinion payments up`."""
    words = [each for each in given[:2] if not each.startswith("-")]
    return " ".join(["pinion", *words[: 2 if words[:1] in (["journal"], ["payments"], ["rules"]) else 1]])


if __name__ == "__main__":
    sys.exit(main())
