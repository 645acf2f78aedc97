"""The starting book of a capture: where to begin, at once or behind an opening auction (interface R4).

A capture that starts before an opening auction holds a crossed book until the auction's
trades are printed. Such a book cannot be entered into continuous trading. So the
venue's own records build it, up to one second after the first trade, and what is alive
then is entered in priority order. A capture without that begins with its first record.
"""

from gateways.files.market import Action, Event
from gateways.files.reproduction import Reproduction

SETTLING_NS = 1_000_000_000
LOOKAHEAD_EVENTS = 1 << 20
"""Events kept at most while it is not yet known which beginning it is."""


class StartingBook:
    """Holds back the events of one symbol until its beginning is known, then lets them through."""

    def __init__(self, reproduction: Reproduction) -> None:
        self._reproduction = reproduction
        self._held: list[Event] = []
        self._settled_ts: int | None = None  # auction seen: the book is entered behind this time
        self._is_open = False

    def play(self, event: Event) -> None:
        """Take the next event."""
        if self._is_open:
            self._reproduction.play(event)
        elif self._settled_ts is not None:
            if event[0].ts > self._settled_ts:
                self._enter(event[0].ts)
                self._reproduction.play(event)
            else:
                self._build(event)
        else:
            self._hold(event)

    def finish(self) -> None:
        """Finish at the end of the capture: enter or play what is still held back."""
        if self._settled_ts is not None and not self._is_open:
            self._enter(self._settled_ts)
        elif not self._is_open:
            self._play_held()

    def _hold(self, event: Event) -> None:
        self._held.append(event)
        trade = next((record for record in event if record.action == Action.TRADE), None)
        if trade is None and len(self._held) < LOOKAHEAD_EVENTS:
            return
        # Crossed before the first trade is the question, so the trade's own event is left out.
        for each in self._held[:-1]:
            for record in each:
                self._reproduction.venue.apply(record)
        is_auction = self._reproduction.venue.queues.is_crossed() or (trade is not None and not trade.side)
        if is_auction and trade is not None:
            self._settled_ts = trade.ts + SETTLING_NS
            self._held.clear()
            self._build(event)
        else:
            self._reproduction.venue.queues.clear()
            self._reproduction.venue.oddities.clear()
            self._play_held()

    def _build(self, event: Event) -> None:
        """Let the venue's own records build the book; its trades are not reproduced."""
        filled: dict[int, int] = {}
        for record in event:
            if record.action == Action.TRADE:
                self._reproduction.comparison.trades_in_file += 1
                self._reproduction.comparison.before_start += 1
            elif record.action == Action.FILL:
                filled[record.order_id] = filled.get(record.order_id, 0) + record.size
            else:
                self._reproduction.venue.apply(record, filled.get(record.order_id, 0))

    def _enter(self, ts: int) -> None:
        self._is_open = True
        self._reproduction.enter_book(ts)

    def _play_held(self) -> None:
        self._is_open = True
        for event in self._held:
            self._reproduction.play(event)
        self._held.clear()
