"""User rules made ready by a process beside the door, which goes on answering meanwhile."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gateways.payments.door.reads import NotNowError
from gateways.payments.rule_forms import RuleBodyFault
from gateways.payments.rule_names import UserNames
from gateways.process.workshop import NotReadyError, RulesFault, Workshop

PROGRAM = "engine.payments.rules.workshop"


class UserRules(NamedTuple):
    """What a door has to do with user rules: who makes them ready, and their names in a set."""

    workshop: "RuleWorkshop"
    names: UserNames


class RuleWorkshop:
    """Has orders made ready; folder : of sets of rules in the data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._workshop = Workshop(folder, PROGRAM)

    async def source_of(self, files: Mapping[str, str]) -> bytes:
        """Return the hash of files once they are stored, ready; raise RuleBodyFault, NotNowError."""
        try:
            return await self._workshop.source_of(files)
        except RulesFault as fault:
            raise RuleBodyFault(fault.field, fault.detail) from fault
        except NotReadyError as error:
            raise NotNowError(str(error)) from error
