"""Dispatch of orders: answers told from events, and reports of what others did to resting orders.

The batches, the waiting and its end are those of every door (gateways/commands/dispatch.py).
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from engine.contract.port import Closed
from engine.trading.records import COMMAND, EventKind
from engine.trading.rows import COMMAND_STRUCT
from gateways.commands.dispatch import CommandDispatcher, Gate
from gateways.entry.outcome import CANCELLED, LAST, LISTED_MAX, ORDER_OPS, Outcome, outcome
from gateways.entry.refusals import busy, not_now, outcome_unknown
from gateways.entry.reports import Reports
from gateways.json_lines.events import Accounts, EventWords, event_words
from gateways.json_lines.fields import Fields

REPLY_TIMEOUT_S = 5.0

TOLD_IN_REPLY = frozenset({int(EventKind.CANCELLED), int(EventKind.REPLACED)})


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


class Dispatcher(CommandDispatcher[Pending]):
    """The dispatcher of one door for orders.

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
        super().__init__(gate, COMMAND, REPLY_TIMEOUT_S, on_staged)
        self._reports = reports
        self._on_settled = on_settled
        self.listeners: dict[int, Listener] = {}

    @property
    def has_listeners(self) -> bool:
        """Whether sessions listen."""
        return bool(self.listeners)

    def stage(self, row: Sequence[int], pending: Pending) -> None:
        """Put a record into the next batch; its `req_seq` is given here."""
        COMMAND_STRUCT.pack_into(self._buffer, self._offset, *row)
        self._add(pending)

    def listen(self, number: int, listener: Listener) -> None:
        """Report to this session from now on; what was not looked at yet, for nobody waited, is not its."""
        self._on_staged()
        self.listeners[number] = listener

    def _take(self, events: Any) -> None:
        ring_idx = self._ring_idx
        for event in event_words(events):
            pending = self._answer(event) if event.ring == ring_idx else None
            if event.maker_ring == ring_idx:
                self._report(event, pending)

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

    def _refuse(self, pending: Pending, closed: Closed | None) -> None:
        self._settle(pending, busy() if closed is None else not_now(closed))

    def _give_up(self, pending: Pending, cause: str) -> None:
        self._settle(pending, outcome_unknown(cause))

    def _settle(self, pending: Pending, result: Outcome) -> None:
        if pending.in_flight_key is not None:
            self._on_settled(pending.in_flight_key)
        pending.answer(result)

    def _lapped(self) -> None:
        super()._lapped()
        for listener in list(self.listeners.values()):
            listener.lapped()
