"""Set-up through the door: a file's lines go out in their order, a batch after the other is answered.

One file at a time: a merchant's or an account's parts and what completes them must not mix with those of
another file. What the ring did not take is sent again, in its order, for a while.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.payments.codes import BY_NUMBER, Code
from gateways.payments.door.dispatch import BUSY, Answered, Awaited, PaymentDispatcher
from gateways.payments.door.keys import KeyOwner
from gateways.payments.events import PaymentEvent
from gateways.payments.setup_lines import SetupLine

BATCH = 512
"""Commands sent together: a sixteenth of the default command ring."""
ANSWER_S = 10.0
RETRY_S = 0.01
RETRIES_MAX = 500
OK = int(Code["OK"])


class SetupSender:
    """Sends the lines of files.

    now : the event loop's time
    retry_s : after this what a full ring did not take is sent again
    """

    def __init__(
        self, dispatcher: PaymentDispatcher, now: Callable[[], float], retry_s: float = RETRY_S
    ) -> None:
        self._retry_s = retry_s
        self._dispatcher = dispatcher
        self._now = now
        self._turn = asyncio.Lock()

    async def send(self, lines: Sequence[SetupLine], owner: KeyOwner) -> dict[str, Any]:
        """Return what became of each line; behind one without an answer nothing more is sent."""
        records = np.concatenate([line.records for line in lines]) if lines else None
        answers: list[Answered] = []
        if records is not None:
            async with self._turn:
                while len(answers) < len(records):
                    batch = await self.sent(records[len(answers) : len(answers) + BATCH], owner)
                    answers += batch
                    if any(isinstance(each, int) for each in batch):
                        break
            answers += [BUSY] * (len(records) - len(answers))
        results, begin = [], 0
        for line in lines:
            end = begin + len(line.records)
            results.append(_result(line, answers[begin:end]))
            begin = end
        return {"lines": len(lines), "results": results}

    async def sent(self, records: Any, owner: KeyOwner) -> list[Answered]:
        """Send a batch; return its answers, BUSY for each that the ring would not take."""
        answers: list[Answered] = [BUSY] * len(records)
        sent = 0
        for _ in range(RETRIES_MAX):
            sent += await self._published(records[sent:].copy(), owner, answers, sent)
            if sent == len(records) or any(isinstance(each, int) for each in answers[:sent]):
                break
            await asyncio.sleep(self._retry_s)
        return answers

    async def _published(self, records: Any, owner: KeyOwner, answers: list[Answered], first: int) -> int:
        """Publish what the ring takes, wait for the answers, and enter them; return how many there are."""
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Answered]] = [loop.create_future() for _ in records]
        deadline = self._now() + ANSWER_S
        awaited = [Awaited(owner.session, _entered(future), deadline) for future in futures]
        count = self._dispatcher.publish(records, owner.roles, awaited)
        if count:
            answers[first : first + count] = await asyncio.gather(*futures[:count])
        return count


def _entered(future: "asyncio.Future[Answered]") -> Callable[[Answered], None]:
    def enter(answered: Answered) -> None:
        if not future.done():
            future.set_result(answered)

    return enter


def _result(line: SetupLine, answers: Sequence[Answered]) -> dict[str, Any]:
    """Return what became of a line: of its commands the first that was not carried out, else the last."""
    told = next((each for each in answers if _code_of(each) != OK), answers[-1])
    row = BY_NUMBER[_code_of(told)]
    seq = told.reply_seq if isinstance(told, PaymentEvent) else None
    replayed = isinstance(told, PaymentEvent) and bool(told.replayed)
    result = {"line": line.number, "op": line.op, "code": row.name, "iso": row.iso}
    return {**result, "replayed": replayed, "seq": seq}


def _code_of(answered: Answered) -> int:
    return answered if isinstance(answered, int) else answered.code
