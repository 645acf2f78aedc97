"""The newest events in bounded memory: what `/v1/trades` pages through and a stream resumes from.

    ----------------------------------------------> event_idx
          gone | first ... kept, at most `capacity` ... | end

The oldest are overwritten; whoever asks for something older learns it (`reaches`), and
that holds as well after the event ring overtook us and events were never seen.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.trading.records import EVENT, EventKind


class EventHistory:
    """A ring of EVENT records in order, newest kept."""

    def __init__(self, capacity: int) -> None:
        assert capacity & (capacity - 1) == 0
        self._events = np.empty(capacity, EVENT)
        self._capacity = capacity
        self._end = 0
        self.complete_after_seq = 0
        """Every event with a higher seq is here."""

    def __len__(self) -> int:
        return min(self._end, self._capacity)

    def append(self, events: Any) -> None:
        """Keep EVENT[n]; the oldest go when there is no room."""
        if len(events) == 0:
            return
        if len(events) > self._capacity:
            self._lose(int(events["seq"][-self._capacity - 1]))
            events = events[-self._capacity :]
        overwritten = self._end + len(events) - self._capacity
        if overwritten > 0:
            self._lose(int(self._events["seq"][(overwritten - 1) % self._capacity]))
        at = self._end % self._capacity
        first = min(len(events), self._capacity - at)
        self._events[at : at + first] = events[:first]
        self._events[: len(events) - first] = events[first:]
        self._end += len(events)

    def mark_gap(self, seq: int) -> None:
        """Note that events up to `seq` were missed: nothing before that is complete any more."""
        self._lose(seq)

    def _lose(self, seq: int) -> None:
        self.complete_after_seq = max(self.complete_after_seq, seq)

    def reaches(self, after_seq: int) -> bool:
        """Tell whether every event with seq > after_seq since we started is still here."""
        return after_seq >= self.complete_after_seq

    def after(self, seq: int) -> Any:
        """Return the kept events with a higher seq, oldest first."""
        return np.concatenate(
            [part[np.searchsorted(part["seq"], seq, side="right") :] for part in self._parts()]
        )

    def page(self, instrument_idx: int, before_event_idx: int, limit: int) -> Any:
        """Return up to `limit` events of an instrument older than `before_event_idx`, newest first."""
        return self._page(lambda part: part["instrument"] == instrument_idx, before_event_idx, limit)

    def page_of_account(self, account: int, before_event_idx: int, limit: int) -> Any:
        """Return up to `limit` events with the account on either side, newest first."""
        return self._page(
            lambda part: (part["account"] == account) | (part["maker_account"] == account),
            before_event_idx,
            limit,
        )

    def last_of_order(self, order_id: int) -> Any | None:
        """Return the newest kept report of an order, None where none is kept."""
        for part in reversed(self._parts()):
            is_own = (part["order_id"] == order_id) | (part["maker_order_id"] == order_id)
            # A refused repeat names the original beside an instrument of its own.
            places = np.flatnonzero(is_own & (part["kind"] != EventKind.REJECTED))
            if len(places):
                return part[places[-1]]
        return None

    def _page(self, is_wanted: Callable[[Any], Any], before_event_idx: int, limit: int) -> Any:
        found = []
        for part in reversed(self._parts()):
            places = np.flatnonzero(is_wanted(part) & (part["event_idx"] < before_event_idx))
            places = places[::-1][:limit]
            found.append(part[places])
            limit -= len(places)
        return np.concatenate(found)

    def _parts(self) -> tuple[Any, Any]:
        """Return the kept events as two views, the older ones first."""
        if self._end <= self._capacity:
            return self._events[:0], self._events[: self._end]
        at = self._end % self._capacity
        return self._events[at:], self._events[:at]
