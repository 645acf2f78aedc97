"""What a feeder measures: commands, fills, refusals, and latency from the intended send time.

Open loop: a command that should have left at a certain moment is late from then on,
whether it was sent late or answered late. Without a rate the moment of handing it to
the door counts.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
from hdrh.histogram import HdrHistogram

WINDOW = 1 << 20  # commands on their way at most, for whom the intended time is kept
LOWEST_NS, HIGHEST_NS = 100, 86_400_000_000_000
SIGNIFICANT_DIGITS = 2
QUANTUM_DIVISOR = 512  # values are rounded to 1/512 before they are counted together
SECOND_NS = 1_000_000_000


MEANINGS = {
    "unknown_order": "the order had ended already, or was never accepted",
    "already_defined": "the instance has this symbol or currency, and keeps it as it is",
    "duplicate": "the client id was used before, as by an earlier feed of the same file",
}
"""What stands behind the reasons that a feed meets most."""


class Meter:
    """The meter of one feed: what was sent, answered and refused, and how long it took."""

    def __init__(self, rate: float | None, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock  # nanoseconds, never backwards
        self.sent = 0
        self.answered = 0
        self.unanswered = 0  # waited for in vain
        self.fills = 0
        self.rejections: Counter[str] = Counter()  # by reason
        self.refusals: Counter[str] = Counter()  # at the door, before they became a command
        self.lost = 0  # events that overtook the reader
        self.began_ns = self._clock()
        self._interval_ns = None if not rate else SECOND_NS / rate
        self._intended = np.zeros(WINDOW, np.int64)
        self._total = HdrHistogram(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)
        self._recent = HdrHistogram(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)
        self._last = (self.began_ns, 0, 0)

    def restart(self) -> None:
        """Count the time from now on: the set-up is over."""
        self.began_ns = self._clock()
        self.sent = self.answered = self.unanswered = self.fills = 0
        self.rejections.clear()
        self.refusals.clear()
        self._last = (self.began_ns, 0, 0)
        self._total.reset()
        self._recent.reset()

    @property
    def in_flight(self) -> int:
        """Return how many commands wait for their answer."""
        return max(0, self.sent - self.answered - self.unanswered)

    def give_up(self) -> None:
        """Give up waiting for the commands that are on their way."""
        self.unanswered += self.in_flight

    def due(self) -> int:
        """Return how many more commands should have been sent by now."""
        if self._interval_ns is None:
            return WINDOW
        return int((self._clock() - self.began_ns) / self._interval_ns) + 1 - self.sent

    def seconds_until_due(self) -> float:
        """Return how long the next command still has."""
        if self._interval_ns is None:
            return 0.0
        due_ns = self.began_ns + self.sent * self._interval_ns
        return float(max(0.0, due_ns - self._clock()) / SECOND_NS)

    def send(self, count: int) -> None:
        """Note that the next `count` commands were handed over."""
        numbers = np.arange(self.sent, self.sent + count)
        if self._interval_ns is None:
            self._intended[numbers % WINDOW] = self._clock()
        else:
            self._intended[numbers % WINDOW] = self.began_ns + (numbers * self._interval_ns).astype(np.int64)
        self.sent += count

    def answer(self, numbers: "npt.NDArray[np.int64]") -> None:
        """Note that the commands of these numbers (from 0) were answered now."""
        if not len(numbers):
            return
        taken = self._clock() - self._intended[numbers % WINDOW]
        # Rounded to their leading bits, thousands of latencies become a few dozen entries.
        quantum = np.maximum(1, taken // QUANTUM_DIVISOR)
        values, counts = np.unique(taken // quantum * quantum, return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            held = min(max(value, LOWEST_NS), HIGHEST_NS)
            self._total.record_value(held, count)
            self._recent.record_value(held, count)
        self.answered += len(numbers)

    def live_line(self, ring_fill: str) -> str:
        """Return one line about the time since the last one."""
        now = self._clock()
        then, answered, fills = self._last
        seconds = max(now - then, 1) / SECOND_NS
        self._last = (now, self.answered, self.fills)
        p50, p99 = (self._recent.get_value_at_percentile(percent) for percent in (50, 99))
        self._recent.reset()
        commands_rate, fills_rate = (self.answered - answered) / seconds, (self.fills - fills) / seconds
        refused = self.rejections + self.refusals
        told = f"  refused {reasons(refused)}" if refused else ""
        return (
            f"{commands_rate:>11,.0f} commands/s  {fills_rate:>9,.0f} fills/s"
            f"  round trip p50 {micros(p50)} p99 {micros(p99)}  {ring_fill}{told}"
        )

    def report(self) -> Iterator[str]:
        """Return the result, one line at a time."""
        seconds = max(self._clock() - self.began_ns, 1) / SECOND_NS
        rate = self.sent / seconds
        yield f"sent {self.sent:,} commands in {seconds:.2f} s ({rate:,.0f}/s), answered {self.answered:,}"
        rejected, refused = self.rejections.total(), self.refusals.total()
        yield f"fills {self.fills:,}, rejected {rejected:,}, refused at the door {refused:,}"
        for name, counts in (("rejected", self.rejections), ("refused at the door", self.refusals)):
            if counts:
                yield f"  {name}: {reasons(counts, MEANINGS)}"
        waiting = self.unanswered + self.in_flight
        if waiting:
            yield f"unanswered {waiting:,}: what became of them is not known here"
        if self.lost:
            yield f"events lost because the reader was overtaken: {self.lost:,}"
        if self.answered:
            percentiles = ", ".join(
                f"p{percent:g} {micros(self._total.get_value_at_percentile(percent))}"
                for percent in (50, 90, 99, 99.9)
            )
            origin = "hand-over" if self._interval_ns is None else "intended send time"
            yield f"latency from the {origin}: {percentiles}, max {micros(self._total.get_max_value())}"


def reasons(counts: Counter[str], meanings: Mapping[str, str] | None = None) -> str:
    """Write how often each reason was given, in one line, the commonest first."""
    known = meanings or {}
    return ", ".join(
        f"{count:,} {reason} ({known[reason]})" if reason in known else f"{count:,} {reason}"
        for reason, count in counts.most_common()
    )


def micros(value_ns: float) -> str:
    """Write nanoseconds as microseconds."""
    return f"{value_ns / 1000:,.1f} us"
