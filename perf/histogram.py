"""Latency percentiles by exact order statistics: every sample of a run is kept and sorted.

pyperf averages loops, which hides tails, so percentiles are ours. A percentile here is a
sample that occurred, the smallest one that at least that share of all samples do not exceed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Percentiles:
    """What a run's latencies come to, in ns."""

    mean_ns: float
    p50_ns: float
    p99_ns: float
    p999_ns: float
    max_ns: float


def percentiles(samples_ns: npt.NDArray[Any]) -> Percentiles:
    """Return the percentiles of at least one sample."""
    if len(samples_ns) == 0:
        raise ValueError("no samples")
    ordered = np.sort(samples_ns)
    return Percentiles(
        mean_ns=round(float(ordered.mean()), 1),
        p50_ns=_at(ordered, 500),
        p99_ns=_at(ordered, 990),
        p999_ns=_at(ordered, 999),
        max_ns=round(float(ordered[-1]), 1),
    )


def _at(ordered: npt.NDArray[Any], per_mille: int) -> float:
    """Return the sample at a share in parts per thousand, counted in integers."""
    rank = -(-len(ordered) * per_mille // 1000)
    return round(float(ordered[max(rank, 1) - 1]), 1)
