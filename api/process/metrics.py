"""`/metrics`: the engine's counters and histograms in Prometheus' words.

Collected anew at each scrape from shared memory; nothing is counted twice here.
"""

from collections.abc import Callable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from api.process.documents import Document
from api.process.live import Counts
from api.process.status import StatusReport
from engine.contract.latch import LATCH_REASONS, LATCH_TEXTS
from engine.contract.port import EventReader
from engine.contract.readiness import STANDING
from ringbuf.segment_header import process_start

CONTENT_TYPE = CONTENT_TYPE_LATEST
NS_PER_S = 1e9
EDGES_NS = tuple(2**bits - 1 for bits in range(5, 36))
"""Fixed edges, 31 ns to 34 s: a scrape must show the same buckets as the one before."""


class EngineCollector(Collector):
    """Reads everything at the moment of the scrape."""

    def __init__(
        self, reader: EventReader, view: Counts, status: StatusReport, own: Callable[[], Document]
    ) -> None:
        self._reader = reader
        self._view = view
        self._status = status
        self._own = own

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield from self._rings_and_counters()
        # Ahead of seq, so as never to show more durable than applied.
        durable_seq = self._reader.durable_seq()
        yield from self._health(durable_seq)
        yield GaugeMetricFamily("pinion_seq", "Last command applied", self._view.seq)
        yield GaugeMetricFamily("pinion_durable_seq", "Last durable command", durable_seq)
        yield from self.of_application()
        used = GaugeMetricFamily("pinion_pool_used", "Entries in use", labels=["pool"])
        capacity = GaugeMetricFamily("pinion_pool_capacity", "Entries there are", labels=["pool"])
        for name, (used_count, capacity_count) in self._view.capacity_use().items():
            used.add_metric([name], used_count)
            capacity.add_metric([name], capacity_count)
        yield used
        yield capacity
        yield from self._histograms()
        for name, value in self._own().items():
            yield GaugeMetricFamily(f"pinion_api_{name}", f"{name} of the API process", value)

    def of_application(self) -> Iterator[Metric]:
        """Yield what only this application counts."""
        yield from ()

    def _health(self, durable_seq: int) -> Iterator[Metric]:
        """Yield what an alert watches; the same judgement as that of /readyz."""
        running, readiness = self._status.running(), self._status.readiness
        troubles = readiness.troubles(running)
        is_ready = not any(each.blocks for each in troubles)
        yield GaugeMetricFamily("pinion_ready", "1: an order would be answered", is_ready)
        latched = GaugeMetricFamily(
            "pinion_latched", "1: nothing more is accepted, for this", labels=["reason"]
        )
        cause = readiness.latched()
        for value, reason in LATCH_REASONS.items():
            latched.add_metric([reason], cause == LATCH_TEXTS[value])
        yield latched
        ages = GaugeMetricFamily("pinion_heartbeat_age_seconds", "Since the last beat", labels=["process"])
        for process, age_ns in readiness.heartbeat_ages_ns().items():
            if age_ns is not None:
                ages.add_metric([process], age_ns / NS_PER_S)
        yield ages
        up = GaugeMetricFamily("pinion_process_up", "1: the process runs", labels=["process"])
        for each in running.processes:
            up.add_metric([each.name], process_start(each.pid) is not None)
        yield up
        endings = CounterMetricFamily(
            "pinion_process_endings", "Ends that nobody asked for", labels=["process"]
        )
        for ending in running.endings:
            endings.add_metric([ending.process], ending.count)
        yield endings
        alarm = GaugeMetricFamily("pinion_alarm", "1: raised until the next start", labels=["alarm"])
        for reason, is_raised in readiness.alarms().items():
            alarm.add_metric([reason], is_raised)
        yield alarm
        lag = max(0, self._view.seq - durable_seq)
        yield GaugeMetricFamily("pinion_durable_lag", "Commands applied and not durable yet", lag)
        stalled_s = readiness.look() / NS_PER_S
        yield GaugeMetricFamily(
            "pinion_stalled_seconds", "Nothing became durable while commands waited", stalled_s
        )

    def _rings_and_counters(self) -> Iterator[Metric]:
        depths = GaugeMetricFamily("pinion_ring_depth", "Commands waiting", labels=["ring"])
        for ring, depth in zip(self._reader.instance.rings, self._status.ring_depths(), strict=True):
            depths.add_metric([ring], depth)
        yield depths
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for name, value in self._status.counters().items():
            owner, _, what = name.rpartition(".")
            if what not in families:
                made = GaugeMetricFamily if what in STANDING else CounterMetricFamily
                text = f"{what}, as it stands" if what in STANDING else f"{what} since the start"
                families[what] = made(f"pinion_{what}", text, labels=["owner"])
            families[what].add_metric([owner], value)
        yield from families.values()

    def _histograms(self) -> Iterator[Metric]:
        family = HistogramMetricFamily("pinion_latency_seconds", "Time spent in a stage", labels=["stage"])
        for stage, histogram in self._reader.histograms().items():
            counts = histogram.buckets()
            buckets: list[tuple[str, float]] = [
                (repr(edge_ns / NS_PER_S), sum(count for upper_ns, count in counts if upper_ns <= edge_ns))
                for edge_ns in EDGES_NS
            ]
            buckets.append(("+Inf", histogram.count))
            weighted_ns = sum(upper_ns * count for upper_ns, count in counts)
            # The sum is that of the buckets' upper edges: the values themselves are not kept.
            family.add_metric([stage], buckets, sum_value=weighted_ns / NS_PER_S)
        yield family


class Metrics:
    """The scrape page."""

    def __init__(self, collector: EngineCollector) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(collector)

    def page(self) -> bytes:
        """Return the text exposition."""
        return generate_latest(self._registry)
