"""The reverse proxy: what clients ask is asked of the old service, and its answers go back as they are.

    client -> Client (a request whole) -> Exchange -> Upstream -> old service
    client <- bytes as they come       <-          <-          <-

A client has one request at a time; what it sends ahead waits. Connections to the old service are kept and
used again. A client that leaves does not end its exchange: what the old service answers is part of what is
captured.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from pinion.capture.client import Client
from pinion.capture.exchange import Exchange
from pinion.capture.http1 import Request
from pinion.capture.upstream import Upstream

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 60.0
"""An old service that says nothing for so long has not answered."""
KEPT_OPEN_S = 1.0
"""A connection to the old service that was idle for longer is not used again: it may be closing it."""


class Proxy:
    """Everything that is under way.

    to : host and port of the old service
    begun, ended : called with each exchange once its request is whole, and once it is over
    now : a clock in seconds, by which answers are waited for
    """

    def __init__(
        self,
        to: tuple[str, int],
        begun: Callable[[Exchange], None],
        ended: Callable[[Exchange], None],
        now: Callable[[], float],
    ) -> None:
        self.refused_count = 0
        self._to = to
        self._host = (f"[{to[0]}]" if ":" in to[0] else to[0]).encode() + b":%d" % to[1]
        self._begun, self._ended = begun, ended
        self._now = now
        self._clients: set[Client] = set()
        self._free: list[Upstream] = []
        self._upstreams: set[Upstream] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._exchanges: set[Exchange] = set()
        self._is_stopping = False
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def client(self) -> Client:
        """Return what serves a new connection."""
        return Client(self._clients, self._begin, self._refused)

    def expire(self) -> None:
        """End what is not answered in time, and connections that rest; to be called now and then."""
        now = self._now()
        for exchange in [each for each in self._exchanges if now - each.heard_at > ANSWER_TIMEOUT_S]:
            self._give_up(exchange, f"the service has said nothing for {ANSWER_TIMEOUT_S:.0f} s")
        for upstream in [each for each in self._free if now - each.idle_since > KEPT_OPEN_S]:
            self._free.remove(upstream)
            upstream.close()

    async def stop(self, within_s: float) -> None:
        """Answer what is under way, then close every connection.

        within_s : what takes longer is given up
        """
        self._is_stopping = True
        for client in list(self._clients):
            client.close_if_idle()
        for exchange in self._exchanges:
            exchange.stays_open = False
        try:
            await asyncio.wait_for(self._is_idle.wait(), within_s)
        except TimeoutError:  # told to those who wait
            for exchange in list(self._exchanges):
                self._give_up(exchange, "the proxy ends")
        for task in list(self._connecting):
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for upstream in list(self._upstreams):
            upstream.close()
        await asyncio.sleep(0)  # what was closed ends in the next turn of the loop

    def _begin(self, client: Client, request: Request, body: bytes) -> Exchange:
        """Ask the old service."""
        exchange = Exchange(client, request, body, self._now, self._end)
        exchange.stays_open = exchange.stays_open and not self._is_stopping
        self._exchanges.add(exchange)
        self._is_idle.clear()
        self._begun(exchange)
        wire = exchange.wire(self._host)
        now = self._now()
        while self._free:
            upstream = self._free.pop()
            if upstream.is_open and now - upstream.idle_since <= KEPT_OPEN_S:
                upstream.ask(exchange, wire)
                return exchange
            upstream.close()
        task = asyncio.get_running_loop().create_task(self._connect(exchange, wire))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        return exchange

    async def _connect(self, exchange: Exchange, wire: bytes) -> None:
        """Ask on a new connection."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, upstream = await asyncio.get_running_loop().create_connection(
                    partial(Upstream, self._freed, self._lost), *self._to
                )
        except OSError as error:  # a TimeoutError is one
            if exchange in self._exchanges:
                said = error.strerror or "no connection in time"
                exchange.fail(502, f"the service cannot be reached: {said}")
            return
        self._upstreams.add(upstream)
        if exchange in self._exchanges:
            upstream.ask(exchange, wire)
        else:
            upstream.close()

    def _give_up(self, exchange: Exchange, why: str) -> None:
        if exchange.source is not None:
            exchange.source.drop()
        exchange.fail(504, why)

    def _end(self, exchange: Exchange) -> None:
        self._exchanges.discard(exchange)
        if not self._exchanges:
            self._is_idle.set()
        self._ended(exchange)

    def _freed(self, upstream: Upstream) -> None:
        upstream.idle_since = self._now()
        self._free.append(upstream)

    def _lost(self, upstream: Upstream) -> None:
        self._upstreams.discard(upstream)
        if upstream in self._free:
            self._free.remove(upstream)

    def _refused(self) -> None:
        self.refused_count += 1
