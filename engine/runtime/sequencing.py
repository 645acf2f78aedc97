"""How what waits becomes the order: commands of all rings go into the journal ring, numbered and stamped.

    command rings --copy_batch--> entries --publish_batch--> journaler, apply
         ^------------release_batch----------'

A batch is published before anything of it is applied, and its command slots are given back
behind that (protocol rules 2 and 4). Only the worker's loop calls (engine/runtime/loop.py). Nothing
here waits.
"""

from typing import Any

from engine.contract.application import Application
from engine.contract.control_words import DURABLE, OWN_RING, RING_WAIT
from engine.contract.histogram import record
from engine.contract.records import word_of
from engine.runtime import crash_points
from engine.runtime.calls import call_journaler
from engine.runtime.crash_points import crash_here
from ringbuf.atomics import clock_monotonic_ns, copy_words, store_release
from ringbuf.kernel import apart, bind, kernel
from ringbuf.layout import PUBLISHED, RELEASED, WORD_BYTES
from ringbuf.spsc import available, publish, release, room

ENTRY_HEAD_WORDS = 4
"""Words of a journal entry before its command: seq, eng_ts, ring, ring_seq."""
NO_ROOM = -1

COMMAND_WORDS: int
GW_TS_WORD: int
"""The size of an application's commands and the place of their stamp: bound to the kernels' copies
by `build_sequencing`; here they have no value."""


def take_batch(loop: Any, commands: Any, journal: Any, stats: Any, bells: Any) -> int:
    """Sequence what waits in the command rings, a batch at most, into the journal ring; return how many.

    Call only when everything journaled is applied: entries are applied out of the ring.
    Returns 0 when no command waits, NO_ROOM when the journal ring is full.

    The rings take turns. A ring gives all that it has waiting, and the next batch begins behind the
    ring at which this one was full: each is asked again after as many batches as there are rings.
    """
    space = min(room(journal.control, journal.slots.shape[0]), loop.batch)
    if space == 0:
        return NO_ROOM
    ring_count = commands.rings.shape[0]
    ring = loop.next_ring
    taken = 0
    for _ in range(ring_count):
        if ring >= ring_count:
            ring = 0
        count = min(available(commands.rings[ring].control), space - taken)
        if count > 0:
            if taken == 0:
                stamp_clock(loop)
            copy_batch(loop, ring, commands.rings[ring], journal, taken, count, stats)
            crash_here(loop, crash_points.COPIED)
            taken += count
            loop.next_ring = ring + 1
            if taken == space:
                break
        ring += 1
    if taken > 0:
        publish_batch(loop, journal, taken)
        crash_here(loop, crash_points.PUBLISHED)
        call_journaler(loop, bells)
        release_batch(loop, commands, journal, taken)
    return taken


@kernel
def stamp_clock(loop: Any) -> None:
    """Read the clock: eng_ts never goes back."""
    loop.eng_ts = max(loop.eng_ts, clock_monotonic_ns() + loop.clock_offset)


def copy_batch(
    loop: Any, ring_idx: int, ring: Any, journal: Any, taken: int, count: int, stats: Any
) -> None:  # fmt: skip
    """Copy `count` commands of one ring into entries, numbered and stamped, behind `taken` of this batch."""
    first = ring.control[RELEASED]  # ours alone: the worker is the consumer
    slot_mask = ring.slots.shape[0] - 1
    entry_mask = journal.slots.shape[0] - 1
    eng_ts = loop.eng_ts
    journaled = loop.journaled + taken
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
def publish_batch(loop: Any, journal: Any, count: int) -> None:
    """Publish `count` filled entries: from here on they are the order of events."""
    loop.journaled += count
    publish(journal.control, count)
    assert journal.control[PUBLISHED] == loop.journaled
    if loop.journals_itself:
        store_release(journal.control, DURABLE, loop.journaled)  # pairs with every reader's gate
        store_release(journal.control, RELEASED, loop.journaled)


def release_batch(loop: Any, commands: Any, journal: Any, taken: int) -> None:
    """Give back the command slots of a batch: the journal has them (protocol rule 2).

    The last entry of each ring says up to where, as it does for a worker that begins anew.
    """
    mask = journal.slots.shape[0] - 1
    end = loop.journaled
    first = end - taken
    while end > first:  # each round passes a ring's entries, which are together
        last = (end - 1) & mask
        ring = commands.rings[journal.slots[last, 2]]
        count = journal.slots[last, 3] + 1 - ring.control[RELEASED]
        release(ring.control, count)
        crash_here(loop, crash_points.RELEASED)
        end -= count


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


def build_sequencing(application: Application, name: str, names: dict[str, Any]) -> dict[str, Any]:
    """Return this file's kernels, by name, for the size of an application's commands.

    name : of the loop that they are for
    names : what else stands for globals in that loop
    """
    bound = {
        **names,
        "COMMAND_WORDS": application.command_dtype.itemsize // WORD_BYTES,
        "GW_TS_WORD": word_of(application.command_dtype, "gw_ts"),
    }
    bound["copy_batch"] = bind(copy_batch, f"copy_batch_{name}", bound, apart)
    bound["release_batch"] = bind(release_batch, f"release_batch_{name}", bound)
    bound["take_batch"] = bind(take_batch, f"take_batch_{name}", bound, apart)
    bound["journal_tick"] = bind(journal_tick, f"journal_tick_{name}", bound, apart)
    return bound
