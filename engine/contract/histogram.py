"""Latency histograms as plain int64 buckets: written by a kernel, read by any process.

Log-linear: 16 buckets to each power of two, so a value is known to within 6%. Values
are nanoseconds, from 0 to beyond a century; one bucket array has BUCKETS words.
"""

import numpy as np
import numpy.typing as npt

from engine.contract.bits import highest_bit
from ringbuf.njit import njit

SUB_BITS = 4
SUB_BUCKETS = 1 << SUB_BITS
BUCKETS = (64 - SUB_BITS) * SUB_BUCKETS

Buckets = npt.NDArray[np.int64]


@njit
def bucket_of(value: int) -> int:
    """Return the bucket of a value; negative ones (clocks apart) count as 0."""
    if value < SUB_BUCKETS:
        return max(value, 0)
    shift = highest_bit(value) - SUB_BITS
    return (shift << SUB_BITS) + (value >> shift)


@njit
def record(buckets: Buckets, value: int) -> None:
    """Count one value."""
    buckets[bucket_of(value)] += 1


def upper_edge(bucket: int) -> int:
    """Return the highest value that falls into a bucket."""
    if bucket < 2 * SUB_BUCKETS:
        return bucket
    shift = (bucket >> SUB_BITS) - 1
    return ((bucket - (shift << SUB_BITS) + 1) << shift) - 1


class Histogram:
    """A copy of one histogram's buckets, which can be asked for percentiles."""

    def __init__(self, buckets: Buckets) -> None:
        self.counts = np.array(buckets, np.int64)
        self.count = int(self.counts.sum())

    def percentile(self, share: float) -> int:
        """Return the value that `share` per cent of all values do not exceed; 0 when empty."""
        if self.count == 0:
            return 0
        wanted = min(self.count, max(1, int(np.ceil(self.count * share / 100))))
        return upper_edge(int(np.searchsorted(np.cumsum(self.counts), wanted)))

    def since(self, earlier: "Histogram") -> "Histogram":
        """Return what was counted after `earlier` was taken."""
        return Histogram(self.counts - earlier.counts)

    def buckets(self) -> list[tuple[int, int]]:
        """Return (highest value, count) of every bucket that is not empty."""
        return [(upper_edge(int(i)), int(self.counts[i])) for i in np.flatnonzero(self.counts)]
