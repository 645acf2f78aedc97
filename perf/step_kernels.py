"""The kernels of the step tier beside the replica's own: sum the events, time the timer.

The replica's kernel applies the commands, and moves events from `s.out` to a small buffer in cache, in
bursts, as they go to the event ring in production. Here every word of every slot is summed, and the kinds
of the events are counted.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.spread import COUNT_MASK, MARK_WORD, SLOT_WORDS
from engine.trading.event_forms import KIND
from engine.trading.records import EventKind
from ringbuf.atomics import cycle_count
from ringbuf.kernel import kernel


def offset_bytes(dtype: np.dtype[Any], name: str) -> int:
    """Return where a field of a record begins."""
    assert dtype.fields is not None
    return int(dtype.fields[name][1])


KINDS = 16
REJECTED = int(EventKind.REJECTED)

Words = npt.NDArray[np.int64]


@kernel
def read_events(sink: Words, count: int, kinds: Words) -> int:
    """Count the kinds of the events in `count` slots; return a checksum of all their words."""
    total = 0
    for slot in range(count):
        for word in range(SLOT_WORDS):
            total = total * 31 + sink[slot, word]
    first = 0
    while first < count:
        kinds[sink[first, KIND] & 0xFF] += 1  # the kind is the word's lowest byte
        first += sink[first, MARK_WORD] & COUNT_MASK
    return total


@kernel
def timer_cycles(cycles: Words) -> None:
    """Fill `cycles` with the cost of timing nothing."""
    for i in range(cycles.shape[0]):
        begun = cycle_count()
        cycles[i] = cycle_count() - begun
