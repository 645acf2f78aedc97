"""What the fleet process tells the engine: commands of its own ring, and when they are durable."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.payments.records import COMMAND, COMMAND_VERSION, Op, Role
from gateways.payments.door.dispatch import Answered, Awaited, PaymentDispatcher

ANSWER_S_MAX = 4.0


class EngineAwayError(Exception):
    """The engine has not answered: what became of the commands is not known."""


class Teller:
    """Sends commands; session : of this process, now : the event loop's time."""

    def __init__(self, dispatcher: PaymentDispatcher, session: int, now: Callable[[], float]) -> None:
        self._dispatcher = dispatcher
        self._session = session
        self._now = now

    async def tell(self, commands: Sequence[Any]) -> None:
        """Return once all of them are applied and durable; EngineAwayError."""
        answers = [self._staged(each) for each in commands]
        for answered in await asyncio.gather(*answers):
            if isinstance(answered, int):
                raise EngineAwayError

    def _staged(self, command: Any) -> "asyncio.Future[Answered]":
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()

        def told(answered: Answered) -> None:
            if not answer.done():
                answer.set_result(answered)

        awaited = Awaited(self._session, told, self._now() + ANSWER_S_MAX)
        self._dispatcher.stage(command.tobytes(), Role.ALL, awaited)
        return answer


def store_command(is_up: bool) -> Any:
    """Return the command that says whether the store answers."""
    command = np.zeros((), COMMAND)
    command["op"], command["version"], command["kind"] = Op.STORE, COMMAND_VERSION, is_up
    return command
