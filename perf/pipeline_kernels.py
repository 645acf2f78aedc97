"""The gateway's side of the pipeline tier as kernels: publish commands, read events, keep time.

One process plays gateway and reader, the worker is the other: two cores in all. Every event
is copied out of the event ring under the rules of its readers, and all its words are summed.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.spread import COUNT_MASK, MARK_WORD, SLOT_WORDS
from engine.trading.event_forms import ENG_TS, KIND
from engine.trading.records import COMMAND, EVENT, EventFlag
from perf.step_kernels import offset_bytes
from ringbuf.atomics import clock_monotonic_ns, clock_realtime_ns, cpu_pause, sched_yield
from ringbuf.broadcast import read
from ringbuf.copying import put_slots
from ringbuf.layout import PUBLISHED
from ringbuf.njit import njit
from ringbuf.sleeping import sleep_ns
from ringbuf.spsc import claim_up_to, publish

COMMAND_WORDS = COMMAND.itemsize // 8
GW_TS_WORD = offset_bytes(COMMAND, "gw_ts") // 8
CHECKED_FROM = ENG_TS + 1
"""seq and eng_ts depend on the worker's TICKs and clock; the words behind do not."""
assert offset_bytes(EVENT, "flags") == offset_bytes(EVENT, "kind") + 1
LAST = int(EventFlag.LAST) << 8
PUSH_MAX = 64
REST_NS = 50_000
"""How long an open loop that shares its core sleeps when nothing is due: as a gateway that waits for its
sockets. It counts in every latency."""
IDLE_LIMIT = 1 << 33
"""Rounds without progress before the other process is given up: more than ten seconds."""
DONE, STALLED, LAPPED = 0, -1, -2

READER = np.dtype(
    [
        ("yields", "<i8"),  # while waiting gives its core away: for runs with more processes than cores
        ("position", "<i8"),
        ("following", "<i8"),  # slots of the newest event that were not read yet
        ("answered", "<i8"),  # commands whose last event was read
        ("events", "<i8"),
        ("checksum", "<i8"),
        ("kinds", "<i8", (16,)),
    ]
)
"""What the reading side keeps."""

Words = npt.NDArray[np.int64]


@njit
def rest(r: Any) -> None:
    """Let a moment pass."""
    if r.yields:
        sched_yield()
    else:
        cpu_pause()


@njit
def push(control: Words, slots: Words, commands: Words, first: int, last: int) -> int:
    """Publish commands[first:last], stamped, PUSH_MAX at most and as there is room; return how many."""
    count = claim_up_to(control, slots.shape[0], min(last - first, PUSH_MAX))
    position = control[PUBLISHED]
    put_slots(slots, position, commands, first, count)
    now = clock_realtime_ns()
    for i in range(position, position + count):
        slots[i & (slots.shape[0] - 1), GW_TS_WORD] = now
    publish(control, count)
    return count


@njit
def take_events(r: Any, events_control: Words, events: Words, gate: Words, gate_idx: int, out: Words) -> int:
    """Read what is visible: count and sum it into the READER record; return the slots read, or LAPPED."""
    count = read(events_control, events, gate, gate_idx, r.position, out, out.shape[0])
    if count < 0:
        return LAPPED
    for slot in range(count):
        total = r.checksum
        for word in range(CHECKED_FROM, SLOT_WORDS):
            total += out[slot, word]
        r.checksum = total
        if r.following > 0:
            r.following -= 1
            continue
        r.following = (out[slot, MARK_WORD] & COUNT_MASK) - 1
        r.events += 1
        r.kinds[out[slot, KIND] & 0xF] += 1
        if out[slot, KIND] & LAST:
            r.answered += 1
    r.position += count
    return count


@njit
def stream(
    control: Words, slots: Words, commands: Words, first: int, last: int,
    reader: Any, events_control: Words, events: Words, gate: Words, gate_idx: int, out: Words,
) -> int:  # fmt: skip
    """Publish commands[first:last] as fast as they are taken and read all their events; DONE or why not."""
    r = reader[0]
    wanted = r.answered + last - first
    sent = first
    idle = 0
    while r.answered < wanted:
        pushed = push(control, slots, commands, sent, last) if sent < last else 0
        sent += pushed
        count = take_events(r, events_control, events, gate, gate_idx, out)
        if count == LAPPED:
            return LAPPED
        if pushed == 0 and count == 0:
            rest(r)
            idle += 1
            if idle > IDLE_LIMIT:
                return STALLED
        else:
            idle = 0
    return DONE


@njit
def one_at_a_time(
    control: Words, slots: Words, commands: Words, first: int, last: int, reader: Any,
    events_control: Words, events: Words, gate: Words, gate_idx: int, out: Words, latency_ns: Words,
) -> int:  # fmt: skip
    """Publish each command once the one before is answered; note ns from publishing to its last event."""
    r = reader[0]
    for i in range(first, last):
        wanted = r.answered + 1
        begun = clock_monotonic_ns()
        pushed = push(control, slots, commands, i, i + 1)
        assert pushed == 1  # nothing else is under way
        idle = 0
        while r.answered < wanted:
            count = take_events(r, events_control, events, gate, gate_idx, out)
            if count == LAPPED:
                return LAPPED
            if count == 0:
                rest(r)
                idle += 1
                if idle > IDLE_LIMIT:
                    return STALLED
        latency_ns[i - first] = clock_monotonic_ns() - begun
    return DONE


@njit
def open_loop(
    control: Words, slots: Words, commands: Words, first: int, last: int, reader: Any,
    events_control: Words, events: Words, gate: Words, gate_idx: int, out: Words,
    latency_ns: Words, late_ns: Words, interval_ns: int,
) -> int:  # fmt: skip
    """Publish a command every `interval_ns`, whatever the engine does; count from the intended time.

    latency_ns : int64[last - first], intended time of a command to the reading of its last event
    late_ns : int64[last - first], intended time to the moment the generator got to it: what
        the machine itself took away from this process, seen in the same run
    """
    r = reader[0]
    start = clock_monotonic_ns() + interval_ns
    sent = first
    idle = 0
    wanted = r.answered + last - first
    base = r.answered
    while r.answered < wanted:
        now = clock_monotonic_ns()
        due = min(last, first + 1 + (now - start) // interval_ns)
        pushed = push(control, slots, commands, sent, due)  # a full ring: again at the next round
        # Of these alone: noting all that is due each round, a generator far behind never caught up.
        for k in range(sent, sent + pushed):
            late_ns[k - first] = now - start - (k - first) * interval_ns
        sent += pushed
        before = r.answered - base
        count = take_events(r, events_control, events, gate, gate_idx, out)
        if count == LAPPED:
            return LAPPED
        if r.answered - base > before:
            now = clock_monotonic_ns()
            for k in range(before, r.answered - base):
                latency_ns[k] = now - start - k * interval_ns
        if count == 0 and pushed == 0 and r.yields:
            sleep_ns(REST_NS)
        idle = 0 if count > 0 or sent < last else idle + 1
        if idle > IDLE_LIMIT:
            return STALLED
    return DONE


@njit
def hiccups(late_ns: Words, interval_ns: int) -> None:
    """Note at each intended time how late this process got to see it: the machine alone."""
    start = clock_monotonic_ns() + interval_ns
    for k in range(late_ns.shape[0]):
        due = start + k * interval_ns
        now = clock_monotonic_ns()
        while now < due:
            now = clock_monotonic_ns()
        late_ns[k] = now - due
