"""One measured case, in the shape that interface R7 fixes."""

from dataclasses import asdict, dataclass
from typing import Any

from perf.histogram import Percentiles

Line = dict[str, Any]
KEYS = (
    "tier",
    "case",
    "commands",
    "throughput_per_s",
    "mean_ns",
    "p50_ns",
    "p99_ns",
    "p999_ns",
    "max_ns",
    "offered_per_s",
    "durability",
    "checked",
)
LATENCY_KEYS = ("mean_ns", "p50_ns", "p99_ns", "p999_ns", "max_ns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A case that verified its own outcome; None = not measured by this case."""

    tier: str
    case: str
    commands: int
    throughput_per_s: int | None = None
    mean_ns: float | None = None
    p50_ns: float | None = None
    p99_ns: float | None = None
    p999_ns: float | None = None
    max_ns: float | None = None
    offered_per_s: int | None = None
    durability: str = "none"
    checked: bool = True

    def line(self) -> Line:
        """Return the result as the JSON object of interface R7."""
        return asdict(self)


def with_latencies(
    tier: str,
    case: str,
    commands: int,
    latencies: Percentiles,
    *,
    throughput_per_s: float | None = None,
    mean_ns: float | None = None,
    offered_per_s: int | None = None,
    durability: str = "none",
) -> Line:
    """Return a line with percentiles; `mean_ns` where the mean comes from another, untimed run."""
    return Result(
        tier=tier,
        case=case,
        commands=commands,
        throughput_per_s=None if throughput_per_s is None else round(throughput_per_s),
        mean_ns=latencies.mean_ns if mean_ns is None else round(mean_ns, 1),
        p50_ns=latencies.p50_ns,
        p99_ns=latencies.p99_ns,
        p999_ns=latencies.p999_ns,
        max_ns=latencies.max_ns,
        offered_per_s=offered_per_s,
        durability=durability,
    ).line()


def check_line(line: Line) -> None:
    """Refuse a line that is not of the shape of interface R7, or that did not verify its result."""
    if tuple(line) != KEYS:
        raise ValueError(
            f"result {line.get('tier')}/{line.get('case')} has keys {tuple(line)}, must be {KEYS}"
        )
    if line["checked"] is not True:
        raise ValueError(f"result {line['tier']}/{line['case']} did not verify its outcome")
