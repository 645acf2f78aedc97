"""Connections with an end: how many, how long half a request may hang, how an error looks.

aiohttp reads the protocol; this file adds what it leaves open. A client that begins a
request and does not finish its head is answered 408 and closed, one connection more than
the limit is answered 503, a request that is not HTTP gets a problem document.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from gateways.http.plain import Head, PlainRequests
from gateways.http.problems import CONTENT_TYPE, RETRY_AFTER_S, HttpStatus, Problem, problem

HEAD_TIMEOUT_S = 10.0
KEEPALIVE_TIMEOUT_S = 75.0
LINGERING_S = 2.0
"""How long the unread rest of a refused body is read and thrown away."""
BACKLOG_MAX = 2**16
"""Bytes sent ahead of an answer beyond which a connection is not read."""
WRITE_BUFFER_MAX = 2**20
"""A REST client that does not read its answers is closed beyond this many bytes."""
REASON_PHRASES = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    422: "Unprocessable Content",
    426: "Upgrade Required",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
EXTRA_HEADERS = {
    HttpStatus.UNAUTHORISED: "WWW-Authenticate: Bearer\r\n",
    HttpStatus.TOO_MANY: f"Retry-After: {RETRY_AFTER_S}\r\n",
    HttpStatus.BUSY: f"Retry-After: {RETRY_AFTER_S}\r\n",
    HttpStatus.UPGRADE_REQUIRED: "Upgrade: websocket\r\n",
}
SERVER_ERROR = 500


def _heads(content_type: str, connection: str) -> dict[int, bytes]:
    """Return the fixed part of every response head by status."""
    return {
        status: (
            f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {content_type}\r\n"
            f"{EXTRA_HEADERS.get(cast(Any, status), '')}{connection}Content-Length: "
        ).encode()
        for status, phrase in REASON_PHRASES.items()
    }


_REPLY_HEADS = _heads("application/json", "")
_PROBLEM_HEADS = _heads(CONTENT_TYPE, "")
_LAST_REPLY_HEADS = _heads("application/json", "Connection: close\r\n")
_LAST_PROBLEM_HEADS = _heads(CONTENT_TYPE, "Connection: close\r\n")


class Reply:
    """One finished HTTP response, written in one go.

    Stands where aiohttp expects a StreamResponse and offers what its protocol asks of one;
    aiohttp's own builds headers, a date and a writer per response, a third of a bare request.
    """

    __slots__ = ("body", "keep_alive", "status")

    def __init__(self, status: int, body: bytes, keep_alive: bool = True) -> None:
        self.status = status
        self.body = body
        self.keep_alive = keep_alive

    def data(self) -> bytes:
        """Return head and body as sent."""
        is_problem = self.status != HttpStatus.OK
        if self.keep_alive:
            head = (_PROBLEM_HEADS if is_problem else _REPLY_HEADS)[self.status]
        else:
            head = (_LAST_PROBLEM_HEADS if is_problem else _LAST_REPLY_HEADS)[self.status]
        return b"%b%d\r\n\r\n%b" % (head, len(self.body), self.body)

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write the response; close a client that does not read."""
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        self.keep_alive = self.keep_alive and request.keep_alive
        transport.write(self.data())
        if transport.get_write_buffer_size() > WRITE_BUFFER_MAX:
            self.keep_alive = False
            transport.abort()

    async def write_eof(self) -> None:
        """Nothing is left to write."""


def problem_reply(document: Problem, keep_alive: bool = True) -> Reply:
    """Return a problem document as response."""
    return Reply(document.status, document.body(), keep_alive)


class Connection(web.RequestHandler):
    """aiohttp's protocol of one connection, with a way round it for plain requests (plain.py)."""

    __slots__ = ("backlog", "half_since", "is_answering", "is_plain", "is_session", "is_surplus", "used_at")

    def __init__(self, manager: "ConnectionServer", **settings: Any) -> None:
        super().__init__(manager, **settings)
        self.half_since = 0.0
        self.used_at = 0.0
        self.is_plain = True
        self.is_answering = False
        self.is_session = False
        self.is_surplus = False
        self.backlog = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve the connection, or answer 503 when there are too many."""
        server = cast(ConnectionServer, self._manager)
        if server.has_room():
            super().connection_made(transport)
            server.watched.add(self)
            return
        self.is_surplus = True
        server.refused_count += 1
        surplus = cast(asyncio.Transport, transport)
        surplus.write(problem_reply(server.crowded, keep_alive=False).data())
        surplus.close()

    def data_received(self, data: bytes) -> None:
        """Take a plain request, or let aiohttp read."""
        if self.is_surplus:
            return
        if not self.is_plain:
            self._general_received(data)
        elif self.is_answering:
            self.backlog += data
            if len(self.backlog) > BACKLOG_MAX and self.transport is not None:
                self.transport.pause_reading()
        else:
            self._plain_received(data)

    def answer(self, reply: Reply) -> None:
        """Write the reply to the plain request on this connection, then see to what follows it."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(reply.data())
        self.is_answering = False
        if not reply.keep_alive:
            transport.close()
        elif transport.get_write_buffer_size() > WRITE_BUFFER_MAX:
            transport.abort()
        elif self.backlog:
            self._loop.call_soon(self._take_backlog)

    def _plain_received(self, data: bytes) -> None:
        server = cast(ConnectionServer, self._manager)
        taken = server.plain_requests.take(data)
        if taken is None:
            self.is_plain = False
            self._general_received(data)
            return
        head, body, self.backlog = taken
        if self.used_at == 0.0:
            self.keep_alive(True)  # ends aiohttp's timer, which would not see these requests
        self.used_at = server.now
        self.is_answering = True
        server.on_plain(self, head, body)

    def _take_backlog(self) -> None:
        """Go on with what was sent before the last answer."""
        if self.is_answering or self.transport is None or not self.backlog:
            return
        data, self.backlog = self.backlog, b""
        self.transport.resume_reading()
        self._plain_received(data)

    def _general_received(self, data: bytes) -> None:
        """Note when a request began: the handler clears it when it has all of it."""
        if self.half_since == 0.0 and self._manager is not None:
            self.half_since = cast(ConnectionServer, self._manager).now
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        if self._manager is not None:
            cast(ConnectionServer, self._manager).watched.discard(self)
        if not self.is_surplus:
            super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP with 400; our own fault is logged and answered 500."""
        if status >= SERVER_ERROR:
            self.log_exception("error while handling a request", exc_info=exc)
            document = problem(
                HttpStatus.BUSY, "internal_error", "the door failed; the outcome of the request is unknown"
            )
            return cast(web.StreamResponse, Reply(SERVER_ERROR, document.body(), False))
        detail = (message or "not an HTTP request").splitlines()[0]
        document = problem(HttpStatus.MALFORMED, "malformed", f"not readable as HTTP: {detail}")
        return cast(web.StreamResponse, problem_reply(document, keep_alive=False))

    def expire(self, now: float) -> None:
        """Answer 408 and close if half a request has hung for too long; close if idle for long."""
        if (
            self.is_plain
            and self.used_at
            and not self.is_answering
            and now - self.used_at > KEEPALIVE_TIMEOUT_S
        ):
            self.force_close()
        if self.is_session or self.half_since == 0.0 or now - self.half_since < HEAD_TIMEOUT_S:
            return
        transport = self.transport
        if transport is not None:
            detail = f"the request was not complete within {HEAD_TIMEOUT_S:g} s"
            document = problem(HttpStatus.REQUEST_TIMEOUT, "request_timeout", detail)
            transport.write(problem_reply(document, keep_alive=False).data())
        self.force_close()


class ConnectionServer(web.Server):
    """aiohttp's low-level server with a limit on connections.

    now : the loop's time, refreshed by `sweep`: coarse, but free to read
    """

    def __init__(
        self,
        handler: Any,
        on_plain: Callable[[Connection, Head, bytes], None],
        *,
        connections_max: int,
    ) -> None:
        super().__init__(
            handler,
            access_log=None,
            keepalive_timeout=KEEPALIVE_TIMEOUT_S,
            auto_decompress=False,
            lingering_time=LINGERING_S,
        )
        self.on_plain = on_plain
        self.plain_requests = PlainRequests()
        self.watched: set[Connection] = set()
        self.connections_max = connections_max
        self.refused_count = 0
        self.now = self._loop.time()
        self.crowded = problem(
            HttpStatus.BUSY,
            "too_many_connections",
            f"this door serves {connections_max} connections at a time",
        )

    def __call__(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(self, loop=self._loop, **self._kwargs)

    def has_room(self) -> bool:
        """Whether one more connection may be served."""
        return len(self.watched) < self.connections_max

    def sweep(self, now: float) -> None:
        """End the connections on which half a request hangs."""
        self.now = now
        for connection in list(self.watched):
            connection.expire(now)
