"""The API process: attaches to the instance, serves HTTP and streams until told to stop.

engine.contract.port.EventReader ---> pump task ---> hub ---> stream connections
state, read-only mapping --> queries -----------> HTTP answers
"""

import asyncio
import logging
import signal
from functools import partial
from typing import cast

import uvloop
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from api.access import Access
from api.documents import Document
from api.live import LiveSource
from api.pages.health import Pages
from api.pages.metrics import EngineCollector, Metrics
from api.past.pages import Past
from api.problem import problem_middleware
from api.queries.routes import CALLER, Queries
from api.status import StatusReport
from api.streams.hub import Hub
from api.streams.pump import StreamPump
from api.streams.socket import Streams
from engine.contract import instance
from engine.contract.instance import HISTORY, counter_name
from engine.contract.port import EventReader
from engine.settings.config import DoorSettings
from engine.trading.view.live_view import LiveView
from gateways.process.connections import ConnectionServer, show_key
from gateways.process.guard import guard_of
from gateways.process.keys import AUTHORIZATION
from gateways.process.start import (
    keep_clients_out_of_the_log,
    not_bound,
    raise_descriptor_limit,
    report_ready,
)

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 1024
"""No route reads a body."""
BACKLOG = 1024
STOP_WAIT_S = 2.0
SWEEP_S = 1.0
STREAM_PATH = "/v1/stream"


def run(door: DoorSettings) -> None:
    """Serve until SIGTERM; raise DoorError when the port cannot be had."""
    connections_max = raise_descriptor_limit(door.limits.connections)
    with EventReader.attach(door.data_dir, door.name) as reader:
        uvloop.run(_serve(door, reader, connections_max))


class Runner(web.AppRunner):
    """Runs the application on connections with limits."""

    def __init__(self, application: web.Application, door: DoorSettings, connections_max: int) -> None:
        super().__init__(application, shutdown_timeout=STOP_WAIT_S)
        self._door = door
        self._connections_max = connections_max

    async def _make_server(self) -> ConnectionServer:
        plain = await super()._make_server()
        return ConnectionServer(
            plain.request_handler,
            guard_of(self._door),
            self._door.limits,
            connections_max=self._connections_max,
            request_factory=plain.request_factory,
        )

    async def shutdown(self) -> None:
        """Say goodbye to everybody who reads."""
        cast(ConnectionServer, self.server).cut_off_unread()
        await super().shutdown()

    async def sweep(self) -> None:
        """End hanging connections once a second, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            cast(ConnectionServer, self.server).sweep(loop.time())
            await asyncio.sleep(SWEEP_S)


async def _serve(door: DoorSettings, reader: EventReader, connections_max: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    keep_clients_out_of_the_log()
    application, pump = build(door, reader)
    runner = Runner(application, door, connections_max)
    await runner.setup()
    try:
        site = web.TCPSite(runner, door.host, door.port, backlog=BACKLOG)
        try:
            await site.start()
        except OSError as error:
            raise not_bound(door, error) from error
        bound_port = runner.addresses[0][1]
        following = asyncio.create_task(pump.run(), name="pump")
        sweeping = asyncio.create_task(runner.sweep(), name="sweep")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        report_ready(door, bound_port)
        log.info("api on http://%s:%d", door.host, bound_port)
        ends = (following, sweeping, stopping)
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for ended in done - {stopping}:
            ended.result()  # neither ends by itself: this raises what ended it
        following.cancel()
        sweeping.cancel()
        await asyncio.gather(following, sweeping, return_exceptions=True)
    finally:
        await runner.cleanup()


def build(door: DoorSettings, reader: EventReader) -> tuple[web.Application, StreamPump]:
    """Wire the application and the pump that feeds it."""
    view = LiveView(reader.state(), reader.state_turn)
    view.warm_up()
    running = instance.read(door.data_dir)
    hub = Hub(LiveSource(view, reader.durable_seq, running.epoch, reader.has_news))
    complete_seq = partial(reader.counters().__getitem__, counter_name(HISTORY, "complete_seq"))
    past = Past(running.history, complete_seq) if running.history else None
    access = Access(door.keys)
    streams = Streams(hub, access, door.limits)

    def own() -> Document:
        return {
            "streams_open": streams.open_count,
            "streams_opened": streams.opened_count,
            "streams_overrun": streams.overrun_count,
            "trades_kept": len(hub.trades),
            "reports_kept": len(hub.reports),
        }

    status = StatusReport(data_dir=door.data_dir, reader=reader, view=view, own=own)
    pages = Pages(status, Metrics(EngineCollector(reader, view, status, own)))
    application = web.Application(
        middlewares=[problem_middleware, caller_middleware(access)], client_max_size=BODY_BYTES_MAX
    )
    application.add_routes(pages.routes())
    application.add_routes(Queries(hub, status, past, door.keys).routes())
    application.add_routes([web.get(STREAM_PATH, streams.handle, allow_head=False)])

    async def end_streams(_: web.Application) -> None:
        await streams.close_all()

    async def close_past(_: web.Application) -> None:
        if past is not None:
            await past.close()

    application.on_shutdown.append(end_streams)
    application.on_cleanup.append(close_past)
    pump = StreamPump(hub, reader, status.document, status.readiness.look)
    hub.source.hurry = pump.hurry
    return application, pump


def caller_middleware(access: Access) -> Middleware:
    """Return the middleware that finds out who asks; a stream may name its key later."""

    @web.middleware
    async def caller(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/v1/") and request.path != STREAM_PATH:
            key = request[CALLER] = access.caller(request.headers.get(AUTHORIZATION))
            if key is not None:
                show_key(request)
        return await handler(request)

    return caller
