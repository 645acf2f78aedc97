"""A client of a door on a simulated socket: it decides which bytes come together, and what it reads."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from gateways.process.connections import ConnectionServer

TURNS = 12
"""Rounds of the event loop after a chunk: a request passes through a few tasks and callbacks."""


class Wire(asyncio.Transport):
    """Keeps what the door writes; a client that does not read lets it pile up."""

    def __init__(self, peer: Any = ("127.0.0.1", 40_000)) -> None:
        super().__init__({"peername": peer})
        self.sent = bytearray()
        self.is_reading_client = True
        self.is_paused = False
        self.was_aborted = False
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True

    def abort(self) -> None:
        self._is_closing = self.was_aborted = True

    def get_write_buffer_size(self) -> int:
        return 0 if self.is_reading_client else len(self.sent)

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


async def settle(turn: Callable[[], None] = lambda: None) -> None:
    """Let the door do what it has to do."""
    for _ in range(TURNS):
        turn()
        await asyncio.sleep(0)


async def converse(
    server: ConnectionServer, chunks: Iterable[bytes], turn: Callable[[], None] = lambda: None
) -> tuple[bytes, bool]:
    """Send chunks on a connection of its own; return what came back, and whether the door closed it."""
    connection, wire = server(), Wire()
    connection.connection_made(wire)
    for chunk in chunks:
        if not wire.is_closing():
            connection.data_received(chunk)
            await settle(turn)
    is_closed = wire.is_closing()
    connection.connection_lost(None)
    await settle(turn)
    return bytes(wire.sent), is_closed
