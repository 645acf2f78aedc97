"""The worker's loop: the only place where rings, the clock and an application meet.

    command rings --1 take a batch--> journal ring --2 apply--> s.out --3 emit--> event ring

1. What waits in the command rings, a batch at most, gets seq and eng_ts (one clock read) and goes
   into the journal ring, which is published before anything is applied; the command slots
   are free again at once. 2. Commands are applied out of the journal ring, one after the
   other. 3. Their events are copied from `s.out` to the event ring, some commands' together, in
   chunks between which the gate is asked: never overwrite what is not yet visible (protocol rule 5).
   Nothing waits inside a step: a closed gate or a full journal leaves the rest for the next.

The loop is neutral: an application brings `apply(s, command, seq, eng_ts, ring)`,
`prepare(s, command, stage, place)` (hints, engine/contract/batches.py), `next_due(s)` and a state
record whose fields `version`, `opened`, `opened_count`, `out`, `out_count`, `seq`, `eng_ts`,
`out_hashed`, `event_count`, `slot_count` and `event_hash` serve the loop and its recovery.
`build` binds one to copies of the kernels that call or know it (ringbuf/kernel.py, `bind`).
"""

import mmap
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np

from engine.contract.application import Application
from engine.contract.batches import BURST_SLOTS, build_hint, close_versions
from engine.contract.control_words import (
    CHECK_BITS,
    CHECKS,
    EVENT_RING_MIN,
    LATCH,
    STEP,
)
from engine.contract.event_hash import forget_events, hash_events
from engine.contract.histogram import record
from engine.contract.spread import COUNT_MASK, MARK_WORD
from engine.runtime import crash_points
from engine.runtime.calls import call_readers, sleep, visible_end
from engine.runtime.crash_points import crash_here
from engine.runtime.sequencing import NO_ROOM, build_sequencing, journal_tick, take_batch
from ringbuf.atomics import (
    clock_monotonic_ns,
    cycle_count,
    load_acquire,
    store_relaxed,
    store_release,
)
from ringbuf.broadcast import announce, commit
from ringbuf.copying import put_slots
from ringbuf.kernel import apart, bind, kernel
from ringbuf.layout import GATE_WORD, LINE_WORDS, STAMP_WORD, WORD_BYTES
from ringbuf.sleeping import INTERRUPTED
from ringbuf.waiting import BLOCK, pause

CHUNK = 256
"""Slots copied between two questions to the gate, at most: a chunk ends with a whole event."""
SLACK = 256
"""Slots kept free beyond the gate: a reader just behind it is not lapped by the next chunk."""
TICK_INTERVAL_NS = 1_000_000_000
CHECK_MASK = (1 << CHECK_BITS) - 1

assert EVENT_RING_MIN >= CHUNK + SLACK

COUNTS = ("heartbeat", "commands", "events", "batches", "ticks", "gate_waits", "journal_waits")
"""The loop's counters, in order: heartbeat (monotonic ns), totals, and the rounds that met a
closed event gate or a full journal ring. Written by the worker alone."""
(C_HEARTBEAT, C_COMMANDS, C_EVENTS, C_BATCHES, C_TICKS, C_GATE_WAITS, C_JOURNAL_WAITS) = range(
    0, len(COUNTS) * LINE_WORDS, LINE_WORDS
)
SPINS_BEFORE_SLEEP = 100
"""Rounds without work, under BLOCK, before the worker sleeps: some 15 us."""
SLEEP_MAX_NS = 500_000_000
"""An idle worker may sleep beyond its budget, so long; a signal ends it."""


class LoopOutcome(IntEnum):
    """The reason for which the loop returned to Python."""

    RAN = 0  # its budget is used up
    IDLE = 1  # the same, and nothing waits anywhere
    LATCHED = 2  # the journaler latched: nothing may be accepted any more


RAN, IDLE, LATCHED = map(int, LoopOutcome)

LOOP_FIELDS = (
    ("journaled", "<i8"),  # last seq published in the journal ring
    ("applied", "<i8"),  # last seq applied
    ("eng_ts", "<i8"),
    ("clock_offset", "<i8"),  # wall clock - monotonic clock, ns
    ("next_ring", "<i8"),  # where the round robin goes on
    ("out_done", "<i8"),  # so many of the slots in s.out are in the event ring
    ("event_end", "<i8"),  # position after the last slot written
    ("visible", "<i8"),  # lower bound of V: slots below it may be overwritten
    ("idle", "<i8"),  # rounds without work
    ("ticks", "<i8"),  # made so far: ring_seq of the next
    ("batch", "<i8"),  # most commands in one batch
    ("wait", "<i8"),  # wait policy
    ("journals_itself", "<i8"),  # durability none: D and JT follow J at once
    ("cycle_ns", "<i8"),  # ns per 2**20 cycles of the time-stamp counter
    ("crash_at", "<i8"),  # see crash_points: read by a loop that may die alone
    ("crash_passes", "<i8"),
)
"""The loop's own memory, but for the command that it makes itself."""

apply: Callable[..., int]
hint: Callable[..., None]
next_due: Callable[[Any], int]
"""What an application brings: `build` binds it to copies of the kernels; here it has no value."""


def emit(s: Any, out: Any, loop: Any, journal: Any, events: Any, ends: Any, bells: Any) -> bool:
    """Move the events in `s.out` to the event ring; False when the gate is closed."""
    capacity = events.slots.shape[0]
    while loop.out_done < s.out_count:
        first = loop.event_end
        chunk = s.out_count - loop.out_done
        if chunk > CHUNK:
            chunk = whole_chunk(out, loop.out_done)
        end = first + chunk
        if end - loop.visible > capacity - SLACK:
            loop.visible = visible_end(loop, journal, ends)
            if end - loop.visible > capacity - SLACK:
                hash_events(s)
                return False
        announce(events.control, end)
        crash_here(loop, crash_points.ANNOUNCED)
        put_slots(events.slots, first, out.words, loop.out_done, chunk)
        assert out.words[loop.out_done, STAMP_WORD] == first
        seq = out.words[loop.out_done, GATE_WORD]
        loop.out_done += chunk
        loop.event_end = end
        crash_here(loop, crash_points.WRITTEN)
        commit(events.control, end)
        crash_here(loop, crash_points.COMMITTED)
        call_readers(journal, bells, seq)
    hash_events(s)
    forget_events(s)
    loop.out_done = 0
    return True


@kernel
def whole_chunk(out, first):
    """Return how many slots from `first` on, CHUNK at most, hold whole events."""
    count = 0
    following = out.words[first, MARK_WORD] & COUNT_MASK
    while count + following <= CHUNK:  # each round passes an event, of one slot at least
        count += following
        following = out.words[first + count, MARK_WORD] & COUNT_MASK
    return count


@kernel
def note_hash(s, stats, seq):
    """Note the hash of all events so far, for the shadow to compare with its own (exchange rule S27)."""
    hash_events(s)
    at = 2 * ((seq >> CHECK_BITS) & (CHECKS - 1))
    store_release(stats.checks, at, 0)  # pairs with the shadow's loads: it sees both words or neither
    store_release(stats.checks, at + 1, s.event_hash)
    store_release(stats.checks, at, seq)


def _run(
    s: Any, out: Any, loop: Any, commands: Any, journal: Any, entries: Any, events: Any, ends: Any,
    stats: Any, counts: Any, bells: Any, budget_ns: int,
) -> int:  # fmt: skip
    """Work for `budget_ns` or so, return a LoopOutcome; Python sees signals in between, they end a sleep.

    Parameters
    ----------
    s : the application's state record
    loop : loop_dtype record
    out : `s.out` again, as record of `words` int64[n, SLOT_WORDS]
    commands : rings_dtype record, slots as words
    journal, events : ring_record_dtype records, slots as words
    entries : `journal` again, slots as entries of records
    ends : record of `words` int64[2 * journal capacity], position after the events of command seq & mask
    stats : STATS record
    counts : record of `words` int64[], the loop's counters begin with it, a line to each (see COUNTS)
    bells : bells_dtype record
    budget_ns : int64
    """
    deadline = clock_monotonic_ns() + budget_ns
    mask = entries.slots.shape[0] - 1
    while True:
        if load_acquire(journal.control, LATCH) != 0:  # pairs with the journaler's store
            return LATCHED
        is_open = emit(s, out, loop, journal, events, ends, bells)
        taken = ticked = 0
        due = loop.eng_ts + TICK_INTERVAL_NS
        if is_open and loop.applied == loop.journaled:
            taken = take_batch(loop, commands, journal, stats, bells)
            if taken == 0:
                due = min(due, next_due(s))  # noqa: F821  bound by build
                if clock_monotonic_ns() + loop.clock_offset >= due:
                    ticked = journal_tick(loop, journal, bells)
        sampled = loop.applied + 1 + (loop.journaled - loop.applied) // 2
        worked = loop.applied < loop.journaled
        while is_open and loop.applied < loop.journaled:
            while loop.applied < loop.journaled and s.out_count <= BURST_SLOTS:
                seq = loop.applied + 1
                hint(s, entries.slots, loop.applied, loop.journaled, mask)  # noqa: F821  bound by build
                entry = entries.slots[(seq - 1) & mask]
                started = cycle_count() if seq == sampled else 0
                apply(s, entry.command, seq, entry.eng_ts, entry.ring)  # noqa: F821  bound by build
                if seq == sampled:
                    record(stats.buckets[STEP], ((cycle_count() - started) * loop.cycle_ns) >> 20)
                crash_here(loop, crash_points.APPLIED)
                close_versions(s, seq)
                crash_here(loop, crash_points.CLOSED)
                if seq & CHECK_MASK == 0:
                    note_hash(s, stats, seq)
                loop.applied = seq
                ends.words[seq & (ends.words.shape[0] - 1)] = loop.event_end + s.out_count
            is_open = emit(s, out, loop, journal, events, ends, bells)
        now = clock_monotonic_ns()
        count_round(s, loop, counts, now, taken, ticked, is_open)
        if now >= deadline:
            return RAN if worked or not is_open else IDLE
        if taken > 0:
            loop.idle = 0
        elif loop.wait != BLOCK or loop.idle < SPINS_BEFORE_SLEEP:
            loop.idle = pause(loop.wait, loop.idle)
        elif ticked != 1 or not is_open:
            has_room = taken != NO_ROOM and ticked != NO_ROOM
            limit_ns = max(deadline - now, SLEEP_MAX_NS)
            if sleep(loop, commands, journal, ends, bells, is_open, has_room, limit_ns, due) == INTERRUPTED:
                deadline = now


@kernel
def count_round(s, loop, counts, now, taken, ticked, is_open):
    """Bring the shared counters up to date."""
    store_relaxed(counts.words, C_HEARTBEAT, now)
    if taken > 0 or ticked > 0:
        store_relaxed(counts.words, C_COMMANDS, loop.applied)
        store_relaxed(counts.words, C_BATCHES, counts.words[C_BATCHES] + 1)
        store_relaxed(counts.words, C_TICKS, loop.ticks)
    elif taken == NO_ROOM or ticked == NO_ROOM:
        store_relaxed(counts.words, C_JOURNAL_WAITS, counts.words[C_JOURNAL_WAITS] + 1)
    if not is_open:
        store_relaxed(counts.words, C_GATE_WAITS, counts.words[C_GATE_WAITS] + 1)
    store_relaxed(counts.words, C_EVENTS, s.event_count)


def build(application: Application) -> Callable[..., int]:
    """Return the compiled loop of one application: its name and its kernels are used.

    Where a death in the loop is planned, which is in tests alone, another loop is built, under a
    name of its own: the one of an instance holds no crash points.
    """
    name = application.name
    names: dict[str, Any] = {
        "apply": application.apply,
        "hint": build_hint(f"run_{name}", application.prepare),
        "next_due": application.next_due,
    }
    if crash_points.loop_may_die():
        name += "_dying"
    else:
        names["crash_here"] = crash_points.pass_here
    names = build_sequencing(application, name, names)
    names["emit"] = bind(emit, f"emit_{name}", names, apart)
    loop: Callable[..., int] = bind(_run, f"run_{name}", names)
    return loop


def loop_dtype(command_words: int) -> np.dtype[np.void]:
    """Return the loop's own memory: the worker's, kept when it dies, for the supervisor to see where."""
    return np.dtype([*LOOP_FIELDS, ("tick", "<i8", (command_words,))])  # the TICK command


def new_loop(application: Application) -> np.ndarray:
    """Return the loop's own memory, shared with forked processes: an array of one loop_dtype record."""
    dtype = loop_dtype(application.command_dtype.itemsize // WORD_BYTES)
    return np.ndarray((1,), dtype, mmap.mmap(-1, dtype.itemsize))
