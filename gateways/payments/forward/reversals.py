"""Reversals that are owed: each is sent to the processor until that confirms it, which the engine is told.

What is owed stands in the live state, so a door that has just begun finds what earlier ones left. A reversal
that is not confirmed is sent again after a pause, which doubles.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from engine.payments.records import COMMAND, COMMAND_VERSION, NOT_GIVEN, Op
from gateways.payments.forward.journaling import OwnCommands
from gateways.payments.forward.processor import Processor, gathered
from ringbuf.seqlock import TornReadError

LOOK_S = 0.1
"""Between two looks at what is owed."""
LOOKED_AT_MAX = 1024
PAUSE_S, PAUSE_S_MAX = 0.2, 30.0
ANSWER_S = 10.0
JOURNAL_S = 5.0
Owed = Callable[[int], tuple[int, ...]]


class _Again(NamedTuple):
    """When a reversal that was not confirmed is sent again, and how long that pause is."""

    at: float
    pause_s: float


class Reversals:
    """Sends what is owed.

    owed : returns payments whose reversal is owed, so many at most, for certain; TornReadError
    id_of : returns the id of a payment by its seq
    now : the event loop's time
    """

    def __init__(
        self,
        owed: Owed,
        processor: Processor,
        commands: OwnCommands,
        id_of: Callable[[int], str],
        now: Callable[[], float],
    ) -> None:
        self._owed = owed
        self._processor = processor
        self._commands = commands
        self._id_of = id_of
        self._now = now
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._again: dict[int, _Again] = {}

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                self._send_due()
                await asyncio.sleep(LOOK_S)
        finally:
            await gathered(set(self._under_way.values()))

    def _send_due(self) -> None:
        """Begin to send what is owed and not under way, as much as may be at a time."""
        try:
            owed = self._owed(LOOKED_AT_MAX)
        except TornReadError:  # it is looked for again in a moment
            return
        self._again = {payment: self._again[payment] for payment in owed if payment in self._again}
        for payment in owed:
            if len(self._under_way) >= self._processor.room:
                return
            if payment not in self._under_way and self._is_due(payment):
                task = asyncio.create_task(self._reverse(payment), name="reversal")
                self._under_way[payment] = task
                task.add_done_callback(partial(self._ended, payment))

    def _ended(self, payment: int, task: "asyncio.Task[None]") -> None:
        del self._under_way[payment]
        if not task.cancelled():
            task.result()  # a fault of ours is not passed over in silence

    def _is_due(self, payment: int) -> bool:
        again = self._again.get(payment)
        return again is None or self._now() >= again.at

    async def _reverse(self, payment: int) -> None:
        if await self._processor.reverse(self._id_of(payment), ANSWER_S):
            await self._commands.send(confirmed_command(payment), JOURNAL_S)
            return
        again = self._again.get(payment)
        pause_s = PAUSE_S if again is None else min(2 * again.pause_s, PAUSE_S_MAX)
        self._again[payment] = _Again(self._now() + pause_s, pause_s)


def confirmed_command(payment: int) -> bytes:
    """Return CONFIRMED of a payment."""
    command = np.zeros(1, COMMAND)
    command["op"], command["version"], command["received_at"] = Op.CONFIRMED, COMMAND_VERSION, NOT_GIVEN
    command["payment"] = payment
    return command.tobytes()
