"""The outbox of a stream reader: what waits to be sent, in bounded memory (exchange rule S25).

Two kinds of news, two policies when the reader is slow:
    kept      trades and private reports: queued, never merged, never dropped; when more than
              KEPT_BYTES_MAX wait, the reader is overrun and must be disconnected
    latest    books, tickers, status: only the newest state counts, so a reader that lags is
              marked and gets, when it comes back, one message from what it last saw to now
Sans-I/O: `take` gives the next message to whoever owns the socket; nothing here waits.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

KEPT_BYTES_MAX = 2**20
MESSAGE_BYTES = 64 * 1024
"""A message of kept reports is closed when it reaches this size."""


class Latest(Protocol):
    """News of which only the newest state counts."""

    def message(self) -> bytes | None:
        """Return what leads from the last message to now, None when nothing changed."""


class _Kept(NamedTuple):
    head: bytes  # of the message: everything up to the list of reports
    body: bytes  # reports, comma separated
    resume_seq: int


class Outbox:
    """The waiting messages of one reader."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._replies: deque[bytes] = deque()
        self._kept: deque[_Kept] = deque()
        self._kept_bytes = 0
        self._latest: dict[Latest, None] = {}
        self.is_overrun = False
        self.resume_seq = 0
        """Every kept report up to this seq has been taken."""

    def __bool__(self) -> bool:
        return bool(self._replies or self._kept or self._latest)

    @property
    def reply_count(self) -> int:
        """Answers that wait: the reader's requests are not read on while there are many."""
        return len(self._replies)

    def reply(self, message: bytes) -> None:
        """Queue the answer to a request; the session bounds how many there can be."""
        self._replies.append(message)
        self._wake()

    def keep(self, head: bytes, body: bytes, resume_seq: int) -> None:
        """Queue reports that may neither be merged nor dropped.

        resume_seq: after these reports were sent, every report up to this seq was.
        """
        if self.is_overrun:
            return
        if self._kept_bytes + len(body) > KEPT_BYTES_MAX:
            self.overrun()
            return
        self._kept.append(_Kept(head, body, resume_seq))
        self._kept_bytes += len(body)
        self._wake()

    def overrun(self) -> None:
        """Give up on a reader that missed, or would miss, a report: it must be disconnected."""
        self.is_overrun = True
        self._kept.clear()
        self._kept_bytes = 0
        self._wake()

    def start_at(self, seq: int) -> None:
        """Note where a new subscription starts: everything up to `seq` is known to the reader."""
        if not self._kept:
            self.resume_seq = seq

    def mark(self, latest: Latest) -> None:
        """Note that there is a newer state of `latest`; marked twice is sent once."""
        if latest not in self._latest:
            self._latest[latest] = None
            self._wake()

    def unmark(self, latest: Latest) -> None:
        """Forget `latest`: it was unsubscribed."""
        self._latest.pop(latest, None)

    def take(self) -> bytes | None:
        """Return the next message, None when nothing waits: answers, then reports, then latest states."""
        if self._replies:
            return self._replies.popleft()
        if self._kept:
            return self._take_kept()
        while self._latest:
            latest = next(iter(self._latest))
            del self._latest[latest]
            message = latest.message()
            if message is not None:
                return message
        return None

    def _take_kept(self) -> bytes:
        """Return the next reports with one head as one message."""
        first = self._kept.popleft()
        bodies = [first.body]
        size = len(first.body)
        self.resume_seq = first.resume_seq
        while self._kept and self._kept[0].head is first.head and size < MESSAGE_BYTES:
            more = self._kept.popleft()
            bodies.append(more.body)
            size += len(more.body)
            self.resume_seq = more.resume_seq
        self._kept_bytes -= size
        return first.head + b",".join(bodies) + b"]}"
