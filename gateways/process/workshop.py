"""Rules made ready by a process beside a door, which goes on answering meanwhile."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from engine.rules.orders import Finished, RuleOrder

WAIT_S = 120.0


class RulesFault(Exception):  # noqa: N818 - a fault of those who wrote the rules
    """Files that make no set of rules.

    field : the rule at fault, or "files"
    """

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


class NotReadyError(Exception):
    """Error of a compiler that did not end, or not well: the same files may be sent again."""


class Workshop:
    """Starts the process for one order after the other.

    folder : of sets of rules in the data folder; program : the module of the application's workshop
    """

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        self._program = program
        self._turn = asyncio.Lock()

    async def source_of(self, files: Mapping[str, str]) -> bytes:
        """Return the hash of files once they are stored, ready; raise RulesFault, NotReadyError."""
        async with self._turn:
            raw = await self._finished(msgspec.json.encode(RuleOrder(files)))
        return _source_in(raw)

    async def _finished(self, order: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *_command(self._program, self.folder),
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
                raise NotReadyError(f"the rules were not compiled within {WAIT_S:.0f} s") from error
            raise
        if process.returncode != 0:
            raise _ended(process.returncode)
        return raw


def made_ready(files: Mapping[str, str], folder: Path, program: str) -> bytes:
    """Return the hash of files once they are stored, ready, and wait for it; as Workshop.source_of."""
    order = msgspec.json.encode(RuleOrder(files))
    done = subprocess.run(_command(program, folder), input=order, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise _ended(done.returncode)
    return _source_in(done.stdout)


def _command(program: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", program, str(folder)]


def _ended(code: int | None) -> NotReadyError:
    return NotReadyError(f"the compiler of the rules ended with {code}; the log says why")


def _source_in(raw: bytes) -> bytes:
    finished = msgspec.json.decode(raw, type=Finished)
    if finished.fault:
        raise RulesFault(finished.field, finished.fault)
    return bytes.fromhex(finished.source)
