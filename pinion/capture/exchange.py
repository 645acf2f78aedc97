"""One request on its way to the old service, and the answer on its way back to the client.

What is passed on is what came, but for what HTTP means for one connection alone: that is made anew. The old
service sees its own name as Host, and by Via and X-Forwarded-For who stands between.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from pinion.capture import http1
from pinion.capture.http1 import HEAD_END, BodyFrames, Request, Response

CLOSE = b"Connection: close"
VIA = b"Via: 1.1 pinion"
REASONS = {
    400: b"Bad Request",
    413: b"Content Too Large",
    431: b"Request Header Fields Too Large",
    501: b"Not Implemented",
    502: b"Bad Gateway",
    504: b"Gateway Timeout",
}


class Asker(Protocol):
    """Who asked."""

    address: bytes

    def write(self, data: bytes) -> None:
        """Send bytes of an answer."""

    def go_on(self, stays_open: bool) -> None:
        """Take the next request, the last one being answered, or close."""


class AnswerSource(Protocol):
    """Where the answer comes from."""

    def hold(self, is_held: bool) -> None:
        """Stop reading, or go on."""

    def drop(self) -> None:
        """Close the connection; what it still says is nobody's."""


class Exchange:
    """One request and what becomes of it.

    client : who asked, None once it has left
    ended : called once it is over
    """

    def __init__(
        self,
        client: Asker,
        request: Request,
        body: bytes,
        now: Callable[[], float],
        ended: Callable[["Exchange"], None],
    ) -> None:
        self.request = request
        self.body = body
        self.client: Asker | None = client
        self.source: AnswerSource | None = None
        self.response: Response | None = None
        """None while there is none, and where it did not come to its end."""
        self.reply: list[bytes] = []
        self.heard_at = now()
        self.stays_open = http1.stays_open(request.is_1_1, request.fields)
        """Whether the client's connection does."""
        self._now = now
        self._ended = ended
        self._out: list[bytes] = []
        self._is_chunked = False

    def wire(self, host: bytes) -> bytes:
        """Return the request as the old service gets it."""
        fields = self.request.fields
        lines = [
            f"{self.request.method} {self.request.target} HTTP/1.1".encode(),
            b"Host: " + host,
            *http1.passed_on(fields, b"host", b"content-length"),
            VIA,
        ]
        if self.client is not None and self.client.address:
            lines.append(b"X-Forwarded-For: " + self.client.address)
        if self.body or any(each.name in (b"content-length", b"transfer-encoding") for each in fields):
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + HEAD_END + self.body

    def answered(self, response: Response, frames: BodyFrames) -> None:
        """Take the head of the answer."""
        self.response = response
        without: tuple[bytes, ...] = ()
        own: list[bytes] = []
        if frames.length < 0 and self.request.is_1_1:
            self._is_chunked, without, own = True, (b"content-length",), [b"Transfer-Encoding: chunked"]
        elif frames.length < 0:
            self.stays_open, without = False, (b"content-length",)
        if not self.stays_open:
            own.append(CLOSE)
        elif not self.request.is_1_1:
            own.append(b"Connection: keep-alive")
        first = b"HTTP/1.1 %d %b" % (response.status, response.reason)
        self._out.append(b"\r\n".join((first, *http1.passed_on(response.fields, *without), *own)) + HEAD_END)

    def content(self, part: bytes) -> None:
        """Take a part of the body of the answer."""
        self.reply.append(part)
        self._out.append(http1.chunk_of(part) if self._is_chunked else part)

    def flush(self) -> None:
        """Send on what has come."""
        self.heard_at = self._now()
        if self.client is not None and self._out:
            self.client.write(b"".join(self._out))
        self._out.clear()

    def end(self) -> None:
        """Take note that the answer is whole."""
        if self._is_chunked:
            self._out.append(http1.LAST_CHUNK)
        self.flush()
        self._leave()

    def fail(self, status: int, what: str) -> None:
        """Answer that the old service has not, or not to the end."""
        if self.response is None and self.client is not None:
            self.client.write(problem(status, what))
        self.response, self.stays_open = None, False
        self._leave()

    def _leave(self) -> None:
        self._ended(self)
        if self.client is not None:
            self.client.go_on(self.stays_open)


def problem(status: int, what: str) -> bytes:
    """Return an answer of our own, a problem document, behind which the connection closes."""
    body = msgspec.json.encode(
        {"type": "about:blank", "title": REASONS[status].decode(), "status": status, "detail": what}
    )
    lines = (
        b"HTTP/1.1 %d %b" % (status, REASONS[status]),
        b"Content-Type: application/problem+json",
        b"Content-Length: %d" % len(body),
        CLOSE,
    )
    return b"\r\n".join(lines) + HEAD_END + body
