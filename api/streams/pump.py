"""The pump of the api: one task follows the engine, drains the event ring, copies watched books, beats.

The engine never waits for its readers. The pace:
    nobody listens                      IDLE_S between looks, QUIET_S where nothing happens, unless a query
                                        waits: under 1% of a CPU
    somebody listens                    until the engine calls (ringbuf/bells.py), or LISTENING_S
    events flow                         as long as the work of the pass took, so following a
                                        flood takes half a CPU at most and lags, or is lapped,
                                        instead of taking time from the engine (design decision D5)
"""

import asyncio
import logging
import time
from collections.abc import Callable

from api.process.documents import Document
from api.streams.feeds import BookFeed, TickerFeed
from api.streams.hub import Hub
from api.streams.risk import RiskSampler
from engine.contract.port import EventReader
from engine.trading.view.records import BookView
from ringbuf.bells import Bell
from ringbuf.seqlock import TornReadError

log = logging.getLogger(__name__)

IDLE_S, QUIET_S = 0.1, 0.5
LISTENING_S = 0.004
BUSY_S = 0.001
DRAIN_EVENTS = 1024
DRAINS_PER_PASS = 16
BEAT_S = 0.1
STATUS_S = 1.0


class Sampler:
    """The sampler of watched books: it copies one whose version moved, and shows the copy once durable."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._versions: dict[int, int] = {}
        self._held: dict[int, tuple[int, BookView]] = {}  # depth and copy, not durable yet

    def sample(self) -> int:
        """Publish what changed; return how many books did."""
        depths: dict[int, int] = dict.fromkeys(self._hub.tickers, 1)
        for instrument_idx, depth in self._hub.books:
            depths[instrument_idx] = max(depth, depths.get(instrument_idx, 0))
        for stale in self._versions.keys() - depths.keys():
            del self._versions[stale]
            self._held.pop(stale, None)
        return sum(self._sample_book(instrument_idx, depth) for instrument_idx, depth in depths.items())

    def _sample_book(self, instrument_idx: int, depth: int) -> bool:
        view = self._hub.source.view
        held_depth, book = self._held.pop(instrument_idx, (0, None))
        if book is None or held_depth < depth:
            version = view.book_version(instrument_idx)
            if book is None and version == self._versions.get(instrument_idx):
                return False
            try:
                book = view.book_at(instrument_idx, depth)
            except TornReadError:
                return False  # the book is being hammered: the next pass tries again
            self._versions[instrument_idx] = 2 * book.seq
        if book.seq > self._hub.source.durable_seq():
            self._held[instrument_idx] = (depth, book)  # shown when it is durable, before any newer copy
            return False
        self._publish(instrument_idx, book)
        return True

    def _publish(self, instrument_idx: int, book: BookView) -> None:
        ticker: TickerFeed | None = self._hub.tickers.get(instrument_idx)
        if ticker is not None:
            ticker.publish(book)
        for (idx, depth), feed in self._hub.books.items():
            if idx == instrument_idx:
                feed.publish(_shallower(book, feed, depth))


def _shallower(book: BookView, feed: BookFeed, depth: int) -> BookView:
    """Return the best `depth` levels; the feed's own copy when it has a newer one already."""
    if book.seq < feed.current.seq:
        return feed.current
    return book.best(depth)


class StreamPump:
    """Moves events and books from the engine to the hub, forever."""

    def __init__(
        self,
        hub: Hub,
        reader: EventReader,
        status: Callable[[], Document],
        look: Callable[[], object] = lambda: None,
    ) -> None:
        """Make it; look : called at each beat, several times a second."""
        self._hub = hub
        self._reader = reader
        self._sampler = Sampler(hub)
        self._risk_sampler = RiskSampler(hub.risk, hub.source)
        self._status = status
        self._look = look
        self._laps = reader.laps
        self._bell = reader.bell
        self._called = asyncio.Event()
        self._is_behind = False
        self._beat_due = 0.0
        self._status_due = 0.0

    async def run(self) -> None:
        """Follow the engine until cancelled."""
        if self._bell is not None:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._bell.descriptor, self._on_call, self._bell)
        while True:
            started = time.monotonic()
            busy = self.turn(started)
            worked_s = time.monotonic() - started
            if self._hub.is_idle() and not self._hub.status.readers and not self._is_behind:
                await self._rest(IDLE_S if busy else QUIET_S)
            elif busy:
                await asyncio.sleep(max(BUSY_S, worked_s))
            elif self._bell is None:
                await self._rest(LISTENING_S)
            else:
                await self._until_called(self._bell)

    async def _until_called(self, bell: Bell) -> None:
        """Sleep until there are events that may be seen, or until the next beat."""
        bell.fall_asleep()
        if not self._reader.has_visible():
            await self._rest(BEAT_S)
        bell.wake_up()

    async def _rest(self, duration_s: float) -> None:
        """Sleep so long, or until somebody cannot wait."""
        timer = asyncio.get_running_loop().call_later(duration_s, self._called.set)
        await self._called.wait()
        timer.cancel()
        self._called.clear()

    def hurry(self) -> None:
        """Take the next pass now: somebody waits for what is there."""
        self._called.set()

    def _on_call(self, bell: Bell) -> None:
        bell.hear()
        self.hurry()

    def turn(self, now: float) -> bool:
        """Do one bounded pass; tell whether there was anything to do."""
        busy = self.drain()
        busy = bool(self._sampler.sample()) or busy
        busy = self._risk_sampler.sample(now) or busy
        if now >= self._beat_due:
            self._beat_due = now + BEAT_S
            self._reader.beat()
            self._look()
        if now >= self._status_due and self._hub.status.readers:
            self._status_due = now + STATUS_S
            self._hub.status.publish(self._status())
        return busy

    def drain(self) -> bool:
        """Take what the event ring has, DRAINS_PER_PASS times at most; tell whether it had anything."""
        self._is_behind = False
        for taken in range(DRAINS_PER_PASS):
            if not self._reader.has_news():
                return taken > 0
            events = self._reader.drain(DRAIN_EVENTS)
            self._hub.take_events(events)
            if self._reader.laps != self._laps:
                self._laps = self._reader.laps
                log.warning("overtaken by the event ring: %d events missed so far", self._reader.lost)
                self._hub.mark_gap(self._hub.source.view.seq)
            elif not len(events):
                return taken > 0  # what there is, is not durable yet
        self._is_behind = True
        return True
