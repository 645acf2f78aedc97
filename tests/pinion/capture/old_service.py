"""A service that answers with bytes as a test wants them, and remembers what it was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

END = b"\r\n\r\n"


@dataclass
class OldService:
    """Answers each path with its bytes; behind an answer that is in `closing` the connection closes."""

    answers: dict[str, bytes]
    closing: set[str] = field(default_factory=set)
    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connection_count: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    """For some paths, what lets them be answered instead."""
    asked: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    """The path of each request."""

    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connection_count += 1
        self.writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(END)
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                self.heads.append(head)
                self.bodies.append(body)
                path = head.split(b" ")[1].decode()
                self.asked.put_nowait(path)
                await self.held.get(path, self.may_answer).wait()
                writer.write(self.answers[path])
                await writer.drain()
                if path in self.closing:
                    break
        writer.close()


@asynccontextmanager
async def old_service(answers: dict[str, bytes], *closing: str) -> AsyncIterator[OldService]:
    """Run a service for the block."""
    service = OldService(answers, set(closing))
    service.may_answer.set()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0, limit=1 << 24)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        service.may_answer.set()
        server.close()
        for writer in service.writers:
            await closed(writer)


async def asked(port: int, *sent: bytes) -> bytes:
    """Send bytes on one connection; return what comes until the proxy closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 26)
    for part in sent:
        writer.write(part)
    await writer.drain()
    async with asyncio.timeout(30):
        answered = await reader.read()
    await closed(writer)
    return answered


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection; it is gone then."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def request(path: str, body: bytes = b"", *headers: str, method: str = "POST", is_last: bool = True) -> bytes:
    """Return a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: shop", *headers]
    lines += [f"Content-Length: {len(body)}"] if body else []
    lines += ["Connection: close"] if is_last else []
    return "\r\n".join(lines).encode() + END + body


def answer(body: bytes = b"{}", *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + END + body
