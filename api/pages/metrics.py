"""What `/metrics` tells of trading beyond what it tells of any application."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from api.process.documents import Document
from api.process.metrics import EngineCollector
from api.process.status import StatusReport
from api.streams.tallies import Tallies
from engine.contract.port import EventReader
from engine.trading.view.group_view import GroupViews
from engine.trading.view.live_view import LiveView

RuleCounts = Callable[[], Mapping[tuple[int, str], tuple[int, int]]]
"""Returns by set and rule how many orders it refused, and how many it could not judge."""


class TradingCollector(EngineCollector):
    """Reads trades and orders too."""

    def __init__(
        self,
        reader: EventReader,
        view: LiveView,
        status: StatusReport,
        own: Callable[[], Document],
        groups: GroupViews,
        tallies: Tallies,
        rule_counts: RuleCounts = lambda: {},
    ) -> None:
        super().__init__(reader, view, status, own)
        self._trading_view = view
        self._groups = groups
        self._tallies = tallies
        self._rule_counts = rule_counts

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
            "pinion_latched_groups",
            "Groups of accounts that a limit has blocked, or lets only reduce",
            labels=["limit"],
        )
        for limit, count in self._groups.latch_counts().items():
            of_groups.add_metric([limit], count)
        yield of_groups
        refused = CounterMetricFamily(
            "pinion_rule_refusals", "Orders that a rule of a kept set refused", labels=["set", "rule"]
        )
        faults = CounterMetricFamily(
            "pinion_rule_faults", "Orders that a rule of a kept set could not judge", labels=["set", "rule"]
        )
        for (ruleset, rule), (refused_count, fault_count) in self._rule_counts().items():
            refused.add_metric([str(ruleset), rule], refused_count)
            faults.add_metric([str(ruleset), rule], fault_count)
        yield refused
        yield faults
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
