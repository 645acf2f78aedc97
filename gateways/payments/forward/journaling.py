"""Commands of the door's own: what the processor said goes into the journal, again until it is in there."""

import asyncio
from collections.abc import Callable

from engine.payments.records import Role
from gateways.payments.door.dispatch import Answered, Awaited, PaymentDispatcher

ANSWER_S = 1.0
RETRY_S = 0.05


class OwnCommands:
    """Sends commands that may be sent twice; session : the door's own, now : the event loop's time."""

    def __init__(self, dispatcher: PaymentDispatcher, session: int, now: Callable[[], float]) -> None:
        self._dispatcher = dispatcher
        self._session = session
        self._now = now

    async def send(self, record: bytes | bytearray, limit_s: float) -> Answered:
        """Send a command until its outcome is known, for a time; return its event, or why there is none."""
        give_up = self._now() + limit_s
        while True:
            answered = await self._answer(record)
            if not isinstance(answered, int) or self._now() >= give_up:
                return answered
            await asyncio.sleep(RETRY_S)

    async def _answer(self, record: bytes | bytearray) -> Answered:
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()

        def enter(answered: Answered) -> None:
            if not future.done():
                future.set_result(answered)

        self._dispatcher.stage(record, Role.ALL, Awaited(self._session, enter, self._now() + ANSWER_S))
        return await future
