"""A connection to the old service: one request at a time, its answer handed on as it comes."""

import asyncio
from collections.abc import Callable
from typing import cast

from pinion.capture import http1
from pinion.capture.exchange import Exchange
from pinion.capture.http1 import HEAD_END, HEAD_MAX, BodyFrames, MessageError, Response


class Upstream(asyncio.Protocol):
    """A connection to the old service.

    free : called once it can be used again
    lost : called once it is closed
    """

    def __init__(self, free: Callable[["Upstream"], None], lost: Callable[["Upstream"], None]) -> None:
        self.idle_since = 0.0
        self._exchange: Exchange | None = None
        self._free = free
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._held = b""
        self._frames: BodyFrames | None = None

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent on it."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and with it an answer that ends so."""
        self._transport = None
        exchange, self._exchange = self._exchange, None
        self._lost(self)
        if exchange is None:
            return
        if exc is None and self._frames is not None and self._frames.length == BodyFrames.UNTIL_CLOSE:
            exchange.end()
        else:
            exchange.fail(502, "the service closed the connection before its answer was whole")

    def ask(self, exchange: Exchange, wire: bytes) -> None:
        """Send a request."""
        self._exchange, self._held, self._frames = exchange, b"", None
        exchange.source = self
        if self._transport is not None:
            self._transport.write(wire)

    def data_received(self, data: bytes) -> None:
        """Take bytes of an answer."""
        exchange = self._exchange
        if exchange is None:  # nobody has asked for these
            self.close()
            return
        try:
            rest = self._taken(exchange, data)
        except MessageError as error:
            self.drop()
            exchange.fail(502, f"the service's answer cannot be passed on: {error}")
            return
        if self._frames is None or not self._frames.is_whole:
            exchange.flush()
            return
        self._exchange = None
        response = cast(Response, exchange.response)
        if rest or not http1.stays_open(response.is_1_1, response.fields):
            self.close()
        else:
            self._free(self)
        exchange.end()

    def hold(self, is_held: bool) -> None:
        """Stop reading, or go on."""
        if self._transport is not None:
            (self._transport.pause_reading if is_held else self._transport.resume_reading)()

    def drop(self) -> None:
        """Close the connection; what it still says is nobody's."""
        self._exchange = None
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _taken(self, exchange: Exchange, data: bytes) -> bytes:
        """Hand on what the bytes say; return what follows the answer."""
        while self._frames is None:
            head, mark, rest = (self._held + data).partition(HEAD_END)
            if len(head) > HEAD_MAX:
                raise MessageError(502, f"its head is longer than {HEAD_MAX} bytes")
            if not mark:
                self._held = head
                return b""
            self._held, data = b"", rest
            response = http1.read_response(head)
            if response.status >= 200:  # what comes before is meant for us
                self._frames = http1.body_of_response(response, exchange.request.method)
                exchange.answered(response, self._frames)
        content, rest = self._frames.taken(data)
        if content:
            exchange.content(content)
        return rest
