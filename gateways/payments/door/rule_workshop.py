"""User rules made ready by a process beside the door, which goes on answering meanwhile."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.rules.orders import Finished, RuleOrder
from gateways.payments.door.reads import NotNowError
from gateways.payments.rule_forms import RuleBodyFault
from gateways.payments.rule_names import UserNames

PROGRAM = "engine.payments.rules.workshop"
WAIT_S = 120.0


class UserRules(NamedTuple):
    """What a door has to do with user rules: who makes them ready, and their names in a set."""

    workshop: "RuleWorkshop"
    names: UserNames


class RuleWorkshop:
    """Starts the process for one order after the other; folder : of sets of rules in the data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._turn = asyncio.Lock()

    async def source_of(self, files: Mapping[str, str]) -> bytes:
        """Return the hash of files once they are stored, ready; raise RuleBodyFault, NotNowError."""
        async with self._turn:
            raw = await self._finished(msgspec.json.encode(RuleOrder(files)))
        finished = msgspec.json.decode(raw, type=Finished)
        if finished.fault:
            raise RuleBodyFault(finished.field, finished.fault)
        return bytes.fromhex(finished.source)

    async def _finished(self, order: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", PROGRAM, str(self.folder)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            raw, _ = await asyncio.wait_for(process.communicate(order), WAIT_S)
        except BaseException as error:
            if process.returncode is None:
                process.kill()
                await process.wait()
            if isinstance(error, TimeoutError):
                raise NotNowError(f"the rules were not compiled within {WAIT_S:.0f} s") from error
            raise
        if process.returncode != 0:
            raise NotNowError(f"the compiler of the rules ended with {process.returncode}; the log says why")
        return raw
