"""The door for payments of a running instance, as the command line asks it."""

import argparse

from pinion.cli import door_client
from pinion.cli.door_client import DoorClient as DoorClient
from pinion.cli.door_client import RefusedByDoorError as RefusedByDoorError
from pinion.cli.payments.place import DEFAULT_DATA

SECTION = "payments"


def add_door_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say which door, and by which key."""
    door_client.add_door_arguments(parser, DEFAULT_DATA)


def door_of(args: argparse.Namespace) -> DoorClient:
    """Return the door that the options name; UsageError, PortError where there is none."""
    return door_client.door_of(args, SECTION, "a door for payments")
