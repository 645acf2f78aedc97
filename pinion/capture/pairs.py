"""From an exchange that is over to the pair that is kept: scrubbed, in its place, offered to the keeper."""

import asyncio
import time
from collections import deque

from pinion.capture import http1
from pinion.capture.exchange import Exchange
from pinion.capture.keeper import PAIR_BYTES, Arrivals, Keeper, Place
from pinion.capture.records import FIRST, Record
from pinion.capture.scrub import Scrub

KEPT_HEADERS = frozenset(
    (
        *(b"content-encoding", b"content-type", b"idempotency-key", b"pinion-account"),
        *(b"pinion-deadline-ms", b"x-request-id"),
    )
)
"""Of a request's headers; never Authorization."""
KEPT_BYTES_MAX = 1 << 25
"""A pair with more than this is dropped."""
LARGE_BYTES = 1 << 16
"""A pair with more than this is scrubbed in a thread of its own, so that others need not wait."""
MS_NS, US_NS = 10**6, 10**3


class Pairs:
    """Keeps what the proxy tells of."""

    def __init__(self, scrub: Scrub, keeper: Keeper) -> None:
        self.unanswered_count = 0
        self._scrub = scrub
        self._arrivals = Arrivals(keeper.offer)
        self._under_way: dict[Exchange, tuple[Place, int, int]] = {}
        self._over: deque[tuple[Exchange, Place, int, int]] = deque()
        self._in_threads: set[asyncio.Task[None]] = set()

    def begun(self, exchange: Exchange) -> None:
        """Take note of a request that has arrived."""
        # The loop's own clock moves by whole milliseconds.
        begun_ns = time.monotonic_ns()
        self._under_way[exchange] = self._arrivals.arrived(), time.time_ns() // MS_NS, begun_ns

    def ended(self, exchange: Exchange) -> None:
        """Take note of an exchange that is over; its pair is made once the client has its answer."""
        place, at_ms, begun_ns = self._under_way.pop(exchange)
        duration_us = (time.monotonic_ns() - begun_ns) // US_NS
        self._over.append((exchange, place, at_ms, duration_us))
        asyncio.get_running_loop().call_soon(self._keep_next)

    async def settle(self) -> None:
        """Return once everything that is over was offered to the keeper."""
        while self._over:
            self._keep_next()
        await asyncio.gather(*self._in_threads)

    def _keep_next(self) -> None:
        if not self._over:
            return
        exchange, place, at_ms, duration_us = self._over.popleft()
        self.unanswered_count += exchange.response is None
        size = PAIR_BYTES + len(exchange.body) + sum(map(len, exchange.reply))
        if size > KEPT_BYTES_MAX:
            self._arrivals.close(place, None, 0)
        elif size > LARGE_BYTES:
            task = asyncio.get_running_loop().create_task(
                self._keep_large(exchange, place, at_ms, duration_us, size)
            )
            self._in_threads.add(task)
            task.add_done_callback(self._in_threads.discard)
        else:
            self._arrivals.close(place, self.pair_of(exchange, at_ms, duration_us), size)

    async def _keep_large(
        self, exchange: Exchange, place: Place, at_ms: int, duration_us: int, size: int
    ) -> None:
        pair = await asyncio.to_thread(self.pair_of, exchange, at_ms, duration_us)
        self._arrivals.close(place, pair, size)

    def pair_of(self, exchange: Exchange, at_ms: int, duration_us: int) -> Record:
        """Return what is kept of an exchange."""
        request, response = exchange.request, exchange.response
        headers = {
            each.name.decode(): each.value.decode("latin-1")
            for each in request.fields
            if each.name in KEPT_HEADERS
        }
        asked, pans = self._scrub.request(exchange.body, headers.get("content-encoding", "").lower())
        reply = None
        if response is not None:
            coding = http1.value_of(response.fields, b"content-encoding").decode("latin-1").lower()
            reply = self._scrub.reply(b"".join(exchange.reply), coding, pans)
        return Record(
            n=1,  # number and chain are given where it is written
            at_ms=at_ms,
            method=request.method,
            path=self._scrub.path(request.target, pans),
            request=asked,
            status=None if response is None else response.status,
            reply=reply,
            headers={name: self._scrub.header(value, pans) for name, value in headers.items()},
            duration_us=duration_us,
            prev=FIRST,
        )
