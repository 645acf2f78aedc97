"""What `/metrics` tells of payments beyond what it tells of any application."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from api.payments.decisions import DecisionCounts, operation_name
from api.payments.trial_metrics import trial_metrics
from api.process.documents import Document
from api.process.metrics import EngineCollector
from api.process.status import StatusReport
from engine.contract.port import EventReader
from engine.payments.codes import BY_NUMBER
from engine.payments.view.counts import StateCounts
from engine.payments.view.rules_view import ARMS, RulesView
from engine.payments.view.shares import SharesView
from ringbuf.seqlock import TornReadError

WARN_SHARE = 0.8
DAY_S = 86_400
MS_PER_S = 1000


class PaymentsCollector(EngineCollector):
    """Reads decisions and what the state has room for."""

    def __init__(
        self,
        reader: EventReader,
        state: StateCounts,
        status: StatusReport,
        own: Callable[[], Document],
        counts: DecisionCounts,
        shares: SharesView,
        rules: Callable[[], RulesView],
    ) -> None:
        super().__init__(reader, state, status, own)
        self._shares = shares
        self._state = state
        self._counts = counts
        self._rules = rules

    def of_application(self) -> Iterator[Metric]:
        """Yield decisions, capacities that run full, answers and rows that gave way."""
        yield from self._decisions()
        yield CounterMetricFamily("pinion_decided", "Payments decided since the start", self._state.decided)
        yield GaugeMetricFamily(
            "pinion_history_seq", "Last command that payments give way by", self._state.history_seq
        )
        yield GaugeMetricFamily("pinion_pending", "Payments that wait for a processor", self._state.pending)
        yield GaugeMetricFamily(
            "pinion_reversals_owed",
            "Payments whose reversal a processor has not confirmed",
            self._state.reversals_owed,
        )
        use = self._state.capacity_use()
        warning = GaugeMetricFamily("pinion_pool_warning", "1: four fifths are in use", labels=["pool"])
        for name, (used, capacity) in use.items():
            warning.add_metric([name], used >= WARN_SHARE * capacity)
        yield warning
        early = CounterMetricFamily(
            "pinion_given_way_early", "Rows that gave way before their time", labels=["pool"]
        )
        for name, count in self._state.given_way_early().items():
            early.add_metric([name], count)
        yield early
        yield from self._answers(*use["answers"])
        if self._shares.is_on:
            yield from self._fleet()
        with suppress(TornReadError):  # the state is being rebuilt: the next scrape tells
            yield from trial_metrics(self._rules())

    def _fleet(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "pinion_store_up", "1: the store of the fleet answers", self._shares.is_store_up
        )
        yield GaugeMetricFamily(
            "pinion_fleet_instances", "That share the daily limits of today", self._shares.instances
        )
        yield CounterMetricFamily(
            "pinion_share_moves", "Shares of daily limits given or taken since the journal began",
            self._shares.moves,
        )  # fmt: skip
        yield CounterMetricFamily(
            "pinion_sightings_merged", "Cards that others saw, and that were news", self._shares.merged
        )
        yield CounterMetricFamily(
            "pinion_sightings_unmerged", "Those for which there was no room", self._shares.unmerged
        )

    def _decisions(self) -> Iterator[Metric]:
        decisions = CounterMetricFamily(
            "pinion_decisions", "Decisions since this process began", labels=["code", "rule", "cohort"]
        )
        for (code, rule, cohort), count in sorted(self._counts.by_family().items()):
            decisions.add_metric([BY_NUMBER[code].name, rule, ARMS[cohort]], count)
        yield decisions
        operations = CounterMetricFamily(
            "pinion_operations", "Operations since this process began", labels=["operation", "code"]
        )
        for (op, code), count in sorted(self._counts.operations.items()):
            operations.add_metric([operation_name(op), BY_NUMBER[code].name], count)
        yield operations
        replayed = self._counts.replayed_count
        yield CounterMetricFamily("pinion_replayed", "Answers from memory since this process began", replayed)

    def _answers(self, used: int, capacity: int) -> Iterator[Metric]:
        age_ms = self._state.oldest_answer_age_ms()
        age_s = 0.0 if age_ms is None else age_ms / MS_PER_S
        yield GaugeMetricFamily("pinion_oldest_answer_seconds", "Age of the oldest answer", age_s)
        yield GaugeMetricFamily(
            "pinion_answers_warning",
            "1: answers give way before they are a day old, so repeats may be decided anew",
            used == capacity and age_s < DAY_S,
        )
