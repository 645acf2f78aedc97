"""The pump of a door: it moves everything between sockets and rings, and knows when to wait.

A turn publishes what is staged, hands out the events that have come, and decides what ends the wait
for the next one: a staged command, the time of the chores, a deadline of somebody who waits, and

    with a bell      a call, while somebody waits for events: the engine writes to a descriptor that
                     the event loop polls beside its sockets (ringbuf/bells.py)
    without one      each time round the event loop while answers are awaited: an engine that is awake
                     answers within microseconds. After ROUNDS_MAX rounds in vain a nap of NAP_S gives
                     the CPU to whoever has the answer. After SPIN_S without news it is time alone: a
                     millisecond while somebody waits, a few with sessions open, IDLE_S with nobody there.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from ringbuf.bells import Bell

ROUNDS_MAX = 3
NAP_S = 0.00003
"""About a tenth of a millisecond with the kernel's timer slack: the event loop's own timers
are no finer than a millisecond, so this one nap blocks it."""
SPIN_S = 0.002
WAITING_S = 0.001
LISTENING_S = 0.002
IDLE_S = 0.04
CHORE_S = 0.1
IDLE_CHORE_S = 0.4
COLLECTS_MAX = 8
"""Drains in a row before the sockets get their turn."""


class EventSource(Protocol):
    """The part of `engine.contract.port.Port` that a pump uses."""

    @property
    def bell(self) -> Bell | None: ...
    def has_visible(self) -> bool: ...
    def skip(self) -> None: ...


class Pumped(Protocol):
    """The part of a dispatcher (dispatch.py) that a pump uses."""

    now: float
    next_deadline: float

    @property
    def waiting_count(self) -> int: ...
    @property
    def has_staged(self) -> bool: ...
    @property
    def has_listeners(self) -> bool: ...
    def flush(self) -> None: ...
    def collect(self) -> int: ...
    def expire(self) -> None: ...
    def abandon(self, cause: str) -> None: ...


class Pump:
    """The pump: it flushes staged commands, collects events and runs the chores of the door."""

    def __init__(
        self,
        dispatcher: Pumped,
        source: EventSource,
        deliver: Callable[[], None],
        chore: Callable[[float], None],
    ) -> None:
        self._dispatcher = dispatcher
        self._source = source
        self._bell = source.bell
        self._deliver = deliver
        self._chore = chore
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._is_due = False
        self._rounds = 0
        self._busy_until = self._chore_at = self._timer_at = 0.0
        self._stop_at: float | None = None

    def wake(self) -> None:
        """Take a turn soon: there is something to publish."""
        if not self._is_awaited:
            self._source.skip()
        self._stay_busy(self._loop.time())
        self._take_turn_soon()

    def stop(self, grace_s: float) -> None:
        """Let `run` return once everything is answered, after `grace_s` at the latest."""
        self._stop_at = self._loop.time() + grace_s
        self._take_turn_soon()

    async def run(self) -> None:
        """Serve until `stop`; an error in here ends the door."""
        if self._bell is not None:
            self._loop.add_reader(self._bell.descriptor, self._on_call)
        self._take_turn_soon()
        try:
            await self._ended
        finally:
            if self._bell is not None:
                self._loop.remove_reader(self._bell.descriptor)
                self._bell.wake_up()
            if self._timer is not None:
                self._timer.cancel()
        self._dispatcher.abandon("the door stops")
        self._deliver()

    def _on_call(self) -> None:
        assert self._bell is not None
        self._bell.hear()
        self._turn()

    def _take_turn_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._is_due = False
        if self._ended.done():
            return
        try:
            if self._bell is not None:
                self._bell.wake_up()
            now = self._loop.time()
            self._work(now)
            if self._has_ended(now):
                self._ended.set_result(None)
            else:
                self._await_next(now)
        except Exception as fault:  # whatever it is, `run` raises it
            self._ended.set_exception(fault)

    def _work(self, now: float) -> None:
        self._dispatcher.now = now
        self._dispatcher.flush()
        if self._collect():
            self._stay_busy(now)
        if now >= self._dispatcher.next_deadline:
            self._dispatcher.expire()
        self._deliver()
        if now >= self._chore_at:
            self._chore_at = now + (CHORE_S if self._is_awaited else IDLE_CHORE_S)
            self._chore(now)

    def _collect(self) -> int:
        count = 0
        for _ in range(COLLECTS_MAX):
            if not self._source.has_visible():
                break
            count += self._dispatcher.collect()
        return count

    @property
    def _is_awaited(self) -> bool:
        """Whether somebody waits for events."""
        return self._dispatcher.waiting_count > 0 or self._dispatcher.has_listeners

    def _stay_busy(self, now: float) -> None:
        self._busy_until = now + SPIN_S
        self._rounds = 0

    def _has_ended(self, now: float) -> bool:
        if self._stop_at is None:
            return False
        return now >= self._stop_at or not (self._dispatcher.waiting_count or self._dispatcher.has_staged)

    def _await_next(self, now: float) -> None:
        """Arrange for the next turn."""
        if self._bell is None:
            self._look_again(now)
            return
        if not self._is_awaited:
            self._set_timer(self._chore_at)
            return
        self._bell.fall_asleep()
        if self._source.has_visible():
            self._bell.wake_up()
            self._take_turn_soon()
        self._set_timer(min(self._chore_at, now + CHORE_S, self._dispatcher.next_deadline))

    def _look_again(self, now: float) -> None:
        """Look for answers each time round, or when a while has passed."""
        self._rounds += 1
        is_waiting = self._dispatcher.waiting_count > 0
        if is_waiting and now < self._busy_until:
            if self._rounds > ROUNDS_MAX:
                time.sleep(NAP_S)
            self._take_turn_soon()
            return
        pause_s = LISTENING_S if self._dispatcher.has_listeners else IDLE_S
        self._set_timer(now + (WAITING_S if is_waiting else pause_s))

    def _set_timer(self, at: float) -> None:
        """Take a turn at that time at the latest."""
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._turn()
