"""How long the proxy waits, by a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pinion.capture.exchange import Exchange
from pinion.capture.proxy import ANSWER_TIMEOUT_S, KEPT_OPEN_S, Proxy
from tests.pinion.capture.old_service import OldService, answer, asked, old_service, request


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Proxied:
    """A proxy, its clock and port, and the exchanges that are over."""

    def __init__(self, service: OldService) -> None:
        self.clock = Clock()
        self.over: list[Exchange] = []
        self.proxy = Proxy(("127.0.0.1", service.port), lambda _: None, self.over.append, self.clock)
        self.port = 0


@asynccontextmanager
async def proxied(service: OldService) -> AsyncIterator[Proxied]:
    """Run a proxy for the block."""
    running = Proxied(service)
    server = await asyncio.get_running_loop().create_server(running.proxy.client, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        await running.proxy.stop(10)


async def test_a_service_that_says_nothing_for_long_has_not_answered() -> None:
    async with old_service({"/a": answer()}) as service, proxied(service) as running:
        service.may_answer.clear()
        asking = asyncio.create_task(asked(running.port, request("/a", b"x")))
        await service.asked.get()
        running.clock.now = ANSWER_TIMEOUT_S
        running.proxy.expire()
        before = list(running.over)
        running.clock.now = ANSWER_TIMEOUT_S + 0.1
        running.proxy.expire()
        answered = await asking

    assert before == []
    assert answered.startswith(b"HTTP/1.1 504 Gateway Timeout")
    assert b"the service has said nothing for 60 s" in answered
    assert [each.response for each in running.over] == [None]


async def test_a_connection_that_rested_for_long_is_not_used_again() -> None:
    async with old_service({"/a": answer()}) as service, proxied(service) as running:
        counts = []
        for now in (0.0, KEPT_OPEN_S, 2 * KEPT_OPEN_S + 0.1):
            running.clock.now = now
            await asked(running.port, request("/a", b"x"))
            counts.append(service.connection_count)

    assert counts == [1, 1, 2]


async def test_what_is_not_answered_before_the_end_is_given_up() -> None:
    async with old_service({"/a": answer()}) as service, proxied(service) as running:
        service.may_answer.clear()
        asking = asyncio.create_task(asked(running.port, request("/a", b"x")))
        await service.asked.get()
        await running.proxy.stop(0)
        answered = await asking

    assert answered.startswith(b"HTTP/1.1 504")
    assert b"the proxy ends" in answered
