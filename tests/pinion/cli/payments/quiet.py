"""The command line with a door of payments that answers nobody: python -m tests.pinion.cli.payments.quiet."""

import sys
from dataclasses import replace
from types import MappingProxyType

from engine.payments.name import PAYMENTS
from pinion.cli.applications import APPLICATIONS, Applications, ApplicationTools
from pinion.cli.command import begin
from pinion.cli.main import main

DOOR = "tests.pinion.cli.payments.quiet_door"


def tools() -> ApplicationTools:
    """Return the row of payments, with that door alone."""
    own = APPLICATIONS[PAYMENTS]()
    (door,) = (each for each in own.starting.doors if each.name == PAYMENTS)
    return replace(own, starting=replace(own.starting, doors=(replace(door, module=DOOR),)))


QUIET: Applications = MappingProxyType({**APPLICATIONS, PAYMENTS: tools})

if __name__ == "__main__":
    begin()
    sys.exit(main(["payments", *sys.argv[1:]], QUIET))
