"""A processor over HTTP that approves, and that fails in every way that one can, as often as it is told to.

    POST /payments {"payment", ..}      {"payment", "outcome": "approved" or "declined"}
    POST /reversals {"payment"}         {"payment", "outcome": "reversed"}
    GET /book                           what it knows, without cards

It keeps neither card numbers nor anything else beyond its own life.
"""

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum

from aiohttp import web

from pinion.cli.payments.sample.book import SampleBook

HOST = "127.0.0.1"
SILENT_S = 120.0


class Fault(StrEnum):
    """What may go wrong with a request."""

    DECLINE = "decline"  # it is declined; of a payment alone, as the next two
    SLOW = "slow"  # it is decided at once and answered later
    LATE = "late"  # it is decided and answered later
    TWICE = "twice"  # it is answered twice
    FORGET = "forget"  # it is decided and not answered
    RESET = "reset"  # it is decided, and the connection reset
    LOSE = "lose"  # the connection is reset, and nothing was decided
    DOWN = "down"  # 503, and nothing was decided


OF_PAYMENTS = (Fault.DECLINE, Fault.SLOW, Fault.LATE)


class SampleProcessor:
    """A processor that runs in an event loop.

    shares : how many of a hundred requests meet with each fault
    delay_s : what is slow or late takes so long
    seed : of the choice of faults
    """

    def __init__(
        self, shares: Mapping[Fault, int] | None = None, delay_s: float = 3.0, seed: int = 0
    ) -> None:
        self.shares: dict[Fault, int] = dict(shares or {})
        self.delay_s = delay_s
        self.book = SampleBook()
        self.port = 0
        self._random = random.Random(seed)
        self._runner: web.AppRunner | None = None
        self._stopped = asyncio.Event()

    async def start(self, port: int = 0) -> None:
        """Listen on loopback, on a free port where none is given."""
        application = web.Application()
        application.router.add_post("/payments", self._pay)
        application.router.add_post("/reversals", self._reverse)
        application.router.add_get("/book", self._show)
        self._stopped.clear()
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more, and answer nobody who still waits; the book stays."""
        self._stopped.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _pay(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        payment, fault = asked["payment"], self._fault(tuple(Fault))
        if fault is Fault.LOSE or fault is Fault.DOWN:
            return _refused(request, fault)
        if fault is Fault.LATE:
            await self._wait(self.delay_s)
        outcome = self.book.pay(payment, asked["amount"], fault is Fault.DECLINE)
        if fault is Fault.SLOW:
            await self._wait(self.delay_s)
        return await self._answered(request, fault, payment, outcome)

    async def _reverse(self, request: web.Request) -> web.StreamResponse:
        payment = (await request.json())["payment"]
        fault = self._fault(tuple(each for each in Fault if each not in OF_PAYMENTS))
        if fault is Fault.LOSE or fault is Fault.DOWN:
            return _refused(request, fault)
        return await self._answered(request, fault, payment, self.book.reverse(payment))

    async def _answered(
        self, request: web.Request, fault: Fault | None, payment: str, outcome: str
    ) -> web.StreamResponse:
        """Answer what was decided, unless it shall not arrive."""
        content = json.dumps({"payment": payment, "outcome": outcome})
        if fault is Fault.FORGET:
            await self._wait(SILENT_S)
        if fault is Fault.RESET or fault is Fault.FORGET:
            return _refused(request, Fault.LOSE)
        if fault is Fault.TWICE and request.transport is not None:
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            request.transport.write((head + content).encode())
        return web.Response(text=content, content_type="application/json")

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({
            "counts": self.book.counts(),
            "payments": {payment: asdict(entry) for payment, entry in self.book.entries.items()},
        })  # fmt: skip

    def _fault(self, possible: tuple[Fault, ...]) -> Fault | None:
        """Return what goes wrong with a request, if anything does."""
        place = self._random.randrange(100)
        for fault, share in self.shares.items():
            if fault in possible:
                place -= share
                if place < 0:
                    return fault
        return None

    async def _wait(self, seconds: float) -> None:
        """Let time pass, until the processor stops at the latest."""
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return


def _refused(request: web.Request, fault: Fault) -> web.StreamResponse:
    """Refuse a request, or reset its connection."""
    if fault is Fault.LOSE and request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
