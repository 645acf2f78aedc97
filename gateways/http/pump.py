"""One task moves everything between the sockets and the rings, and knows when to wait.

While answers are awaited it looks again each time round the event loop: a worker that is
awake answers within microseconds. After ROUNDS_MAX rounds in vain it naps for NAP_S, which
gives the CPU to whoever has the answer, and lets requests gather for the next batch. After
SPIN_S without news it sleeps, the longer the quieter it is: a millisecond while somebody
waits, a few with sessions open, and IDLE_S with nobody there, so that an idle door costs
almost no CPU. A staged command ends the sleep.
"""

import asyncio
import time
from collections.abc import Callable

from gateways.http.desk import Desk

ROUNDS_MAX = 3
NAP_S = 0.00003
"""About a tenth of a millisecond with the kernel's timer slack: the event loop's own timers
are no finer than a millisecond, so this one nap blocks it."""
SPIN_S = 0.002
WAITING_S = 0.001
LISTENING_S = 0.002
IDLE_S = 0.04
CHORE_S = 0.1
COLLECTS_MAX = 8
"""Drains in a row before the sockets get their turn."""


class Pump:
    """Flushes staged commands, collects events, runs the chores of the door."""

    def __init__(
        self,
        desk: Desk,
        has_news: Callable[[], bool],
        deliver: Callable[[], None],
        chore: Callable[[float], None],
    ) -> None:
        self._desk = desk
        self._dispatcher = desk.dispatcher
        self._has_news = has_news
        self._deliver = deliver
        self._chore = chore
        self._sleeper: asyncio.Future[None] | None = None
        self._is_awake = False
        self._stop_at: float | None = None

    def wake(self) -> None:
        """End the sleep: there is something to publish."""
        self._is_awake = True
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    def stop(self, grace_s: float) -> None:
        """Let `run` return once everything is answered, after `grace_s` at the latest."""
        self._stop_at = asyncio.get_running_loop().time() + grace_s
        self.wake()

    async def run(self) -> None:
        """Serve until `stop`; an error in here ends the door."""
        loop = asyncio.get_running_loop()
        dispatcher = self._dispatcher
        busy_until = chore_at = 0.0
        rounds = 0
        while not self._has_ended(loop.time()):
            now = dispatcher.now = loop.time()
            if self._is_awake:
                self._is_awake = False
                busy_until = now + SPIN_S
                rounds = 0
            rounds += 1
            dispatcher.flush()
            if self._collect():
                busy_until = now + SPIN_S
                rounds = 0
            self._deliver()
            if now >= chore_at:
                chore_at = now + CHORE_S
                self._run_chores(now)
            if dispatcher.waiting_count and now < busy_until:
                if rounds > ROUNDS_MAX:
                    _nap()
                await asyncio.sleep(0)
            else:
                await self._sleep(loop)

        dispatcher.abandon("the door stops")
        self._deliver()

    def _has_ended(self, now: float) -> bool:
        if self._stop_at is None:
            return False
        return now >= self._stop_at or not (self._dispatcher.waiting_count or self._dispatcher.has_staged)

    def _collect(self) -> int:
        count = 0
        for _ in range(COLLECTS_MAX):
            if not self._has_news():
                break
            count += self._dispatcher.collect()
        return count

    def _run_chores(self, now: float) -> None:
        self._dispatcher.expire()
        self._desk.retry_session_downs()
        self._chore(now)

    async def _sleep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sleep until `wake`, or until it is time to look again."""
        if self._is_awake:
            await asyncio.sleep(0)
            return
        duration = IDLE_S
        if self._dispatcher.waiting_count:
            duration = WAITING_S
        elif self._dispatcher.listeners:
            duration = LISTENING_S
        self._sleeper = loop.create_future()
        timer = loop.call_later(duration, self._slept)
        await self._sleeper
        self._sleeper = None
        timer.cancel()

    def _slept(self) -> None:
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)


def _nap() -> None:
    """Give the CPU away for a moment."""
    time.sleep(NAP_S)
