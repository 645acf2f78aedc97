"""The worker's loop: the only place where rings, the clock and an application meet.

    command rings --1 take a batch--> journal ring --2 apply--> s.out --3 emit--> event ring

1. One ring's waiting commands, a batch at most, get seq and eng_ts (one clock read) and go
   into the journal ring, which is published before anything is applied; their command slots
   are free again at once. 2. Commands are applied out of the journal ring, one after the
   other. 3. Their events are copied from `s.out` to the event ring, some commands' together, in
   chunks between which the gate is asked: never overwrite what is not yet visible (protocol rule 5).
   Nothing waits inside a step: a closed gate or a full journal leaves the rest for the next.

The loop is neutral: an application brings `apply(s, command, seq, eng_ts, ring)`,
`prepare(s, command, stage, place)` (hints, engine/contract/batches.py), `next_due(s)` and a state
record whose fields `version`, `opened`, `opened_count`, `out`, `out_count`, `seq`, `eng_ts`,
`event_count`, `slot_count` and `event_hash` serve the loop and its recovery.
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
    DURABLE,
    EVENT_RING_MIN,
    LATCH,
    OWN_RING,
    RING_WAIT,
    STEP,
)
from engine.contract.histogram import record
from engine.contract.records import word_of
from engine.contract.spread import COUNT_MASK, MARK_WORD
from engine.runtime import crash_points
from engine.runtime.calls import call_journaler, call_readers, sleep, visible_end
from engine.runtime.crash_points import crash_here
from ringbuf.atomics import (
    clock_monotonic_ns,
    copy_words,
    cycle_count,
    load_acquire,
    store_relaxed,
    store_release,
)
from ringbuf.broadcast import announce, commit
from ringbuf.copying import put_slots
from ringbuf.kernel import bind, kernel
from ringbuf.layout import GATE_WORD, LINE_WORDS, PUBLISHED, RELEASED, STAMP_WORD, WORD_BYTES
from ringbuf.sleeping import INTERRUPTED
from ringbuf.spsc import available, publish, release, room
from ringbuf.waiting import BLOCK, pause

ENTRY_HEAD_WORDS = 4
"""Words of a journal entry before its command: seq, eng_ts, ring, ring_seq."""
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
NO_ROOM = -1
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
    ("batch", "<i8"),  # most commands of one ring in one batch
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
COMMAND_WORDS: int
GW_TS_WORD: int
"""What an application brings, with the size of its commands and the place of their stamp: `build` binds
these to copies of the kernels; here they have no value."""


def take_batch(loop: Any, commands: Any, journal: Any, stats: Any, bells: Any) -> int:
    """Sequence the next ring's waiting commands into the journal ring; return how many.

    Call only when everything journaled is applied: entries are applied out of the ring.
    Returns 0 when no command waits, NO_ROOM when the journal ring is full.
    """
    space = room(journal.control, journal.slots.shape[0])
    if space == 0:
        return NO_ROOM
    ring_count = commands.rings.shape[0]
    for step in range(ring_count):
        ring = (loop.next_ring + step) % ring_count
        waiting = available(commands.rings[ring].control)
        if waiting == 0:
            continue
        count = min(min(waiting, loop.batch), space)
        stamp_clock(loop)
        copy_batch(loop, ring, commands.rings[ring], journal, count, stats)
        crash_here(loop, crash_points.COPIED)
        publish_batch(loop, journal, count)
        crash_here(loop, crash_points.PUBLISHED)
        call_journaler(loop, bells)
        # The journal has them: the gateway may use the slots again (protocol rule 2).
        release(commands.rings[ring].control, count)
        crash_here(loop, crash_points.RELEASED)
        loop.next_ring = ring + 1
        return count
    return 0


@kernel
def stamp_clock(loop):
    """Read the clock: eng_ts never goes back."""
    loop.eng_ts = max(loop.eng_ts, clock_monotonic_ns() + loop.clock_offset)


def copy_batch(loop: Any, ring_idx: int, ring: Any, journal: Any, count: int, stats: Any) -> None:
    """Copy `count` commands of one ring into journal entries, numbered and stamped."""
    first = ring.control[RELEASED]  # ours alone: the worker is the consumer
    slot_mask = ring.slots.shape[0] - 1
    entry_mask = journal.slots.shape[0] - 1
    eng_ts = loop.eng_ts
    journaled = loop.journaled
    waits = stats.buckets[RING_WAIT]
    for i in range(count):
        slot = (first + i) & slot_mask
        entry = (journaled + i) & entry_mask
        journal.slots[entry, 0] = journaled + 1 + i
        journal.slots[entry, 1] = eng_ts
        journal.slots[entry, 2] = ring_idx
        journal.slots[entry, 3] = first + i
        copy_words(journal.slots, entry, ENTRY_HEAD_WORDS, ring.slots, slot, 0, COMMAND_WORDS)  # noqa: F821  bound by build
        # From the copy: the slot's owner cannot change what was counted.
        record(waits, eng_ts - journal.slots[entry, ENTRY_HEAD_WORDS + GW_TS_WORD])  # noqa: F821  bound by build


@kernel
def publish_batch(loop, journal, count):
    """Publish `count` filled entries: from here on they are the order of events."""
    loop.journaled += count
    publish(journal.control, count)
    assert journal.control[PUBLISHED] == loop.journaled
    if loop.journals_itself:
        store_release(journal.control, DURABLE, loop.journaled)  # pairs with every reader's gate
        store_release(journal.control, RELEASED, loop.journaled)


def journal_tick(loop: Any, journal: Any, bells: Any) -> int:
    """Sequence one command of the worker's own: time passes. NO_ROOM when the journal is full."""
    if room(journal.control, journal.slots.shape[0]) == 0:
        return NO_ROOM
    stamp_clock(loop)
    entry = loop.journaled & (journal.slots.shape[0] - 1)
    journal.slots[entry, 0] = loop.journaled + 1
    journal.slots[entry, 1] = loop.eng_ts
    journal.slots[entry, 2] = OWN_RING
    journal.slots[entry, 3] = loop.ticks
    for word in range(COMMAND_WORDS):  # noqa: F821  bound by build
        journal.slots[entry, ENTRY_HEAD_WORDS + word] = loop.tick[word]
    loop.ticks += 1
    publish_batch(loop, journal, 1)
    call_journaler(loop, bells)
    return 1


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
    s.out_count = 0
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
    names["COMMAND_WORDS"] = application.command_dtype.itemsize // WORD_BYTES
    names["GW_TS_WORD"] = word_of(application.command_dtype, "gw_ts")
    if crash_points.loop_may_die():
        name += "_dying"
    else:
        names["crash_here"] = crash_points.pass_here
    names["copy_batch"] = bind(copy_batch, f"copy_batch_{name}", names)
    names["journal_tick"] = bind(journal_tick, f"journal_tick_{name}", names)
    names["take_batch"] = bind(take_batch, f"take_batch_{name}", names)
    names["emit"] = bind(emit, f"emit_{name}", names)
    loop: Callable[..., int] = bind(_run, f"run_{name}", names)
    return loop


def loop_dtype(command_words: int) -> np.dtype[np.void]:
    """Return the loop's own memory: the worker's, kept when it dies, for the supervisor to see where."""
    return np.dtype([*LOOP_FIELDS, ("tick", "<i8", (command_words,))])  # the TICK command


def new_loop(application: Application) -> np.ndarray:
    """Return the loop's own memory, shared with forked processes: an array of one loop_dtype record."""
    dtype = loop_dtype(application.command_dtype.itemsize // WORD_BYTES)
    return np.ndarray((1,), dtype, mmap.mmap(-1, dtype.itemsize))
