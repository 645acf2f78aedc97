"""Refusals and latches are counted by what they are of, for Prometheus."""

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest

from api.pages.metrics import tallied
from tests.api.streams.test_risk import Watched


class Told:
    """Metrics as a collector."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def sorted_labels(line: str) -> str:
    """Return a line of metrics with its labels in one order."""
    name, _, rest = line.partition("{")
    labels, _, value = rest.partition("}")
    return f"{name}{sorted(labels.split(','))}{value}"


def test_refusals_and_latches_are_counted_by_limit_and_level() -> None:
    watched = Watched()
    watched.mark("80")  # 40 of 50: a warning
    watched.mark("75")
    for _ in range(3):
        watched.exchange.order(1, "buy", "75", "1")
    watched.do(op="reset_latch", account=1, rebase=True)
    watched.do(op="kill", account=2)
    watched.do(op="limits", account=3, max_open_orders=0)
    watched.exchange.order(3, "buy", "75", "1")

    registry = CollectorRegistry()
    registry.register(Told(list(tallied(watched.exchange.hub.tallies))))
    text = generate_latest(registry).decode()

    for line in (
        'pinion_refusals_total{reason="blocked"} 3.0',
        'pinion_refusals_total{reason="max_open_orders"} 1.0',
        'pinion_latches_total{level="warn",limit="max_drawdown"} 1.0',
        'pinion_latches_total{level="cancel_and_block",limit="max_drawdown"} 1.0',
        'pinion_latches_total{level="lifted",limit="max_drawdown"} 1.0',
        'pinion_latches_total{level="cancel_and_block",limit="kill"} 1.0',
    ):
        assert sorted_labels(line) in [sorted_labels(each) for each in text.splitlines()], text
