"""Latencies of a replay: how long the kernel took for each command, from 1 ns to beyond a century.

Up to a millisecond every nanosecond has a bin of its own; longer ones share the log-linear buckets
of engine/contract/histogram.py, known to 6 %. The first FIRST_COMMANDS commands are counted apart: they meet
code that has never run and memory that the machine hands out page by page as it is touched.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from engine.contract.histogram import BUCKETS, bucket_of, upper_edge
from ringbuf.cycles import CYCLE_BITS, cycle_ns
from ringbuf.kernel import kernel

EXACT_NS = 1 << 20
LATENCY_BINS = EXACT_NS + BUCKETS
FIRST_COMMANDS = 1000
FIRST, STEADY = 0, 1
PERCENTILES = (50.0, 90.0, 99.0, 99.9)

Counts = npt.NDArray[np.int64]


@kernel
def count_latencies(counts: Counts, longest_ns: Counts, seq: int, cycles: Counts, cycle_ns: int) -> None:
    """Count some commands.

    counts : int64[2, LATENCY_BINS], by FIRST or STEADY
    longest_ns : int64[2], the same
    seq : int64, number of the first of them in the replay, from 1
    cycles : int64[n], of the time-stamp counter, what each took
    cycle_ns : int64, ns per 2**CYCLE_BITS cycles
    """
    for k in range(cycles.shape[0]):
        part = FIRST if seq + k <= FIRST_COMMANDS else STEADY
        took_ns = (cycles[k] * cycle_ns) >> CYCLE_BITS
        counts[part, took_ns if took_ns < EXACT_NS else EXACT_NS + bucket_of(took_ns)] += 1
        longest_ns[part] = max(longest_ns[part], took_ns)


class Latencies:
    """The counts of one replay."""

    def __init__(self, *, is_counting: bool) -> None:
        self.counts = np.zeros((2, LATENCY_BINS if is_counting else 0), np.int64)
        self.longest_ns = np.zeros(2, np.int64)
        self._cycle_ns = cycle_ns() if is_counting else 0
        if is_counting:
            self.count(1, np.zeros(0, np.int64))  # compiled or loaded before any clock runs

    def count(self, seq: int, cycles: Counts) -> None:
        """Count what commands took, the first of which is number `seq` of the replay."""
        count_latencies(self.counts, self.longest_ns, seq, cycles, self._cycle_ns)

    def percentile_ns(self, part: int, percent: float) -> int:
        """Return what `percent` of the commands of a part did not exceed."""
        total = int(self.counts[part].sum())
        rank = max(1, int(np.ceil(total * percent / 100)))
        at = int(np.searchsorted(np.cumsum(self.counts[part]), rank))
        edge = at if at < EXACT_NS else upper_edge(at - EXACT_NS)
        return min(edge, int(self.longest_ns[part]))

    def lines(self) -> Iterator[str]:
        """Return the percentiles as text: those of the first commands in a line of their own."""
        first, steady = (int(total) for total in self.counts.sum(axis=1))
        if first + steady == 0:
            return
        behind = f"none behind the first {first:,} commands" if steady == 0 else self._text(STEADY)
        yield f"latency per command, ns       {behind} (with hints and moved events)"
        name = f"the first {first:,} commands"
        yield f"  {name:<26}  {self._text(FIRST)} (first calls, memory not touched before)"

    def _text(self, part: int) -> str:
        shown = (f"p{percent:g} {self.percentile_ns(part, percent):,}" for percent in PERCENTILES)
        return f"{', '.join(shown)}, max {int(self.longest_ns[part]):,}"
