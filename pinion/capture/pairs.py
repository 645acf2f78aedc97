"""From an exchange that is over to the pair that is kept: scrubbed, in its place, offered to the keeper."""

import asyncio
import time
from collections import deque
from typing import NamedTuple

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
IN_THREADS_BYTES_MAX = 1 << 26
"""What has no room among those that are scrubbed so is dropped."""
MS_NS, US_NS = 10**6, 10**3


class Begun(NamedTuple):
    """When a request had arrived, and its place among the others."""

    place: Place
    at_ms: int
    at_ns: int
    """By the machine's monotonic clock: the event loop's own moves by whole milliseconds."""


class Over(NamedTuple):
    """An exchange that is over."""

    exchange: Exchange
    begun: Begun
    duration_us: int

    @property
    def size(self) -> int:
        """How much memory its pair takes, in bytes."""
        return PAIR_BYTES + len(self.exchange.body) + sum(map(len, self.exchange.reply))


class Pairs:
    """Keeps what the proxy tells of."""

    def __init__(self, scrub: Scrub, keeper: Keeper) -> None:
        self.unanswered_count = 0
        self._scrub = scrub
        self._arrivals = Arrivals(keeper.offer)
        self._under_way: dict[Exchange, Begun] = {}
        self._over: deque[Over] = deque()
        self._in_threads: set[asyncio.Task[None]] = set()
        self._in_threads_bytes = 0

    def begun(self, exchange: Exchange) -> None:
        """Take note of a request that has arrived."""
        self._under_way[exchange] = Begun(
            self._arrivals.arrived(), time.time_ns() // MS_NS, time.monotonic_ns()
        )

    def ended(self, exchange: Exchange) -> None:
        """Take note of an exchange that is over; its pair is made once the client has its answer."""
        begun = self._under_way.pop(exchange)
        self._over.append(Over(exchange, begun, (time.monotonic_ns() - begun.at_ns) // US_NS))
        asyncio.get_running_loop().call_soon(self._keep_next)

    async def settle(self) -> None:
        """Return once everything that is over was offered to the keeper."""
        while self._over:
            self._keep_next()
        await asyncio.gather(*self._in_threads)

    def _keep_next(self) -> None:
        if not self._over:
            return
        over = self._over.popleft()
        size = over.size
        self.unanswered_count += over.exchange.response is None
        if size <= LARGE_BYTES:
            self._arrivals.close(over.begun.place, self._pair_of(over), size)
        elif size > KEPT_BYTES_MAX or self._in_threads_bytes + size > IN_THREADS_BYTES_MAX:
            self._arrivals.close(over.begun.place, None, 0)
        else:
            self._in_threads_bytes += size
            task = asyncio.get_running_loop().create_task(self._keep_large(over, size))
            self._in_threads.add(task)
            task.add_done_callback(self._in_threads.discard)

    async def _keep_large(self, over: Over, size: int) -> None:
        pair = await asyncio.to_thread(self._pair_of, over)
        self._in_threads_bytes -= size
        self._arrivals.close(over.begun.place, pair, size)

    def _pair_of(self, over: Over) -> Record:
        """Return what is kept of an exchange."""
        exchange = over.exchange
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
            at_ms=over.begun.at_ms,
            method=request.method,
            path=self._scrub.path(request.target, pans),
            request=asked,
            status=None if response is None else response.status,
            reply=reply,
            headers={name: self._scrub.header(value, pans) for name, value in headers.items()},
            duration_us=over.duration_us,
            prev=FIRST,
        )
