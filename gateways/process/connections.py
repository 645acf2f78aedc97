"""Connections with limits: how many there may be, how long each part may take, how an error looks.

aiohttp reads the protocol; this file adds what it leaves open, for both doors alike.
    too many               503; who has shown no key yet gives way first (keyless.py)
    half a request         408 and closed when its head does not come in time
    not HTTP               a problem document, and closed
    unmasked frames        closed with 1002 (frames.py)
    answers nobody reads   cut off
What a client can cause is logged at debug and never with a traceback.
"""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from aiohttp import StreamReader, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import PayloadAccessError, RequestPayloadError

from engine.settings.door_settings import DoorLimits
from gateways.process.answers import Reply, refusal
from gateways.process.frames import ClientFrames
from gateways.process.guard import Guard
from gateways.process.keyless import Keyless, quota_address

LINGERING_S = 2.0
"""How long the unread rest of a refused body is read and thrown away."""
DETAIL_CHARS_MAX = 200
CAUSED_BY_CLIENTS = (ConnectionError, HttpProcessingError, RequestPayloadError, PayloadAccessError)
log = logging.getLogger("pinion.doors")


class Connection(web.RequestHandler):
    """aiohttp's protocol of one connection, with limits.

    half_since : since when a request's head is only half here, 0.0 where none is
    stuck_since : since when the client has not read what it was sent, 0.0 where it reads
    """

    __slots__ = ("_frames", "_payload", "_stuck_since", "_wire", "half_since", "has_key", "is_surplus")

    def __init__(self, server: "ConnectionServer", **settings: Any) -> None:
        super().__init__(server, **settings)
        self.half_since = 0.0
        self.has_key = False
        self.is_surplus = False
        self._stuck_since = 0.0
        self._frames: ClientFrames | None = None
        self._payload: StreamReader | None = None
        self._wire: asyncio.Transport | None = None

    @property
    def server(self) -> "ConnectionServer":
        """The server this connection belongs to, while it lasts."""
        assert self._manager is not None
        return cast(ConnectionServer, self._manager)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve the connection, or answer 503 when there are too many."""
        self._wire = cast(asyncio.Transport, transport)
        server = self.server
        if server.has_room():
            super().connection_made(transport)
            server.take_in(self, quota_address(transport.get_extra_info("peername")))
            return
        self.is_surplus = True
        self._wire.write(server.crowded.data())
        self._wire.close()

    def data_received(self, data: bytes) -> None:
        """Let aiohttp read; note when a request begins whose head does not end."""
        if self._frames is not None:
            super().data_received(self._frames.checked(data))
            return
        if self.is_surplus or self._manager is None:
            return
        count = self._request_count
        body = self._payload
        is_in_body = body is not None and not body.is_eof()
        super().data_received(data)
        if self._request_count != count:
            message, self._payload = self._messages[-1]
            self.half_since = 0.0
            if body is not None and is_in_body and not isinstance(message, RawRequestMessage):
                # aiohttp queues the fault as a request of its own; who reads the body would wait on.
                body.set_exception(RequestPayloadError("not readable as HTTP"))
        elif data and not is_in_body and self.half_since == 0.0:
            self.half_since = self.server.now

    def set_parser(self, parser: Any, data_received_cb: Callable[[], None] | None = None) -> None:
        """Become a WebSocket; from here on frames come."""
        self._frames = ClientFrames()
        self.half_since = 0.0
        self._message_tail = self._frames.checked(self._message_tail)
        super().set_parser(parser, data_received_cb)

    def pause_writing(self) -> None:
        """Note that the client does not read."""
        super().pause_writing()
        if self._manager is not None:
            self._stuck_since = self.server.now

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        super().resume_writing()
        self._stuck_since = 0.0

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        task = self._task_handler
        is_at_rest = not self._request_in_progress and self._waiter is None
        if self._manager is not None:
            self.server.forget(self)
        if not self.is_surplus:
            super().connection_lost(exc)
        if task is not None and is_at_rest:
            task.cancel()  # one that has not begun yet would fail on a connection that is gone

    def show_key(self) -> None:
        """Note that a request with a known key came: the connection counts as keyless no more."""
        if not self.has_key and self._manager is not None:
            self.has_key = True
            self.server.keyless.leave(self)

    def give_way(self) -> None:
        """Close for somebody else: no key was shown, and the place is needed."""
        if self._wire is None:
            return
        if self._frames is None and not self.is_busy:
            self._wire.write(self.server.crowded.data())
        self.force_close()
        self._wire.close()

    def cut_off_if_stuck(self) -> None:
        """End at once where the client does not read: nothing more would reach it."""
        if self._stuck_since and self._wire is not None:
            self._wire.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP with 400; our own fault is logged and answered 500."""
        if self.transport is None or isinstance(exc, CAUSED_BY_CLIENTS):
            log.debug("a request could not be read or answered: %s", type(exc).__name__)
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("error while handling a request", exc_info=exc)
            detail = "the door failed; the outcome of the request is unknown"
            return as_response(
                refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail, keep_alive=False)
            )
        detail = "not readable as HTTP"
        if self._manager is not None and self.server.guard.repeats:  # aiohttp quotes what it cannot read
            lines = (message or "not an HTTP request").splitlines() or [""]
            detail = f"{detail}: {lines[0].rstrip(':')[:DETAIL_CHARS_MAX]}"
        return as_response(refusal(HTTPStatus.BAD_REQUEST, "malformed", detail, keep_alive=False))

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Log a fault that aiohttp found: at debug where the client caused it."""
        fault = kwargs.get("exc_info")
        if isinstance(fault, CAUSED_BY_CLIENTS):
            log.debug("a connection ended: %s", type(fault).__name__)
        else:
            log.error(*args, **kwargs)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way, so that nothing may be written in between."""
        return bool(self._request_in_progress or self._messages)

    def expire(self, now: float) -> None:
        """Answer 408 and close if a head has hung for too long; cut off a client that does not read."""
        wire, limits = self._wire, self.server.limits
        if wire is None:
            return
        if wire.is_closing() and self._stuck_since == 0.0:
            self._stuck_since = now  # what was written last has to go out, too
        if self._stuck_since and now - self._stuck_since > limits.unread_timeout_s:
            wire.abort()
            return
        if self._frames is not None or self.half_since == 0.0 or self.is_busy or wire.is_closing():
            return
        if now - self.half_since >= limits.head_timeout_s:
            detail = f"the request was not complete within {limits.head_timeout_s:g} s"
            answer = refusal(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", detail, keep_alive=False)
            wire.write(answer.data())
            self.force_close()


class ConnectionServer(web.Server):
    """aiohttp's low-level server with limits, and a guard before its handler.

    now : the loop's time, refreshed by `sweep`: coarse, but free to read
    """

    connection_class: type[Connection] = Connection

    def __init__(
        self,
        handler: Any,
        guard: Guard,
        limits: DoorLimits,
        *,
        connections_max: int,
        request_factory: Any = None,
    ) -> None:
        super().__init__(
            self._guarded,
            request_factory=request_factory,
            access_log=None,
            logger=log,
            keepalive_timeout=limits.idle_timeout_s,
            auto_decompress=False,
            lingering_time=LINGERING_S,
        )
        self._handler = handler
        self.guard = guard
        self.limits = limits
        self.watched: set[Connection] = set()
        keyless_max = max(1, min(limits.keyless_connections, connections_max // 2))
        self.keyless: Keyless[Connection] = Keyless(keyless_max, limits.keyless_connections_per_address)
        self.connections_max = connections_max
        self.now = self._loop.time()
        self.crowded = refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "too_many_connections",
            f"this door serves {connections_max} connections at a time, {keyless_max} of them without a key",
            keep_alive=False,
        )

    def __call__(self) -> Connection:
        """Return the protocol of a new connection."""
        return self.connection_class(self, loop=self._loop, **self._kwargs)

    def has_room(self) -> bool:
        """Whether one more connection may be served."""
        return len(self.watched) < self.connections_max

    def take_in(self, connection: Connection, address: str | None) -> None:
        """Watch a connection; where too many show no key, the one that had most time goes."""
        self.watched.add(connection)
        going = self.keyless.enter(connection, address)
        if going is not None:
            going.give_way()

    def forget(self, connection: Connection) -> None:
        """Watch a connection no more: it is gone."""
        self.watched.discard(connection)
        self.keyless.leave(connection)

    def cut_off_unread(self) -> None:
        """End the connections whose clients do not read: a door that stops waits for none of them."""
        for connection in list(self.watched):
            connection.cut_off_if_stuck()

    def sweep(self, now: float) -> None:
        """End the connections on which something hangs."""
        self.now = now
        for connection in list(self.watched):
            connection.expire(now)

    async def _guarded(self, request: web.BaseRequest) -> web.StreamResponse:
        """Refuse what may not be looked at, hand on all else; aiohttp's own refusals become documents."""
        refused = self.guard.refuse(request)
        if refused is not None:
            return as_response(refused)
        try:
            return cast(web.StreamResponse, await self._handler(request))
        except web.HTTPException as found:
            status = HTTPStatus(found.status)
            detail = f"{request.method} {request.path[:DETAIL_CHARS_MAX]}: {found.reason}"
            return as_response(refusal(status, status.name.lower(), detail))


def show_key(request: web.BaseRequest) -> None:
    """Note on its connection, where that has limits, that a request came with a known key."""
    if isinstance(request.protocol, Connection):
        request.protocol.show_key()


def as_response(reply: Reply) -> web.StreamResponse:
    """Return a reply as what aiohttp's types call it; it offers what is asked of one."""
    return cast(web.StreamResponse, reply)
