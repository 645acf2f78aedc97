"""A store behind TLS: the connection is encrypted, and who it is is checked.

localhost.pem is a key of nothing but these tests, with a certificate of its own for 127.0.0.1.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from gateways.fleet.link import PAUSE_S_MAX, Call, StoreDownError, StoreLink
from tests.gateways.fleet.servers import running_store

ECHO = "return ARGV[1]"
SAID: list[Call] = [(ECHO, ("k",), ("heard",))]
PEM = Path(__file__).with_name("localhost.pem")
TRIES = 40
"""A machine that is busy may need more than one to shake hands in time."""


@asynccontextmanager
async def tls_before(path: Path) -> AsyncIterator[int]:
    """Listen with TLS before a unix socket; yield the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(PEM)
    relaying: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_unix_connection(path)
        for pair in ((reader, to_writer), (to_reader, writer)):
            relaying.add(asyncio.create_task(relay(*pair)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in relaying:
            task.cancel()
        await asyncio.gather(*relaying, return_exceptions=True)


async def asked(link: StoreLink, clock: list[float]) -> Any:
    """Connect and ask, however often it takes."""
    for _ in range(TRIES - 1):
        with suppress(StoreDownError):
            await link.connect()
            return await link.ask(SAID)
        clock[0] += PAUSE_S_MAX
    await link.connect()
    return await link.ask(SAID)


async def test_a_store_whose_certificate_is_trusted_is_asked_over_tls(tmp_path: Path) -> None:
    clock = [0.0]
    with running_store(tmp_path) as server:
        async with tls_before(server.path) as port:
            url = f"rediss://127.0.0.1:{port}?ssl_ca_certs={PEM}"
            link = StoreLink(url, (ECHO,), lambda name: None, lambda: clock[0])

            assert await asked(link, clock) == [b"heard"]
            await link.close()


@pytest.mark.parametrize("scheme", ["rediss", "redis"])
async def test_a_store_that_nobody_vouches_for_and_plain_words_to_one_behind_tls_are_none(
    tmp_path: Path, scheme: str
) -> None:
    with running_store(tmp_path) as server:
        async with tls_before(server.path) as port:
            link = StoreLink(f"{scheme}://127.0.0.1:{port}", (ECHO,), lambda name: None, lambda: 0.0)

            with pytest.raises(StoreDownError) as told:
                await link.connect()

            assert scheme == "redis" or "certificate verify failed" in str(told.value)
            await link.close()
