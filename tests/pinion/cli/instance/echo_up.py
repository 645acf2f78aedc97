"""The echo application's own `pinion up`: python -m tests.pinion.cli.instance.echo_up --data DIR."""

import sys

from pinion.cli.command import begin, exit_code
from pinion.cli.instance import start
from pinion.cli.parser import Parser
from tests.engine.runtime.echo import NAME
from tests.engine.runtime.echo_tools import BOTH


def main() -> int:
    """Read the arguments, run; return the exit code."""
    begin()
    parser = Parser(prog="echo up")
    start.add_arguments(parser, BOTH[NAME]().starting.doors)
    args = parser.parse_args()
    args.applications = BOTH
    return exit_code("echo up", lambda: start.run(args, NAME))


if __name__ == "__main__":
    sys.exit(main())
