"""The recovery of a worker's state: newest snapshot, then the journal up to D, then the rings.

The same after the worker's death alone (the rings, the event ring and the doors go on) and
after a start on an existing journal (everything else is new). protocol rule 11:

    state epoch odd, snapshot        beside the journaler, which looks for the journal's end meanwhile
    JT = J                           nothing is in flight any more: D is all there is
    replay to D                      the same kernel, the same events
    events from E on                 those that the dead worker did not get out, forwards only
    command ring tails               right behind the last journaled command of this epoch
    state epoch even

Interrupted at any point it begins anew: nothing here is visible before it is true.
"""

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.control_words import DURABLE, OPENED, STATE_EPOCH
from engine.contract.instance import counter_name
from engine.contract.replica import Replica
from engine.contract.spread import SLOT_WORDS
from engine.runtime.crash_points import crash_point
from engine.runtime.journal import journal
from engine.runtime.journal.frames import Position
from engine.runtime.journal.journal import JournalError
from engine.runtime.journal.quarantine import quarantined
from engine.runtime.journal.read_ahead import read_ahead
from engine.runtime.replay import snapshot
from engine.runtime.shared_memory import Segments
from ringbuf.atomics import fence_release, load_acquire, store_relaxed, store_release
from ringbuf.broadcast import commit
from ringbuf.copying import put_slots
from ringbuf.layout import DATA_OFFSET_BYTES, END, INTENT, PUBLISHED, RELEASED, STAMP_WORD
from ringbuf.segment_header import SHM
from ringbuf.spsc import words_of

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 0.001
PROGRESS_S = 1.0
PROGRESS_COMMANDS = 500_000
"""A recovery of fewer commands is over before anybody could read about it."""


def await_journal(segments: Segments, is_stopping: Callable[[], bool]) -> bool:
    """Wait until a live journaler has opened the journal and drained the ring; False when stopping."""
    control = segments.journal.control
    while not is_stopping():
        if load_acquire(control, OPENED):
            published = load_acquire(control, PUBLISHED)
            if load_acquire(control, RELEASED) >= published:
                return True
        time.sleep(LOOK_AGAIN_S)
    return False


def recover(
    segments: Segments,
    replica: Replica,
    data_dir: Path,
    loop: Any,
    ends: Any,
    epoch: int,
    is_stopping: Callable[[], bool],
) -> bool:
    """Bring state, rings and the loop's memory to the end of the journal; False when stopping.

    replica : over the shared state
    ends : int64[], the loop's table of where the events of commands end
    Raises JournalError.
    """
    turn = _open_state_epoch(segments)
    loop["applied"] = loop["journaled"] = loop["out_done"] = 0
    start = _restore_state(segments, replica, data_dir)
    loop["applied"] = start.seq  # see poison.py: a death is at a command only while it is applied
    crash_point("recovery.restored")
    if not await_journal(segments, is_stopping):
        return False
    durable = int(load_acquire(segments.journal.control, DURABLE))
    if start.seq > durable:
        raise JournalError(f"{data_dir}: a snapshot reaches seq {start.seq}, the journal ends at {durable}")
    reader = journal.JournalReader(data_dir / journal.FOLDER, start, segments.application.owner)
    event_end = int(load_acquire(segments.events.control, END))
    is_new = event_end == 0 and int(segments.journal.control[PUBLISHED]) == 0
    # Only the commands of the dead worker's last batch can have events that did not get out.
    missing_from = durable + 1 if is_new else durable + 1 - segments.settings.batch
    missing = _replay(reader, replica, durable, missing_from, loop)
    replica.enter_epoch(epoch)
    if replica.seq != durable:
        raise JournalError(f"{reader.folder}: ends at seq {replica.seq}, seq {durable} was declared durable")
    crash_point("recovery.replayed")
    _restore_rings(segments, replica, durable)
    crash_point("recovery.rings")
    _complete_events(segments, replica, missing, event_end)
    crash_point("recovery.events")
    s = replica.state[0]
    loop["journaled"] = loop["applied"] = durable
    loop["eng_ts"] = s["eng_ts"]
    loop["ticks"] = replica.marks[0]["next_seq"]
    loop["event_end"] = loop["visible"] = replica.slot_count
    loop["next_ring"] = loop["idle"] = 0
    ends[durable & (len(ends) - 1)] = replica.slot_count
    store_release(segments.state.control, STATE_EPOCH, turn + 1)  # pairs with the views' loads
    log.info("state rebuilt up to seq %d, %d events", durable, replica.event_count)
    return True


def _open_state_epoch(segments: Segments) -> int:
    """Make the state epoch odd, ahead of the first store to the state; return it."""
    control = segments.state.control
    turn = int(load_acquire(control, STATE_EPOCH)) | 1
    store_relaxed(control, STATE_EPOCH, turn)
    fence_release()
    return turn


def _restore_state(segments: Segments, replica: Replica, data_dir: Path) -> Position:
    """Bring the shared state to the newest snapshot; return where the journal goes on."""
    application = segments.application
    snapshot.clear(segments.state.slots, SHM / segments.state.name, DATA_OFFSET_BYTES)
    found, complaints = snapshot.newest(data_dir, application)
    for complaint in complaints:
        log.warning("%s; an older one or the journal alone is used", complaint)
    replica.quarantined = quarantined(data_dir)
    return snapshot.restore(found, replica)


def _replay(reader: journal.JournalReader, replica: Replica, upto: int, keep_from: int, loop: Any) -> Any:
    """Apply everything up to seq `upto`; return the events of the commands from `keep_from` on, in slots."""
    kept = [np.zeros((0, SLOT_WORDS), np.int64)]
    began = shown = time.monotonic()
    first = reader.position.seq
    for records, epoch, position in read_ahead(reader.stretches(upto)):
        replica.enter_epoch(epoch)
        at = 0
        if position.seq >= keep_from:
            at = int(np.argmax(records["seq"] >= keep_from))
        replica.skip(records[: at if position.seq >= keep_from else len(records)])
        if position.seq >= keep_from:
            kept += [slots.copy() for slots in replica.slots_of(records[at:])]
        loop["applied"] = replica.seq
        now = time.monotonic()
        if upto - first >= PROGRESS_COMMANDS and (now - shown >= PROGRESS_S or position.seq == upto):
            shown = now
            rate = (position.seq - first) / max(now - began, 1e-9)
            print(
                f"recovering: {position.seq - first:,} of {upto - first:,} commands, {rate:,.0f}/s",
                file=sys.stderr,
                flush=True,
            )
    return np.concatenate(kept)


def _restore_rings(segments: Segments, replica: Replica, durable: int) -> None:
    """Set the heads and tails that were the dead worker's."""
    control = segments.journal.control
    if int(control[PUBLISHED]) < durable:
        store_release(control, PUBLISHED, durable)
    for idx, name in enumerate(segments.rings):
        mark = replica.marks[1 + idx]
        ring = segments.commands.slots[0]["rings"][idx]["control"]
        tail = max(int(ring[RELEASED]), int(mark["next_seq"]))
        store_release(ring, RELEASED, tail)  # pairs with the gateway's room()
        sessions = counter_name(name, "sessions")
        if segments.counters[sessions] < mark["last_session"]:
            segments.counters[sessions] = int(mark["last_session"])


def _complete_events(segments: Segments, replica: Replica, missing: Any, event_end: int) -> None:
    """Write the events that the dead worker did not get out, as far as the ring holds them."""
    control = segments.events.control
    end = replica.slot_count
    store_relaxed(control, INTENT, max(int(control[INTENT]), end))
    fence_release()  # the intent is visible before the first new byte of a slot
    left = missing[missing[:, STAMP_WORD] >= event_end][-len(segments.events.slots) :]
    if len(left):
        first = int(left[0, STAMP_WORD])
        assert first == end - len(left)
        put_slots(words_of(segments.events.slots), first, left, 0, len(left))
    crash_point("recovery.events_written")
    commit(control, end)
