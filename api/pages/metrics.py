"""What `/metrics` tells of trading beyond what it tells of any application."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from api.process.documents import Document
from api.process.metrics import EngineCollector
from api.process.status import StatusReport
from api.streams.tallies import Tallies
from engine.contract.port import EventReader
from engine.trading.view.live_view import LiveView


class TradingCollector(EngineCollector):
    """Reads trades and orders too."""

    def __init__(
        self,
        reader: EventReader,
        view: LiveView,
        status: StatusReport,
        own: Callable[[], Document],
        tallies: Tallies,
    ) -> None:
        super().__init__(reader, view, status, own)
        self._trading_view = view
        self._tallies = tallies

    def of_application(self) -> Iterator[Metric]:
        """Yield what is counted in the state of trading."""
        view = self._trading_view
        yield CounterMetricFamily("pinion_trades", "Trades since the start", view.trade_count)
        yield GaugeMetricFamily("pinion_live_orders", "Orders in all books", view.live_order_count)
        yield GaugeMetricFamily("pinion_kills", "Kill switches that hold", view.kill_count)
        latched = GaugeMetricFamily(
            "pinion_latched_accounts", "Accounts that a limit of loss has blocked", labels=["limit"]
        )
        for limit, count in view.latch_counts().items():
            latched.add_metric([limit], count)
        yield latched
        yield from tallied(self._tallies)


def tallied(tallies: Tallies) -> Iterator[Metric]:
    """Yield what was refused and latched since this process started."""
    refusals = CounterMetricFamily(
        "pinion_refusals", "Commands refused since this process started", labels=["reason"]
    )
    for reason, count in sorted(tallies.refusals.items()):
        refusals.add_metric([reason], count)
    yield refusals
    latches = CounterMetricFamily(
        "pinion_latches",
        "Limits and kills latched, warned of and lifted since this process started",
        labels=["limit", "level"],
    )
    for labels, count in sorted(tallies.latches.items()):
        latches.add_metric(labels, count)
    yield latches
