"""Public state as a stream: one feed per book and depth, one per ticker, shared by all readers.

A feed publishes copies of the live book. What a reader gets is the difference between the
copy it was sent last and the newest one, as absolute levels (exchange rule S25): a fast reader sees
every copy, a slow one fewer and larger steps, and both hold the same book afterwards.

    md_seq of the copies     4        7        8        11
    fast reader           snapshot  4 -> 7   7 -> 8   8 -> 11        prev_md_seq -> md_seq
    slow reader           snapshot           4 -> 8   8 -> 11

Copies share the arrays, so a reader costs one reference, however far it is behind.
"""

import time

import msgspec
import numpy as np

from api.documents import book_document, levels, ticker_document
from api.process.documents import Document
from api.streams.outbox import Outbox
from engine.trading.records import Side
from engine.trading.view.book_kernels import LEVEL_COLUMNS, Ints, diff_levels
from engine.trading.view.records import BookView


def changed_levels(before: Ints, after: Ints, side: Side) -> Ints:
    """Return the rows of `after` that differ from `before`, and the prices gone with quantity 0."""
    out = np.empty((len(before) + len(after), LEVEL_COLUMNS), np.int64)
    count = diff_levels(before, after, int(side), out)
    return out[:count]


class BookFeed:
    """The newest publishable copy of one book, for readers of one depth."""

    def __init__(self, book: BookView, depth: int, epoch: int) -> None:
        self.depth = depth
        self.epoch = epoch
        self.current = book
        self.readers: dict[Outbox, BookReader] = {}
        self._steps: dict[int, tuple[BookView, bytes | None]] = {}

    def publish(self, book: BookView) -> None:
        """Take a newer copy and mark it with every reader."""
        if book.md_seq == self.current.md_seq:
            return
        self.current = book
        self._steps.clear()
        for reader in self.readers.values():
            reader.outbox.mark(reader)

    def step_from(self, before: BookView) -> bytes | None:
        """Return the message from `before` to now, None when no level differs.

        Readers in step with each other share one encoding.
        """
        kept = self._steps.get(before.md_seq)
        if kept is not None and kept[0] is before:
            return kept[1]
        message = self._encode_step(before)
        self._steps[before.md_seq] = (before, message)
        return message

    def _encode_step(self, before: BookView) -> bytes | None:
        now = self.current
        bids = changed_levels(before.bids, now.bids, Side.BUY)
        asks = changed_levels(before.asks, now.asks, Side.SELL)
        if not len(bids) and not len(asks) and before.phase is now.phase:
            return None
        document: Document = {
            "channel": "book",
            "type": "delta",
            "symbol": now.instrument.symbol,
            "epoch": self.epoch,
            "prev_md_seq": before.md_seq,
            "md_seq": now.md_seq,
            "seq": now.seq,
            "send_ts": time.time_ns(),
            "phase": now.phase.name.lower(),
            "bids": levels(now.instrument, bids),
            "asks": levels(now.instrument, asks),
        }
        return msgspec.json.encode(document)


class BookReader:
    """One reader's place in a book feed."""

    def __init__(self, feed: BookFeed, outbox: Outbox) -> None:
        self.feed = feed
        self.outbox = outbox
        self._sent: BookView | None = None

    def message(self) -> bytes | None:
        """Return the snapshot at first, then what changed since the last message."""
        now = self.feed.current
        if self._sent is None:
            self._sent = now
            head = {
                "channel": "book",
                "type": "snapshot",
                "depth": self.feed.depth,
                "send_ts": time.time_ns(),
            }
            return msgspec.json.encode(head | book_document(now, self.feed.epoch))
        if now is self._sent:
            return None
        message = self.feed.step_from(self._sent)
        if message is not None:
            self._sent = now  # otherwise prev_md_seq would name a message that was never sent
        return message


class TickerFeed:
    """The newest ticker of one instrument; every reader gets the same message."""

    def __init__(self, book: BookView) -> None:
        self.current = book
        self.readers: dict[Outbox, TickerReader] = {}
        self._encoded: bytes | None = None

    def publish(self, book: BookView) -> None:
        """Take a newer copy and mark it with every reader."""
        if book.md_seq == self.current.md_seq:
            return
        self.current = book
        self._encoded = None
        for reader in self.readers.values():
            reader.outbox.mark(reader)

    def encoded(self) -> bytes:
        """Return the newest ticker as a message."""
        if self._encoded is None:
            head = {"channel": "ticker", "type": "ticker", "send_ts": time.time_ns()}
            self._encoded = msgspec.json.encode(head | ticker_document(self.current))
        return self._encoded


class TickerReader:
    """One reader of a ticker."""

    def __init__(self, feed: TickerFeed, outbox: Outbox) -> None:
        self.feed = feed
        self.outbox = outbox

    def message(self) -> bytes:
        """Return the newest ticker."""
        return self.feed.encoded()
