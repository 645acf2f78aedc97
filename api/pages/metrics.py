"""What `/metrics` tells of trading beyond what it tells of any application."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from api.process.documents import Document
from api.process.metrics import EngineCollector
from api.process.status import StatusReport
from engine.contract.port import EventReader
from engine.trading.view.group_view import GroupViews
from engine.trading.view.live_view import LiveView


class TradingCollector(EngineCollector):
    """Reads trades and orders too."""

    def __init__(
        self,
        reader: EventReader,
        view: LiveView,
        status: StatusReport,
        own: Callable[[], Document],
        groups: GroupViews,
    ) -> None:
        super().__init__(reader, view, status, own)
        self._trading_view = view
        self._groups = groups

    def of_application(self) -> Iterator[Metric]:
        """Yield what is counted in the state of trading."""
        view = self._trading_view
        yield CounterMetricFamily("pinion_trades", "Trades since the start", view.trade_count)
        yield GaugeMetricFamily("pinion_live_orders", "Orders in all books", view.live_order_count)
        yield GaugeMetricFamily("pinion_kills", "Kill switches that hold", view.kill_count)
        latched = GaugeMetricFamily(
            "pinion_latched_accounts",
            "Accounts that a limit has blocked, or lets only reduce",
            labels=["limit"],
        )
        for limit, count in view.latch_counts().items():
            latched.add_metric([limit], count)
        yield latched
        of_groups = GaugeMetricFamily(
            "pinion_latched_groups", "Groups of accounts that a limit has blocked", labels=["limit"]
        )
        for limit, count in self._groups.latch_counts().items():
            of_groups.add_metric([limit], count)
        yield of_groups
