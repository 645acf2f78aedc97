"""A client's connection: requests are cut out of its bytes, one at a time, and answered in turn."""

import asyncio
from collections.abc import Callable
from typing import cast

from pinion.capture import http1
from pinion.capture.exchange import Exchange, problem
from pinion.capture.http1 import HEAD_END, HEAD_MAX, BodyFrames, MessageError, Request

BODY_MAX = 1 << 26
"""A longer body of a request is refused with 413."""
AHEAD_MAX = 1 << 16
"""Bytes sent ahead of an answer beyond which a client is not read."""


class Client(asyncio.Protocol):
    """A connection of a client.

    clients : those that are open
    begin : called with each request, once that is whole, and its body; returns what becomes of it
    refused : called where bytes are no request that can be passed on
    """

    def __init__(
        self,
        clients: "set[Client]",
        begin: Callable[["Client", Request, bytes], Exchange],
        refused: Callable[[], None],
    ) -> None:
        self.address = b""
        self._clients = clients
        self._begin = begin
        self._refused = refused
        self._transport: asyncio.Transport | None = None
        self._held = b""
        self._request: Request | None = None
        self._frames = BodyFrames(0)
        self._parts: list[bytes] = []
        self._size = 0
        self._exchange: Exchange | None = None
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]).encode() if peer else b""
        self._clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; an exchange goes on without a client."""
        self._transport = None
        self._clients.discard(self)
        if self._exchange is not None:
            self._exchange.client = None

    def eof_received(self) -> bool:
        """Take note that no more comes; an answer is waited for."""
        self._has_ended = True
        return self._exchange is not None

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        self._held += data
        if self._exchange is None:
            self._advance()
        elif len(self._held) > AHEAD_MAX and self._transport is not None:
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """Hold the old service back while this client does not read."""
        self._hold(True)

    def resume_writing(self) -> None:
        """Go on."""
        self._hold(False)

    def _hold(self, is_held: bool) -> None:
        source = self._exchange.source if self._exchange is not None else None
        if source is not None:
            source.hold(is_held)

    def write(self, data: bytes) -> None:
        """Send bytes of an answer."""
        if self._transport is not None:
            self._transport.write(data)

    def go_on(self, stays_open: bool) -> None:
        """Take the next request, the last one being answered, or close."""
        self._exchange = None
        if self._transport is None:
            return
        if not stays_open or self._has_ended:
            self._transport.close()
        else:
            self._transport.resume_reading()
            if self._held:
                asyncio.get_running_loop().call_soon(self._advance)

    def close_if_idle(self) -> None:
        """Close unless an answer is on its way."""
        if self._exchange is None and self._transport is not None:
            self._transport.close()

    def _advance(self) -> None:
        """Read on; begin an exchange once a request is whole."""
        if self._exchange is not None or self._transport is None or self._transport.is_closing():
            return
        try:
            if self._request is None and not self._has_head():
                return
            content, self._held = self._frames.taken(self._held)
            self._parts.append(content)
            self._size += len(content)
            if self._size > BODY_MAX:
                raise MessageError(413, f"the body is longer than {BODY_MAX} bytes")
        except MessageError as error:
            self._refused()
            self.write(problem(error.status, str(error)))
            self._transport.close()
            return
        if self._frames.is_whole:
            request, body = cast(Request, self._request), b"".join(self._parts)
            self._request, self._parts, self._size = None, [], 0
            self._exchange = self._begin(self, request, body)

    def _has_head(self) -> bool:
        """Read the head of the next request where it is whole."""
        self._held = self._held.lstrip(b"\r\n")
        head, mark, rest = self._held.partition(HEAD_END)
        if len(head) > HEAD_MAX:
            raise MessageError(431, f"the head is longer than {HEAD_MAX} bytes")
        if not mark:
            return False
        request = http1.read_request(head)
        self._frames = http1.body_of_request(request)
        if self._frames.length > BODY_MAX:
            raise MessageError(413, f"the body is longer than {BODY_MAX} bytes")
        self._request, self._held = request, rest
        waits = http1.value_of(request.fields, b"expect").lower() == b"100-continue"
        if waits and not rest and not self._frames.is_whole:
            self.write(b"HTTP/1.1 100 Continue" + HEAD_END)
        return True
