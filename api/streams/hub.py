"""The hub of all streams: subscriptions in, the right news into every reader's outbox.

Sans-I/O: the pump hands in drained events and fresh book copies, sessions hand in
requests, outboxes carry the result out. Every table here is bounded by the number of
readers times SUBSCRIPTIONS_MAX and empties when its last reader leaves.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import numpy as np

from api.documents import public_trades, report
from api.live import LiveSource
from api.process.documents import Document
from api.streams.feeds import BookFeed, BookReader, TickerFeed, TickerReader
from api.streams.outbox import Outbox
from api.streams.recent import EventHistory
from api.streams.requests import RefusedRequest
from api.streams.risk import RiskHub
from api.streams.status_feed import StatusFeed
from api.streams.tallies import Tallies
from engine.trading.records import EventFlag, EventKind

HISTORY_EVENTS = 2**15
EVERY_ACCOUNT = 0
"""Stands for all accounts in a private subscription; no account has this id."""

PRIVATE_KINDS = tuple(
    int(kind)
    for kind in (
        EventKind.ACCEPTED,
        EventKind.REJECTED,
        EventKind.TRADE,
        EventKind.CANCELLED,
        EventKind.REPLACED,
        EventKind.TRIGGERED,
        EventKind.PREVENTED,
    )
)
TWO_SIDED_KINDS = (int(EventKind.TRADE), int(EventKind.PREVENTED))


class PrivateTopic(NamedTuple):
    """A private subscription: fills or orders, of one account or of every account."""

    channel: str
    account: int


class _Listeners(NamedTuple):
    head: bytes
    outboxes: dict[Outbox, None]


class Hub:
    """All subscriptions of one process."""

    def __init__(self, source: LiveSource) -> None:
        self.source = source
        self.trades = EventHistory(HISTORY_EVENTS)
        self.reports = EventHistory(HISTORY_EVENTS)
        self.books: dict[tuple[int, int], BookFeed] = {}
        self.tickers: dict[int, TickerFeed] = {}
        self.status = StatusFeed()
        self.risk = RiskHub(source)
        self.tallies = Tallies()
        self._trade_listeners: dict[int, _Listeners] = {}
        self._private_listeners: dict[PrivateTopic, _Listeners] = {}
        self.complete_seq = source.view.seq
        """Every event of every command up to this seq has been taken."""
        self.trades.mark_gap(self.complete_seq)
        self.reports.mark_gap(self.complete_seq)
        self.risk.mark_gap(self.complete_seq)

    # -- subscriptions

    async def subscribe_book(self, outbox: Outbox, instrument_idx: int, depth: int) -> None:
        """Send a snapshot now and every change after it."""
        if (instrument_idx, depth) not in self.books:
            book = await self.source.book(instrument_idx, depth)
            self.books.setdefault((instrument_idx, depth), BookFeed(book, depth, self.source.epoch))
        feed = self.books[instrument_idx, depth]
        reader = feed.readers[outbox] = BookReader(feed, outbox)
        outbox.mark(reader)

    async def subscribe_ticker(self, outbox: Outbox, instrument_idx: int) -> None:
        """Send the ticker now and whenever it changes."""
        if instrument_idx not in self.tickers:
            self.tickers.setdefault(instrument_idx, TickerFeed(await self.source.book(instrument_idx, 1)))
        feed = self.tickers[instrument_idx]
        reader = feed.readers[outbox] = TickerReader(feed, outbox)
        outbox.mark(reader)

    def subscribe_trades(self, outbox: Outbox, instrument_idx: int, after_seq: int | None) -> None:
        """Send every trade from now on, and those since `after_seq`; refuse where they are gone."""
        missed = self._missed(self.trades, after_seq)
        if instrument_idx not in self._trade_listeners:
            symbol = self.source.view.catalogue.instruments[instrument_idx].symbol
            head = {"channel": "trades", "type": "trades", "symbol": symbol}
            self._trade_listeners[instrument_idx] = _Listeners(_open_head(head), {})
        self._trade_listeners[instrument_idx].outboxes[outbox] = None
        outbox.start_at(self.complete_seq if after_seq is None else after_seq)
        if missed is not None:
            self._send_trades(instrument_idx, missed[missed["instrument"] == instrument_idx], (outbox,))

    def subscribe_private(self, outbox: Outbox, topic: PrivateTopic, after_seq: int | None) -> None:
        """Send every report of an account from now on, and those since `after_seq`."""
        missed = self._missed(self.reports, after_seq)
        if topic not in self._private_listeners:
            account = topic.account or None
            head = {"channel": topic.channel, "type": topic.channel, "account": account}
            self._private_listeners[topic] = _Listeners(_open_head(head), {})
        self._private_listeners[topic].outboxes[outbox] = None
        outbox.start_at(self.complete_seq if after_seq is None else after_seq)
        if missed is not None:
            self._send_reports(topic, missed, (outbox,))

    def unsubscribe_book(self, outbox: Outbox, instrument_idx: int, depth: int) -> bool:
        """Stop a book; tell whether it was subscribed."""
        feed = self.books.get((instrument_idx, depth))
        reader = feed.readers.pop(outbox, None) if feed else None
        if feed is None or reader is None:
            return False
        outbox.unmark(reader)
        if not feed.readers:
            del self.books[instrument_idx, depth]
        return True

    def unsubscribe_ticker(self, outbox: Outbox, instrument_idx: int) -> bool:
        """Stop a ticker; tell whether it was subscribed."""
        feed = self.tickers.get(instrument_idx)
        reader = feed.readers.pop(outbox, None) if feed else None
        if feed is None or reader is None:
            return False
        outbox.unmark(reader)
        if not feed.readers:
            del self.tickers[instrument_idx]
        return True

    def unsubscribe_trades(self, outbox: Outbox, instrument_idx: int) -> bool:
        """Stop the trades of an instrument; tell whether they were subscribed."""
        return _leave(self._trade_listeners, instrument_idx, outbox)

    def unsubscribe_private(self, outbox: Outbox, topic: PrivateTopic) -> bool:
        """Stop a private channel; tell whether it was subscribed."""
        return _leave(self._private_listeners, topic, outbox)

    # -- news

    def take_events(self, events: Any) -> None:
        """Keep and distribute drained events: EVENT[n], oldest first."""
        if not len(events):
            return
        is_whole = bool(int(events["flags"][-1]) & EventFlag.LAST)
        self.complete_seq = int(events["seq"][-1]) - (0 if is_whole else 1)
        kinds = events["kind"]
        reports = events[np.isin(kinds, PRIVATE_KINDS)]
        trades = events[kinds == EventKind.TRADE]
        self.reports.append(reports)
        self.trades.append(trades)
        self.risk.take_events(events, self.complete_seq)
        self.tallies.take_events(events)
        if len(trades) and self._trade_listeners:
            for instrument_idx in np.unique(trades["instrument"]).tolist():
                listeners = self._trade_listeners.get(instrument_idx)
                if listeners:
                    of_instrument = trades[trades["instrument"] == instrument_idx]
                    self._send_trades(instrument_idx, of_instrument, list(listeners.outboxes))
        if len(reports) and self._private_listeners:
            for topic, listeners in self._private_listeners.items():
                self._send_reports(topic, reports, listeners.outboxes)

    def mark_gap(self, seq: int) -> None:
        """Note that events up to `seq` were overwritten unread: their listeners must resynchronise."""
        self.complete_seq = max(self.complete_seq, seq)
        self.trades.mark_gap(seq)
        self.reports.mark_gap(seq)
        self.risk.mark_gap(seq)
        for listeners in (*self._trade_listeners.values(), *self._private_listeners.values()):
            for outbox in listeners.outboxes:
                outbox.overrun()

    def is_idle(self) -> bool:
        """Tell whether nobody listens to anything."""
        is_watched = self.books or self.tickers or self.risk.feeds
        return not (is_watched or self._trade_listeners or self._private_listeners)

    # -- sending

    @staticmethod
    def _missed(history: EventHistory, after_seq: int | None) -> Any:
        if after_seq is None:
            return None
        if not history.reaches(after_seq):
            raise RefusedRequest(
                "resume_too_old",
                f"events after seq {after_seq} are no longer in memory: read the present state "
                f"(/v1/orders, /v1/accounts) and subscribe without after_seq",
                field="after_seq",
            )
        return history.after(after_seq)

    def _send_trades(self, instrument_idx: int, trades: Any, outboxes: Iterable[Outbox]) -> None:
        if not len(trades):
            return
        instrument = self.source.view.catalogue.instruments[instrument_idx]
        body = msgspec.json.encode(public_trades(instrument, trades))[1:-1]
        head = self._trade_listeners[instrument_idx].head
        for outbox in outboxes:
            outbox.keep(head, body, self.complete_seq)

    def _send_reports(self, topic: PrivateTopic, reports: Any, outboxes: Iterable[Outbox]) -> None:
        documents = self._reports_of(topic, reports)
        if not documents:
            return
        body = msgspec.json.encode(documents)[1:-1]
        head = self._private_listeners[topic].head
        for outbox in outboxes:
            outbox.keep(head, body, self.complete_seq)

    def _reports_of(self, topic: PrivateTopic, events: Any) -> list[Document]:
        """Return the reports of one topic."""
        if topic.channel == "fills":
            events = events[events["kind"] == EventKind.TRADE]
        is_two_sided = np.isin(events["kind"], TWO_SIDED_KINDS)
        if topic.account == EVERY_ACCOUNT:
            is_own = np.ones(len(events), bool)
            is_own_maker = is_two_sided
        else:
            is_own = events["account"] == topic.account
            is_own_maker = is_two_sided & (events["maker_account"] == topic.account)
        places = np.flatnonzero(is_own | is_own_maker)
        catalogue = self.source.view.catalogue
        documents: list[Document] = []
        for place, event in zip(places.tolist(), events[places].tolist(), strict=True):
            if is_own[place]:
                documents.append(report(catalogue, event))
            if is_own_maker[place]:
                documents.append(report(catalogue, event, is_maker=True))
        return documents


def _open_head(head: dict[str, Any]) -> bytes:
    return msgspec.json.encode(head)[:-1] + b',"data":['


def _leave(table: Any, topic: Any, outbox: Outbox) -> bool:
    listeners = table.get(topic)
    if listeners is None or outbox not in listeners.outboxes:
        return False
    del listeners.outboxes[outbox]
    if not listeners.outboxes:
        del table[topic]
    return True
