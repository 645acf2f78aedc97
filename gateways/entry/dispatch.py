"""Dispatch: commands go out in batches, events come in, each answer goes to whoever waits for it.

    desk -> stage() ... stage() -> flush() ==> command ring
                                               engine
    Pending.answer, Listener.report <- collect() <== event ring

A command waits under its `req_seq`, a number of this door that is never given twice.
What the ring did not take, or what comes while the engine recovers, is answered "busy" at
once. What was published is answered by its events, or "outcome unknown" when they do not come
in time or the reader was lapped: never "refused" (protocol rule 2). Nothing here
waits, reads a clock or knows a socket; the serving loop calls.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np

from engine.contract.port import Closed
from engine.trading.records import COMMAND, EventKind
from engine.trading.rows import COMMAND_STRUCT
from gateways.entry.outcome import CANCELLED, LAST, LISTED_MAX, ORDER_OPS, Outcome, outcome
from gateways.entry.refusals import Refusal, busy, not_now, outcome_unknown
from gateways.entry.reports import Reports
from gateways.json_lines.events import Accounts, EventWords, event_words
from gateways.json_lines.fields import Fields

EAGER_COUNT = 8
"""Commands that are published without waiting for more: the worker answers the first of a burst
while the door still reads the rest, and a submit costs little when eight share it."""
DRAIN_LIMIT = 1024
REPLY_TIMEOUT_S = 5.0

TOLD_IN_REPLY = frozenset({int(EventKind.CANCELLED), int(EventKind.REPLACED)})
_WORD = struct.Struct("<q")
_RECORD_BYTES = COMMAND.itemsize
assert COMMAND.fields is not None
_REQ_SEQ_OFFSET = int(COMMAND.fields["req_seq"][1])


class Gate(Protocol):
    """The part of `engine.contract.port.Port` that a dispatcher uses."""

    @property
    def ring_idx(self) -> int: ...
    @property
    def laps(self) -> int: ...
    def submit(self, commands: Any) -> int: ...
    def drain(self, limit: int = ...) -> Any: ...
    def closed_because(self) -> Closed | None: ...


class Listener(Protocol):
    """A session that hears of its orders whatever happens to them."""

    def report(self, event: EventWords) -> None: ...
    def lapped(self) -> None: ...


class Pending(msgspec.Struct):
    """One command on its way: who asked, for what, and the events that came so far.

    fields : as asked for, where a client did: a rejection names the one at fault
    accounts : what the answer may tell of; left out, of nobody's
    """

    session: int
    answer: Callable[[Outcome], None]
    in_flight_key: tuple[int, int] | None = None
    fields: Fields | None = None
    accounts: Accounts = frozenset()
    events: list[EventWords] = []  # msgspec gives each its own
    dropped_count: int = 0
    deadline: float = 0.0

    def add(self, event: EventWords) -> None:
        """Keep an event; of a mass cancel only the first LISTED_MAX and the last."""
        if len(self.events) > LISTED_MAX and event.kind == CANCELLED and not event.flags & LAST:
            self.dropped_count += 1
        else:
            self.events.append(event)


class Dispatcher:
    """The dispatcher of one door: it owns every command from staging to answer.

    on_staged : called when the first command is staged, or a session comes: somebody has to call `flush`
        soon, and to look for events
    on_settled : called with the key of a command that has been answered, whatever the answer
    """

    def __init__(
        self,
        gate: Gate,
        reports: Reports,
        on_staged: Callable[[], None],
        on_settled: Callable[[Any], None],
    ) -> None:
        self._gate = gate
        self._reports = reports
        self._on_staged = on_staged
        self._on_settled = on_settled
        self._ring_idx = gate.ring_idx
        self._records = np.zeros(EAGER_COUNT, COMMAND)
        self._buffer = self._records.view(np.uint8).data
        self._staged: list[tuple[int, Pending]] = []
        self._pending: dict[int, Pending] = {}
        self._req_seq = 0
        self._laps = gate.laps
        self.now = 0.0
        self.listeners: dict[int, Listener] = {}

    @property
    def waiting_count(self) -> int:
        """Commands that were published and not yet answered."""
        return len(self._pending)

    @property
    def has_staged(self) -> bool:
        """Whether commands wait for `flush`."""
        return bool(self._staged)

    def stage(self, row: Sequence[int], pending: Pending) -> None:
        """Put a record into the next batch; its `req_seq` is given here."""
        staged = self._staged
        self._req_seq += 1
        offset = len(staged) * _RECORD_BYTES
        COMMAND_STRUCT.pack_into(self._buffer, offset, *row)
        _WORD.pack_into(self._buffer, offset + _REQ_SEQ_OFFSET, self._req_seq)
        if not staged:
            self._on_staged()
        staged.append((self._req_seq, pending))
        if len(staged) == EAGER_COUNT:
            self.flush()

    def listen(self, number: int, listener: Listener) -> None:
        """Report to this session from now on; what was not looked at yet, for nobody waited, is not its."""
        self._on_staged()
        self.listeners[number] = listener

    def flush(self) -> None:
        """Publish what is staged; answer "busy" for what the ring has no room for."""
        staged = self._staged
        if not staged:
            return
        closed = self._gate.closed_because()
        if closed is not None:
            self._refuse(staged, not_now(closed))
            staged.clear()
            return
        deadline = self.now + REPLY_TIMEOUT_S
        published = self._gate.submit(self._records[: len(staged)])
        refused = staged[published:]
        del staged[published:]
        for _, pending in staged:
            pending.deadline = deadline
        self._pending.update(staged)
        staged.clear()
        if refused:
            self._refuse(refused, busy())

    def collect(self) -> int:
        """Hand out the events that have become visible; return how many were ours."""
        events = self._gate.drain(DRAIN_LIMIT)
        if self._gate.laps != self._laps:
            self._laps = self._gate.laps
            self._lapped()
        if len(events) == 0:
            return 0
        ring_idx = self._ring_idx
        for event in event_words(events):
            pending = self._answer(event) if event.ring == ring_idx else None
            if event.maker_ring == ring_idx:
                self._report(event, pending)
        return len(events)

    def expire(self) -> None:
        """Answer "outcome unknown" for what has waited too long; `now` is set by the caller."""
        late = []
        for req_seq, pending in self._pending.items():  # oldest first
            if pending.deadline > self.now:
                break
            late.append(req_seq)
        for req_seq in late:
            self._settle(
                self._pending.pop(req_seq), outcome_unknown(f"no answer within {REPLY_TIMEOUT_S:g} s")
            )

    def abandon(self, cause: str) -> None:
        """Answer "outcome unknown" for everything published: the door ends or has lost its place."""
        waiting = list(self._pending.values())
        self._pending.clear()
        for pending in waiting:
            self._settle(pending, outcome_unknown(cause))

    def _answer(self, event: EventWords) -> Pending | None:
        """Give the event to its command and return that, None where it is not awaited any more."""
        pending = self._pending.get(event.req_seq)
        if pending is None or pending.session != event.session:
            return None
        pending.add(event)
        events = pending.events
        if event.flags & LAST:
            del self._pending[event.req_seq]
            told = outcome(events, pending.dropped_count, self._reports, pending.accounts, pending.fields)
            self._settle(pending, told)
        return pending

    def _report(self, event: EventWords, answered: Pending | None) -> None:
        """Tell the session that entered a resting order what became of it, unless its reply says so.

        answered : the command whose event it is, where this door awaited it
        """
        listener = self.listeners.get(event.maker_session)
        if listener is None:
            return
        if event.kind in TOLD_IN_REPLY and event.session == event.maker_session:
            told_order_id = (
                answered.events[0].order_id if answered is not None and event.op in ORDER_OPS else 0
            )
            if event.order_id == told_order_id:
                return
        listener.report(event)

    def _refuse(self, staged: Sequence[tuple[int, Pending]], why: Refusal) -> None:
        """Answer commands that were not published."""
        for _, pending in staged:
            self._settle(pending, why)

    def _settle(self, pending: Pending, result: Outcome) -> None:
        if pending.in_flight_key is not None:
            self._on_settled(pending.in_flight_key)
        pending.answer(result)

    def _lapped(self) -> None:
        self.abandon("the door fell behind the event ring and lost the answer")
        for listener in list(self.listeners.values()):
            listener.lapped()
