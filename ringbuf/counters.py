"""Numbers that one process keeps and any other may read: counters, gauges, cursors, heartbeats.

    segment of kind COUNTERS: one COUNTER record of 128 bytes per name
    byte 0    value     int64, one writer, read and written by atomics
    byte 64   name      fixed when the segment is created

Each value has a pair of cache lines of its own, so counting costs its writer nothing while
nobody looks. Kernels get `words` (int64[LINE_WORDS * n], all records as words) and the index
of a value in it, which `word(name)` tells. A heartbeat is a value that holds the monotonic
clock of the last sign of life.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from ringbuf import segment
from ringbuf.atomics import Words, clock_monotonic_ns, load_acquire, store_release
from ringbuf.counting import add, beat
from ringbuf.layout import LINE_BYTES, LINE_WORDS
from ringbuf.segment import Kind, Segment
from ringbuf.spsc import words_of

NAME_BYTES = 64
COUNTER = np.dtype([("value", "<i8"), ("pad", "<i8", (7,)), ("name", f"S{NAME_BYTES}")])
assert COUNTER.itemsize == LINE_BYTES
NEVER = 0
"""Value of a heartbeat before the first beat."""


class Counters:
    """Named int64 values in a shared segment. A mapping from name to value for readers."""

    def __init__(self, shared: Segment) -> None:
        self.segment = shared
        self.words: Words = words_of(shared.slots).reshape(-1)
        names = [bytes(name).decode() for name in shared.slots["name"]]
        self._word = {name: idx * LINE_WORDS for idx, name in enumerate(names)}

    @classmethod
    def create(cls, name: str, counter_names: Sequence[str], *, epoch: int = 1) -> "Counters":
        """Create the segment `name` with these counters, all 0."""
        encoded = [counter.encode() for counter in counter_names]
        for text in encoded:
            if not 0 < len(text) <= NAME_BYTES:
                raise ValueError(f"counter name {text!r} must have 1 to {NAME_BYTES} bytes")
        if len(set(encoded)) != len(encoded):
            raise ValueError(f"counter names must differ: {', '.join(counter_names)}")
        records = np.zeros(len(encoded), COUNTER)
        records["name"] = encoded
        return cls(
            segment.create(
                name, Kind.COUNTERS, COUNTER, len(records), epoch=epoch, reserve=True, initial=records
            )
        )

    @classmethod
    def attach(cls, name: str, *, epoch: int | None = None, readonly: bool = False) -> "Counters":
        """Map the counters of another process."""
        return cls(segment.attach(name, Kind.COUNTERS, COUNTER, epoch=epoch, readonly=readonly))

    def word(self, counter: str) -> int:
        """Return the index of this counter's value in `words`."""
        return self._word[counter]

    def __getitem__(self, counter: str) -> int:
        return int(load_acquire(self.words, self._word[counter]))

    def __setitem__(self, counter: str, value: int) -> None:
        """Set a value. Only its one writer does."""
        store_release(self.words, self._word[counter], value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._word)

    def __len__(self) -> int:
        return len(self._word)

    def add(self, counter: str, count: int = 1) -> None:
        """Add to a value. Only its one writer does."""
        add(self.words, self._word[counter], count)

    def beat(self, counter: str) -> None:
        """Note that the owner of this heartbeat is alive now."""
        beat(self.words, self._word[counter])

    def age_ns(self, counter: str) -> int | None:
        """Return how long ago this heartbeat beat, None if it never did."""
        last = self[counter]
        return None if last == NEVER else max(0, int(clock_monotonic_ns()) - last)
