"""The api of trading: what its routes, streams and pages are made of, and how they are wired."""

from functools import partial

from aiohttp import web

from api.live import LiveSource
from api.pages.health import Pages
from api.pages.metrics import TradingCollector
from api.past.pages import Past
from api.process.access import Access
from api.process.callers import caller_middleware
from api.process.documents import Document
from api.process.metrics import Metrics
from api.process.problem import problem_middleware
from api.process.serve import BODY_BYTES_MAX, serve
from api.process.status import OfApplication, StatusReport
from api.queries.routes import Queries
from api.queries.rules import RuleLists
from api.streams.hub import Hub
from api.streams.pump import StreamPump
from api.streams.socket import Streams
from engine.contract import instance
from engine.contract.instance import HISTORY, counter_name
from engine.contract.port import EventReader
from engine.rules.stored import FOLDER
from engine.settings.config import DoorSettings
from engine.trading.view.group_view import GroupViews
from engine.trading.view.live_view import LiveView

STREAM_PATH = "/v1/stream"


def run(door: DoorSettings) -> None:
    """Serve until SIGTERM; raise DoorError when the port cannot be had."""
    serve(door, build)


def build(door: DoorSettings, reader: EventReader) -> tuple[web.Application, StreamPump]:
    """Wire the application and the pump that feeds it."""
    view = LiveView(reader.state(), reader.state_turn)
    view.warm_up()
    groups = GroupViews(view)
    groups.warm_up()
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

    status = StatusReport(
        data_dir=door.data_dir, reader=reader, view=view, own=own, of_application=_told_of_trading(view)
    )
    rules = RuleLists(hub.source, reader.state(), door.data_dir / FOLDER)
    pages = Pages(
        status,
        Metrics(TradingCollector(reader, view, status, own, groups, hub.tallies, rules.counts)),
    )
    application = web.Application(
        middlewares=[problem_middleware, caller_middleware(access, (STREAM_PATH,))],
        client_max_size=BODY_BYTES_MAX,
    )
    application.add_routes(pages.routes())
    application.add_routes(Queries(hub, status, past, door.keys).routes())
    application.add_routes(rules.routes())
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


def _told_of_trading(view: LiveView) -> OfApplication:
    return OfApplication(
        counts=lambda: {
            "instruments": len(view.catalogue.instruments),
            "accounts": view.account_count,
            "groups": view.group_count,
            "live_orders": view.live_order_count,
            "kills": view.kill_count,
        },
        counted=lambda: {"trades": view.trade_count},
        step="validation, risk, matching and events of one command, sampled",
        lost="acknowledged orders, balances and positions",
    )
