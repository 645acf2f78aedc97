"""Calls between the processes of an instance: who wakes whom, and the worker's sleep (ringbuf/bells.py).

    door, feeder  publish commands      call the worker
    worker        publishes entries     calls the journaler
    worker        commits events        calls the readers, where these are durable already
    journaler     D moves               calls the readers, the worker that waits for D, the shadow

Before it sleeps the worker looks at everything it could go on with: a command in any ring, or, where
its gate is closed or the journal ring full, what would open the gate or make room.
"""

from typing import Any

from engine.contract.control_words import (
    DURABLE,
    FOR_DURABLE,
    JOURNALER_BELL,
    LATCH,
    READER_BELLS,
    SHADOW_BELL,
    WORKER_BELL,
)
from ringbuf.atomics import clock_monotonic_ns, fence_full, load_acquire
from ringbuf.bells import call, fall_asleep, ring, ring_all, stay_asleep, wake_up
from ringbuf.kernel import apart, kernel
from ringbuf.layout import ASLEEP
from ringbuf.spsc import available, room


@kernel
def visible_end(loop: Any, journal: Any, ends: Any) -> int:
    """Return V: the index after the last event that readers may see."""
    durable = load_acquire(journal.control, DURABLE)  # pairs with the journaler's store
    end: int = loop.event_end
    if durable >= loop.applied:
        # All that is committed is visible, the first chunks of events in `out` included.
        return end
    durable_end: int = ends.words[durable & (ends.words.shape[0] - 1)]
    return min(durable_end, end)


@kernel
def call_journaler(loop: Any, bells: Any) -> None:
    """Wake the journaler, if it sleeps: there are entries for it."""
    if not loop.journals_itself:
        call(bells.words, JOURNALER_BELL, ASLEEP)


@kernel
def call_readers(journal: Any, bells: Any, seq: int) -> None:
    """Wake the readers of events, if the event just committed, of command `seq`, is durable already.

    Mostly it is not: then the journaler calls, when it is.
    """
    fence_full()  # the events are committed before D is looked at; pairs with fall_asleep()
    if load_acquire(journal.control, DURABLE) >= seq:  # pairs with the journaler's store
        ring_all(bells.words, READER_BELLS, ASLEEP)


@apart
def sleep(
    loop: Any, commands: Any, journal: Any, ends: Any, bells: Any,
    is_open: bool, has_room: bool, limit_ns: int, due: int,
) -> int:  # fmt: skip
    """Sleep until the worker can go on, limit_ns at most; return INTERRUPTED when a signal ended it.

    is_open, has_room : of the gate and of the journal ring; where one is closed or full, D has to move
    due : ns of the wall clock, when the next TICK is to be made
    """
    waits_for = FOR_DURABLE
    if is_open and has_room:
        waits_for = ASLEEP
        limit_ns = min(limit_ns, due - loop.clock_offset - clock_monotonic_ns())
    fall_asleep(bells.words, WORKER_BELL, waits_for)
    outcome = 0
    if limit_ns > 0 and not can_go_on(loop, commands, journal, ends, is_open, has_room):
        outcome = stay_asleep(bells.words, WORKER_BELL, waits_for, limit_ns)
    wake_up(bells.words, WORKER_BELL)
    return outcome


@kernel
def can_go_on(loop: Any, commands: Any, journal: Any, ends: Any, is_open: bool, has_room: bool) -> bool:
    """Tell whether what the worker waits for has come; parameters as of `sleep`."""
    if load_acquire(journal.control, LATCH) != 0:  # pairs with the journaler's store
        return True
    if not is_open:
        return bool(visible_end(loop, journal, ends) != loop.visible)
    if not has_room:
        return bool(room(journal.control, journal.slots.shape[0]) > 0)
    for ring_idx in range(commands.rings.shape[0]):
        if available(commands.rings[ring_idx].control) > 0:
            return True
    return False


@kernel
def call_at_sync(bells: Any) -> None:
    """Wake every process that waits for D, which has moved: readers first, since clients wait for them.

    bells : int64[n * LINE_WORDS]
    """
    fence_full()  # D is stored before the words are loaded; pairs with fall_asleep()
    ring_all(bells, READER_BELLS, ASLEEP)
    ring(bells, WORKER_BELL, FOR_DURABLE)
    ring(bells, SHADOW_BELL, ASLEEP)
