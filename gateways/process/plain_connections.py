"""Connections with a way round aiohttp for plain requests (plain.py)."""

from collections.abc import Callable
from typing import Any, cast

from engine.settings.door_settings import DoorLimits
from gateways.process.answers import WRITE_BUFFER_MAX, Reply
from gateways.process.connections import Connection, ConnectionServer
from gateways.process.guard import Guard
from gateways.process.plain import Head, PlainKind, PlainRequests

BACKLOG_MAX = 2**16
"""Bytes sent ahead of an answer beyond which a connection is not read."""


class PlainConnection(Connection):
    """One connection: plain requests are answered at once, from the first other one on aiohttp reads."""

    __slots__ = ("backlog", "is_answering", "is_plain", "used_at")

    def __init__(self, server: "PlainServer", **settings: Any) -> None:
        super().__init__(server, **settings)
        self.used_at = 0.0
        self.is_plain = True
        self.is_answering = False
        self.backlog = b""

    def data_received(self, data: bytes) -> None:
        """Take a plain request, or let aiohttp read."""
        if not self.is_plain:
            super().data_received(data)
        elif self.is_surplus:
            return
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
        server = cast(PlainServer, self._manager)
        taken = server.plain_requests.take(data)
        if taken is None:
            self.is_plain = False
            super().data_received(data)
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

    def expire(self, now: float) -> None:
        """Close if idle for long; aiohttp's timer, which does so for its own requests, has ended."""
        is_idle = self.is_plain and self.used_at and not self.is_answering
        if is_idle and now - self.used_at > self.server.limits.idle_timeout_s:
            self.force_close()
        super().expire(now)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way, a plain one too."""
        return self.is_answering or super().is_busy


class PlainServer(ConnectionServer):
    """The server of these connections.

    kind : which requests are plain
    on_plain : answers a plain request, through `PlainConnection.answer`
    """

    connection_class = PlainConnection

    def __init__(
        self,
        handler: Any,
        kind: PlainKind,
        on_plain: Callable[[PlainConnection, Head, bytes], None],
        guard: Guard,
        limits: DoorLimits,
        *,
        connections_max: int,
    ) -> None:
        super().__init__(handler, guard, limits, connections_max=connections_max)
        self.on_plain = on_plain
        self.plain_requests = PlainRequests(kind, guard.allows_host)
