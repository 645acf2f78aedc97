"""The shadow process: a second engine that follows the journal and compares the worker with itself.

    journal files, up to D --> the same kernel --> a state of its own
        every 2**16 commands   the hash of all events so far against the worker's (exchange rule S27)
        every snapshot_every   a snapshot, so that a recovery is short and old segments can go
        at a snapshot, on request, at the end
                           the digest of the whole state against the worker's, both at rest at one seq
    at the end             a last snapshot

It reads files alone, as a recovery would: what it can rebuild, a recovery can. A difference
means that one of the two engines decided wrongly; the shadow says so, stops following and
writes no more snapshots, so that the last good one stays.
"""

import gc
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.contract.asking import Answer, asked, tell
from engine.contract.control_words import CHECK_BITS, CHECKS, DURABLE, SHADOW_BELL, STATE_EPOCH
from engine.contract.instance import SHADOW, WORKER, counter_name, write_ready
from engine.contract.replica import Replica
from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.follow import Follower
from engine.runtime.journal.journal import START, JournalError
from engine.runtime.journal.quarantine import quarantined
from engine.runtime.process import ending
from engine.runtime.replay import snapshot
from engine.runtime.shared_memory import Segments
from engine.settings.config import EngineSettings
from ringbuf.atomics import load_acquire
from ringbuf.bells import sleep_until_beyond
from ringbuf.layout import PUBLISHED

log = logging.getLogger(__name__)

LOOK_NS = 1_500_000_000
"""The longest wait for something durable, longer than between two ticks; a signal ends it."""
LAG_S = 0.05
"""Rest behind what was durable: the shadow is in no hurry, and applies some commands at once."""
STOPPED_S = 0.5
"""Between two signs of life of a shadow that follows no more."""
CHECK_EVERY = 1 << CHECK_BITS


class DifferenceError(Exception):
    """Error of a worker and a shadow that disagree; the text says where."""


class Shadow:
    """A second engine: it follows the journal, compares the worker with itself and takes snapshots."""

    def __init__(self, segments: Segments, data_dir: Path, disk: Disk | None = None) -> None:
        self._application = segments.application
        self._settings: EngineSettings = segments.settings
        self._data_dir = data_dir
        self._disk = disk or Disk()
        self._control = segments.journal.control
        self._worker_state = segments.state
        self._checks = segments.stats.slots[0]["checks"]
        self._counters = segments.counters
        self._seen: dict[int, int] = {}
        self._snapshot_seq = 0
        self.replica = Replica(self._application)

    def open(self) -> None:
        """Begin at the newest snapshot."""
        self._application.open_folder(self._data_dir, ending(self._data_dir, SHADOW))
        found, complaints = snapshot.newest(self._data_dir, self._application)
        for complaint in complaints:
            log.warning("%s", complaint)
        self.replica.quarantined = quarantined(self._data_dir)
        position = START if found is None else snapshot.restore(found, self.replica)
        self._snapshot_seq = position.seq
        self._follower = Follower(self._data_dir / journal.FOLDER, position, self._application.owner)

    @property
    def durable_seq(self) -> int:
        """The durable cursor D."""
        return int(load_acquire(self._control, DURABLE))  # pairs with the journaler's store

    def follow(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Apply what is durable now, comparing on the way. Raises DifferenceError, JournalError."""
        durable = self.durable_seq
        while self.replica.seq < durable and not is_stopping():
            self._note_checks()
            next_check = (self.replica.seq | (CHECK_EVERY - 1)) + 1
            records, epoch = self._follower.read(min(durable, next_check))
            self.replica.enter_epoch(epoch)
            self.replica.skip(records)
            self._counters[counter_name(SHADOW, "seq")] = self.replica.seq
            if self.replica.seq == next_check:
                self._compare(next_check)
            if self.replica.seq - self._snapshot_seq >= self._settings.snapshot_every:
                self.compare_states()
                self.take_snapshot()

    def take_snapshot(self) -> None:
        """Write the state as it is, where a frame ends; before that, follow until there."""
        position = self._follower.position
        if position.seq != self.replica.seq or position.seq == self._snapshot_seq:
            return
        self._snapshot_seq = position.seq
        try:
            path = snapshot.write(self._data_dir, self.replica, position, self._application, self._disk)
        except OSError as error:
            log.error("no snapshot at seq %d (%s): the next is tried as usual", position.seq, error)
            return
        self._counters[counter_name(SHADOW, "snapshot_seq")] = position.seq
        log.info("snapshot %s", path)

    def compare_states(self) -> str:
        """Compare whole states; return their digest, nothing where the worker is not at rest at our seq.

        Raises DifferenceError naming the first field.
        """
        theirs, own = self._worker_state.slots, self.replica.state
        if not self._is_worker_at_rest():
            return ""
        digests = self._application.digest(theirs), self._application.digest(own)
        is_same = digests[0] == digests[1] and theirs[0]["event_hash"] == own[0]["event_hash"]
        name = "" if is_same else self._application.first_difference(theirs, own)
        if not self._is_worker_at_rest():
            return ""
        if name:
            raise DifferenceError(f"at seq {self.replica.seq} the state differs, first in {name}")
        log.info("digest of worker and shadow at seq %d: %s", self.replica.seq, digests[0])
        return digests[0]

    def answer(self) -> None:
        """Compare whole states if somebody asked for it, and tell; later, while the worker is not at rest."""
        if asked(self._data_dir) and (digest := self.compare_states()):
            tell(self._data_dir, Answer(seq=self.replica.seq, digest=digest))

    def _is_worker_at_rest(self) -> bool:
        """Tell whether the worker has done all up to our seq, and nothing beyond."""
        control, state = self._control, self._worker_state
        # What it is about to apply is in the journal ring first; what it has done it counts last.
        return (
            not load_acquire(state.control, STATE_EPOCH) & 1
            and self._counters[counter_name(WORKER, "commands")] == self.replica.seq
            and int(load_acquire(control, PUBLISHED)) == self.replica.seq
        )

    def _note_checks(self) -> None:
        """Copy the worker's latest notes before they are overwritten."""
        for at in range(0, 2 * CHECKS, 2):
            seq = int(load_acquire(self._checks, at))
            if seq > self.replica.seq and seq not in self._seen:
                noted = int(load_acquire(self._checks, at + 1))
                if int(load_acquire(self._checks, at)) == seq:
                    self._seen[seq] = noted

    def _compare(self, seq: int) -> None:
        self._note_checks()
        at = 2 * ((seq >> CHECK_BITS) & (CHECKS - 1))
        noted = self._seen.pop(seq, None)
        if noted is None and int(load_acquire(self._checks, at)) == seq:
            noted = int(load_acquire(self._checks, at + 1))
        if noted is None:
            return  # from before this start, or long overwritten
        own = int(self.replica.state[0]["event_hash"])
        self._counters.add(counter_name(SHADOW, "checks"))
        if noted != own:
            raise DifferenceError(
                f"at seq {seq} the worker's hash of all events is {noted:#x}, the shadow's {own:#x}: their "
                f"events differ after seq {max(0, seq - CHECK_EVERY)}"
            )


def run_shadow(segments: Segments, data_dir: Path) -> int:
    """Run until SIGTERM, then follow to the end, compare everything, take a last snapshot."""
    stopping = False

    def stop(*_: Any) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    gc.unfreeze()
    shadow = Shadow(segments, data_dir)
    shadow.open()
    segments.counters[counter_name(SHADOW, "stopped")] = 0  # as one before it may have left it
    write_ready(data_dir, SHADOW, 0)
    log.info("shadow %d follows from seq %d", os.getpid(), shadow.replica.seq)
    control, heartbeat = segments.journal.control, counter_name(SHADOW, "heartbeat")
    try:
        while not stopping:
            sleep_until_beyond(control, DURABLE, shadow.replica.seq, segments.bells, SHADOW_BELL, 0, LOOK_NS)
            segments.counters.beat(heartbeat)
            shadow.follow(lambda: stopping)
            shadow.answer()
            time.sleep(LAG_S)
        shadow.follow()
        shadow.compare_states()
        shadow.take_snapshot()
        return 0
    except (DifferenceError, JournalError) as error:
        log.critical("the shadow stops: %s", error)
        segments.counters.add(counter_name(SHADOW, "differences"))  # last: who sees it looks into the log
    except OSError as error:
        log.critical("the shadow stops: %s", error)
    segments.counters[counter_name(SHADOW, "stopped")] = 1
    while not stopping:
        segments.counters.beat(heartbeat)
        time.sleep(STOPPED_S)
    return 1
