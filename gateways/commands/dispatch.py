"""Dispatch: commands go out in batches, events come in, each answer goes to whoever waits for it.

    desk -> stage ... stage -> flush() ==> command ring
                                           engine
    the answer of whoever waits <- collect() <== event ring

A command waits under its `req_seq`, a number of this door that is never given twice.
What the ring did not take, or what comes while the engine recovers, is answered "busy" at
once. What was published is answered by its events, or "outcome unknown" when they do not come
in time or the reader was lapped: never "refused" (protocol rule 2). Nothing here
waits, reads a clock or knows a socket; the serving loop calls. A door adds how its commands are
laid out, what its events mean, and the words of its answers.
"""

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from engine.contract.port import Closed

EAGER_COUNT = 8
"""Commands that are published without waiting for more: the worker answers the first of a burst
while the door still reads the rest, and a submit costs little when eight share it."""
DRAIN_LIMIT = 1024
_WORD = struct.Struct("<q")


class Gate(Protocol):
    """The part of `engine.contract.port.Port` that a dispatcher uses."""

    @property
    def ring_idx(self) -> int: ...
    @property
    def laps(self) -> int: ...
    def submit(self, commands: Any) -> int: ...
    def drain(self, limit: int = ...) -> Any: ...
    def closed_because(self) -> Closed | None: ...


class Waiting(Protocol):
    """One command on its way: who asked, and until when they wait; 0.0: as long as the door says."""

    session: int
    deadline: float


Waiter = TypeVar("Waiter", bound=Waiting)


class CommandDispatcher(ABC, Generic[Waiter]):
    """The dispatcher of one door: it owns every command from staging to answer.

    command : the record of the application's commands
    timeout_s : after this an answer that has not come is not waited for any more, where nothing else is said
    on_staged : called when the first command is staged: somebody has to call `flush` soon, and to look for
        events
    next_deadline : before it nobody's deadline passes
    """

    def __init__(
        self, gate: Gate, command: "np.dtype[Any]", timeout_s: float, on_staged: Callable[[], None]
    ) -> None:
        assert command.fields is not None
        self._gate = gate
        self._timeout_s = timeout_s
        self._on_staged = on_staged
        self._ring_idx = gate.ring_idx
        self._records = np.zeros(EAGER_COUNT, command)
        self._buffer = self._records.view(np.uint8).data
        self._record_bytes = command.itemsize
        self._req_seq_offset = int(command.fields["req_seq"][1])
        self._staged: list[tuple[int, Waiter]] = []
        self._pending: dict[int, Waiter] = {}
        self._req_seq = 0
        self._laps = gate.laps
        self.now = 0.0
        self.next_deadline = inf

    @abstractmethod
    def _take(self, events: Any) -> None:
        """Give events to those who wait for them."""

    @abstractmethod
    def _refuse(self, waiter: Waiter, closed: Closed | None) -> None:
        """Answer a command that was not published: the engine is closed, or else the ring was full."""

    @abstractmethod
    def _give_up(self, waiter: Waiter, cause: str) -> None:
        """Answer a command whose outcome is unknown."""

    @property
    def waiting_count(self) -> int:
        """Commands that were published and not yet answered."""
        return len(self._pending)

    @property
    def has_staged(self) -> bool:
        """Whether commands wait for `flush`."""
        return bool(self._staged)

    @property
    def has_listeners(self) -> bool:
        """Whether somebody wants events that answer no command."""
        return False

    @property
    def _offset(self) -> int:
        """Where in the buffer the next command is laid out, before `_add`."""
        return len(self._staged) * self._record_bytes

    def _add(self, waiter: Waiter) -> None:
        """Put the command that was laid out into the next batch; its `req_seq` is given here."""
        staged = self._staged
        self._req_seq += 1
        offset = len(staged) * self._record_bytes
        _WORD.pack_into(self._buffer, offset + self._req_seq_offset, self._req_seq)
        if not staged:
            self._on_staged()
        staged.append((self._req_seq, waiter))
        if len(staged) == EAGER_COUNT:
            self.flush()

    def flush(self) -> None:
        """Publish what is staged; answer "busy" for what the ring has no room for."""
        staged = self._staged
        if not staged:
            return
        closed = self._gate.closed_because()
        if closed is not None:
            self._refuse_all(staged, closed)
            staged.clear()
            return
        deadline = self.now + self._timeout_s
        published = self._gate.submit(self._records[: len(staged)])
        refused = staged[published:]
        del staged[published:]
        for _, waiter in staged:
            if not waiter.deadline:
                waiter.deadline = deadline
            if waiter.deadline < self.next_deadline:
                self.next_deadline = waiter.deadline
        self._pending.update(staged)
        staged.clear()
        if refused:
            self._refuse_all(refused, None)

    def collect(self) -> int:
        """Hand out the events that have become visible; return how many were ours."""
        events = self._gate.drain(DRAIN_LIMIT)
        if self._gate.laps != self._laps:
            self._laps = self._gate.laps
            self._lapped()
        if len(events):
            self._take(events)
        return len(events)

    def expire(self) -> None:
        """Answer "outcome unknown" for what has waited too long; `now` is set by the caller."""
        late = [req_seq for req_seq, waiter in self._pending.items() if waiter.deadline <= self.now]
        for waiter in [self._pending.pop(req_seq) for req_seq in late]:
            self._give_up(waiter, f"no answer within {self._timeout_s:g} s")
        self.next_deadline = min((waiter.deadline for waiter in self._pending.values()), default=inf)

    def abandon(self, cause: str) -> None:
        """Answer "outcome unknown" for everything published: the door ends or has lost its place."""
        waiting = list(self._pending.values())
        self._pending.clear()
        for waiter in waiting:
            self._give_up(waiter, cause)

    def _refuse_all(self, staged: Sequence[tuple[int, Waiter]], closed: Closed | None) -> None:
        for _, waiter in staged:
            self._refuse(waiter, closed)

    def _lapped(self) -> None:
        self.abandon("the door fell behind the event ring and lost the answer")
