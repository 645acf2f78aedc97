"""The kernels of the step tier: apply commands, copy out and sum their events, on one core.

Events leave `s.out` for a small buffer in cache, in bursts, as they leave for the event ring in
production. The reading side sums every word of every event and counts kinds and rejects.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.batches import BURST_EVENTS, PLACES, STAGES, STRIDE
from engine.trading.kernels.apply import apply
from engine.trading.kernels.prepare import prepare
from engine.trading.records import EVENT, EventKind
from ringbuf.atomics import copy_words, cycle_count
from ringbuf.kernel import kernel
from ringbuf.seqlock import close_version


def offset_bytes(dtype: np.dtype[Any], name: str) -> int:
    """Return where a field of a record begins."""
    assert dtype.fields is not None
    return int(dtype.fields[name][1])


EVENT_WORDS = EVENT.itemsize // 8
KIND_WORD = offset_bytes(EVENT, "kind") // 8
assert offset_bytes(EVENT, "kind") % 8 == 0  # the kind is the word's lowest byte
KINDS = 16
REJECTED = int(EventKind.REJECTED)
NO_ROOM = -1

Words = npt.NDArray[np.int64]


@kernel
def apply_chunk(state: Any, out: Words, commands: Any, count: int, sink: Words, cycles: Words) -> int:
    """Apply commands[:count]; return how many events lie in `sink`, or NO_ROOM.

    Parameters
    ----------
    state : array of one STATE record; an array, because unboxing a record costs 30 us a call
    out : int64[n, EVENT_WORDS], the same memory as the state's `out`
    sink : int64[m, EVENT_WORDS]
    cycles : int64[count] to be filled with the time-stamp counter's difference of each
        command, or int64[0] not to time single commands
    """
    s = state[0]
    written = 0
    is_timed = cycles.shape[0] > 0
    begun = 0
    for k in range(count):
        if is_timed:
            begun = cycle_count()
        for stage in range(STAGES):  # no function of its own: an array argument costs two atomic adds
            ahead = k + (STAGES - stage) * STRIDE
            if ahead < count:
                prepare(s, commands[ahead], stage, ahead & (PLACES - 1))
        apply(s, commands[k], s.seq + 1, s.eng_ts, 0)
        for i in range(s.opened_count):
            close_version(s.version, s.opened[i], s.seq)
        s.opened_count = 0
        if s.out_count > BURST_EVENTS or k == count - 1:
            if written + s.out_count > sink.shape[0]:
                return NO_ROOM
            copy_words(sink, written, 0, out, 0, 0, s.out_count * EVENT_WORDS)
            written += s.out_count
            s.out_count = 0
        if is_timed:
            cycles[k] = cycle_count() - begun
    return written


@kernel
def read_events(sink: Words, count: int, kinds: Words) -> int:
    """Count the kinds of the first `count` events; return a checksum of all their words."""
    total = 0
    for i in range(count):
        for word in range(EVENT_WORDS):
            total = total * 31 + sink[i, word]
        kinds[sink[i, KIND_WORD] & 0xFF] += 1
    return total


@kernel
def timer_cycles(cycles: Words) -> None:
    """Fill `cycles` with the cost of timing nothing."""
    for i in range(cycles.shape[0]):
        begun = cycle_count()
        cycles[i] = cycle_count() - begun
