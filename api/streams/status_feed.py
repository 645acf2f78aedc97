"""The `status` channel: one document a second, newest only."""

import msgspec

from api.process.documents import Document
from api.streams.outbox import Outbox


class StatusFeed:
    """The newest status, encoded once for all readers."""

    def __init__(self) -> None:
        self.readers: dict[Outbox, StatusReader] = {}
        self.encoded: bytes | None = None

    def subscribe(self, outbox: Outbox) -> None:
        """Send the newest status now and every one after it."""
        reader = self.readers[outbox] = StatusReader(self)
        outbox.mark(reader)

    def unsubscribe(self, outbox: Outbox) -> bool:
        """Stop; tell whether it was subscribed."""
        reader = self.readers.pop(outbox, None)
        if reader is not None:
            outbox.unmark(reader)
        return reader is not None

    def publish(self, status: Document) -> None:
        """Take a newer status and mark it with every reader."""
        self.encoded = msgspec.json.encode({"channel": "status", "type": "status"} | status)
        for outbox, reader in self.readers.items():
            outbox.mark(reader)


class StatusReader:
    """One reader of the status."""

    def __init__(self, feed: StatusFeed) -> None:
        self.feed = feed

    def message(self) -> bytes | None:
        """Return the newest status, None before the first."""
        return self.feed.encoded
