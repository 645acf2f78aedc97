"""The API process: attaches to the instance, serves HTTP and streams until told to stop.

engine.port.EventReader ---> pump task ---> hub ---> stream connections
state, read-only mapping --> queries -----------> HTTP answers
"""

import asyncio
import errno
import logging
import resource
import signal

import uvloop
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from api.access import Access
from api.archive import Archive
from api.documents import Document
from api.health import Pages
from api.hub import Hub
from api.live import LiveSource
from api.metrics import EngineCollector, Metrics
from api.problem import problem_middleware
from api.pump import Pump
from api.queries import CALLER, Queries
from api.status import StatusReport
from api.stream import Streams
from engine import instance, port
from engine.config import DoorSettings
from engine.port import EventReader
from engine.trading.view import LiveView

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 1024
"""No route reads a body."""
BACKLOG = 1024
STOP_WAIT_S = 2.0
KEEPALIVE_S = 60.0
STREAM_PATH = "/v1/stream"


def run(door: DoorSettings) -> None:
    """Serve until SIGTERM; raise DoorError when the port cannot be had."""
    _allow_many_connections()
    with EventReader.attach(door.data_dir, door.name) as reader:
        uvloop.run(_serve(door, reader))


def is_ours(record: logging.LogRecord) -> bool:
    """Keep bytes that are no HTTP out of the log: any client can send them, and was answered 400."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _serve(door: DoorSettings, reader: EventReader) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    application, pump = build(door, reader)
    logging.getLogger("aiohttp.server").addFilter(is_ours)
    runner = web.AppRunner(
        application, access_log=None, keepalive_timeout=KEEPALIVE_S, shutdown_timeout=STOP_WAIT_S
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, door.host, door.port, backlog=BACKLOG)
        try:
            await site.start()
        except OSError as error:
            raise port.DoorError(_not_bound(door, error)) from error
        bound_port = runner.addresses[0][1]
        following = asyncio.create_task(pump.run(), name="pump")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        port.report_ready(door, bound_port)
        log.info("api on http://%s:%d", door.host, bound_port)
        done, _ = await asyncio.wait((following, stopping), return_when=asyncio.FIRST_COMPLETED)
        if following in done:
            following.result()  # the pump never ends by itself: this raises what ended it
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    finally:
        await runner.cleanup()


def build(door: DoorSettings, reader: EventReader) -> tuple[web.Application, Pump]:
    """Wire the application and the pump that feeds it."""
    view = LiveView(reader.state(), reader.state_turn)
    view.warm_up()
    running = instance.read(door.data_dir)
    hub = Hub(LiveSource(view, reader.durable_seq, running.epoch, reader.has_news))
    archive = Archive(running.history) if running.history else None
    access = Access(door.keys)
    streams = Streams(hub, access)

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
    application.add_routes(Queries(hub, status, archive).routes())
    application.add_routes([web.get(STREAM_PATH, streams.handle)])

    async def end_streams(_: web.Application) -> None:
        await streams.close_all()

    async def close_archive(_: web.Application) -> None:
        if archive is not None:
            await archive.close()

    application.on_shutdown.append(end_streams)
    application.on_cleanup.append(close_archive)
    return application, Pump(hub, reader, status.document)


def caller_middleware(access: Access) -> Middleware:
    """Return the middleware that finds out who asks; a stream may name its key later."""

    @web.middleware
    async def caller(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/v1/") and request.path != STREAM_PATH:
            request[CALLER] = access.caller(request.headers.get("Authorization"))
        return await handler(request)

    return caller


def _not_bound(door: DoorSettings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{door.setting} = {door.port}: already in use on {door.host}; give another, or 0 for any"
    return f"{door.setting} = {door.port}: cannot be bound on {door.host}: {error.strerror}"


def _allow_many_connections() -> None:
    """Raise the soft limit of open files to the hard one: every connection is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
