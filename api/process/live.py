"""The running instance as this process reads it: live state, durable cursor, events.

Live state may be ahead of what is durable. An answer taken from it notes the seq of what it
shows and leaves only when the durable cursor has reached that seq, so nobody is shown what
can still be lost (design decision D14). Waiting is bounded; then the caller is told to ask again.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from api.process.problem import unavailable
from ringbuf.seqlock import TornReadError

DURABLE_WAIT_S = 0.5
READ_WAIT_S = 0.25
RETRY_PAUSE_S = 0.001
FOLLOW_WAIT_S = 0.25


class Counts(Protocol):
    """What the live view of any application tells."""

    @property
    def seq(self) -> int:
        """The last command applied, or being applied."""

    @property
    def eng_ts(self) -> int:
        """The engine's clock of that command, ns."""

    def capacity_use(self) -> dict[str, tuple[int, int]]:
        """Return (used, capacity) of every pool, by its name."""


Read = TypeVar("Read")
View = TypeVar("View")


class DurableSource(Generic[View]):
    """A source of consistent reads of the live state, gated by the durable cursor."""

    def __init__(
        self,
        view: View,
        durable_seq: Callable[[], int],
        epoch: int,
        has_news: Callable[[], bool] = lambda: False,
    ) -> None:
        self.view = view
        self.durable_seq = durable_seq
        self.epoch = epoch
        self._has_news = has_news
        self.hurry: Callable[[], None] = lambda: None
        """Called when somebody waits for events to be taken."""

    async def until_followed(self, followed_seq: Callable[[], int]) -> None:
        """Wait until the events that are durable by now were taken: who was answered finds its trade.

        Bounded: where following takes longer, the answer's complete_after_seq still holds.
        """
        wanted, give_up = self.durable_seq(), time.monotonic() + FOLLOW_WAIT_S
        self.hurry()
        while self._has_news() and followed_seq() < wanted:
            if time.monotonic() > give_up:
                return
            await asyncio.sleep(RETRY_PAUSE_S)

    async def read(self, copy: Callable[[], Read]) -> Read:
        """Return `copy()` of a moment when nobody wrote to it; an ApiProblem where there was none."""
        give_up = time.monotonic() + READ_WAIT_S
        while True:
            try:
                return copy()
            except TornReadError as torn:
                if time.monotonic() > give_up:
                    raise unavailable("busy", f"{torn}; ask again, or for fewer levels") from None
            await asyncio.sleep(RETRY_PAUSE_S)

    async def until_durable(self, seq: int) -> None:
        """Wait until everything up to `seq` is durable; an ApiProblem where it takes too long."""
        give_up = time.monotonic() + DURABLE_WAIT_S
        while self.durable_seq() < seq:
            if time.monotonic() > give_up:
                raise unavailable("not_durable", f"the state at seq {seq} is not durable yet; ask again")
            await asyncio.sleep(RETRY_PAUSE_S)
