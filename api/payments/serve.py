"""The api of payments: what its routes and pages are made of, and how they are wired."""

from functools import partial

from aiohttp import web

from api.payments import openapi
from api.payments.acts import CanaryActs
from api.payments.decisions import DecisionCounts, DecisionPump
from api.payments.metrics import PaymentsCollector
from api.payments.overview import Overview
from api.payments.pages import PaymentPages
from api.payments.past import PaymentsPast
from api.payments.privacy import privacy_middleware
from api.payments.routes import PaymentQueries
from api.process.access import Access
from api.process.callers import caller_middleware
from api.process.documents import Document
from api.process.live import DurableSource
from api.process.metrics import Metrics
from api.process.problem import problem_middleware
from api.process.serve import BODY_BYTES_MAX, serve
from api.process.status import OfApplication, StatusReport
from engine.contract import instance
from engine.contract.instance import HISTORY, counter_name
from engine.contract.port import EventReader
from engine.payments.view.counts import StateCounts
from engine.payments.view.live_view import LiveView
from engine.payments.view.shares import SharesView
from engine.rules.stored import FOLDER
from engine.settings.config import DoorSettings
from gateways.payments.replies import Replies
from gateways.payments.rule_names import StoredNames

DOOR = "payments"
"""The section of the settings of the door that acts are handed to."""


def run(door: DoorSettings) -> None:
    """Serve until SIGTERM; raise DoorError when the port cannot be had."""
    serve(door, build)


def build(door: DoorSettings, reader: EventReader) -> tuple[web.Application, DecisionPump]:
    """Wire the application and the pump that counts beside it."""
    shares = SharesView(reader.state())
    view, state = LiveView(reader.state(), reader.state_turn), StateCounts(reader.state())
    view.warm_up()
    running = instance.read(door.data_dir)
    source = DurableSource(view, reader.durable_seq, running.epoch, reader.has_news)
    complete_seq = partial(reader.counters().__getitem__, counter_name(HISTORY, "complete_seq"))
    past = PaymentsPast(running.history, complete_seq) if running.history else None
    counts = DecisionCounts()

    def own() -> Document:
        return {}

    status = StatusReport(
        data_dir=door.data_dir,
        reader=reader,
        view=state,
        own=own,
        of_application=_told_of_payments(state, shares),
    )
    metrics = Metrics(PaymentsCollector(reader, state, status, own, counts, shares, view.rules))
    pages = PaymentPages(status, metrics, lambda: openapi.document(instance.read(door.data_dir).doors))
    application = web.Application(
        middlewares=[privacy_middleware, problem_middleware, caller_middleware(Access(door.keys))],
        client_max_size=BODY_BYTES_MAX,
    )
    name = str(door.application["instance"])
    acts = CanaryActs(lambda: status.running().doors.get(DOOR, ""), door.application["door_host"])
    application.add_routes(pages.routes())
    user_names = StoredNames(door.data_dir / FOLDER, view.rules)
    replies = Replies(name, user_names)
    application.add_routes(PaymentQueries(view, source, status, replies, past).routes())
    application.add_routes(Overview(view, source, status, counts, name, user_names).routes())
    application.add_routes(acts.routes())

    async def close_past(_: web.Application) -> None:
        if past is not None:
            await past.close()

    application.on_cleanup.append(close_past)
    return application, DecisionPump(reader, counts, status.readiness.look)


def _told_of_payments(state: StateCounts, shares: SharesView) -> OfApplication:
    return OfApplication(
        counts=lambda: {
            **({"store": "up" if shares.is_store_up else "down"} if shares.is_on else {}),
            "decided": state.decided,
            "history_seq": state.history_seq,
            "oldest_answer_age_ms": state.oldest_answer_age_ms(),
            "given_way_early": state.given_way_early(),
        },
        counted=lambda: {"payments": state.decided},
        step="idempotency, rules, holds and events of one command, sampled",
        lost="acknowledged payments, accounts and holds",
    )
