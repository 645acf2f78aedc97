"""The journaler process: what the worker sequenced goes to the disk, then the durable cursor moves.

    journal ring --JT..J--> one frame: write, fdatasync --> D = last seq --> JT = D

It groups whatever has come since the last sync, so the slower the disk the larger the frames.
An error of the disk is final: the latch stops the worker before it takes another command, and
what was not synced is never shown to anybody. A restart of everything is the only way out.
"""

import errno
import logging
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.control_words import DURABLE, JOURNALER_BELL, LATCH, OPENED
from engine.contract.instance import JOURNALER, counter_name, write_ready
from engine.contract.latch import LATCH_DISK, LATCH_FULL, LATCH_GONE, LATCH_TEXTS
from engine.runtime.calls import call_at_sync
from engine.runtime.crash_points import crash_point
from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import Position
from engine.runtime.journal.journal import START, JournalError
from engine.runtime.journal.survey import survey
from engine.runtime.journal.writer import JournalWriter
from engine.runtime.replay import snapshot
from engine.runtime.shared_memory import Segments
from engine.settings.config import EngineSettings
from ringbuf.atomics import load_acquire, store_release
from ringbuf.bells import sleep_until_beyond
from ringbuf.layout import PUBLISHED, RELEASED
from ringbuf.waiting import SPIN_ROUNDS, Wait, await_beyond

log = logging.getLogger(__name__)

LOOK_NS = 50_000_000
"""The longest time between two looks whether the file is in its place, while something is written."""
IDLE_NS = 500_000_000
"""The longest wait for entries, between two beats; a signal ends it."""
RETRY_SPARE_S = 1.0
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE)
EXIT_LATCHED = 3
SPINS_BEFORE_SLEEP = 200
"""Looks in vain, under BLOCK, before the journaler sleeps: some 10 us."""


class Journaler:
    """The owner of D, JT and the latch, and the one writer of DATA/journal."""

    def __init__(self, segments: Segments, data_dir: Path, epoch: int, disk: Disk | None = None) -> None:
        self.folder = data_dir / journal.FOLDER
        self._data_dir = data_dir
        self._settings: EngineSettings = segments.settings
        self._application = segments.application
        self._control = segments.journal.control
        self._slots = segments.journal.slots.view(np.uint8)
        self._mask = len(segments.journal.slots) - 1
        self._wait = Wait[self._settings.wait.upper()]
        self._bells = segments.bells
        self._counters = segments.counters
        self._heartbeat = counter_name(JOURNALER, "heartbeat")
        self._frames = counter_name(JOURNALER, "frames")
        self._writer = JournalWriter(
            self.folder,
            disk or Disk(),
            owner=self._application.owner,
            epoch=epoch,
            slot_count=self._settings.journal_segment,
        )
        self._retry_at = 0.0
        self._look_at = 0.0
        self._has_room_for_ring = False

    def open(self) -> None:
        """Find where the journal ends and begin this incarnation's segment there.

        Raises JournalError when something that was declared durable is missing, OSError.
        """
        call_at_sync(self._bells)  # loaded, or compiled: no command shall wait for it
        self.folder.mkdir(mode=0o700, exist_ok=True)
        floor = self._floor()
        if load_acquire(self._control, OPENED):
            self._reopen(floor)
        else:
            self._open_cold(floor)

    def step(self, idle_ns: int) -> bool:
        """Work and look after the spare segment, latch on an error; tell whether there may be more to do."""
        try:
            worked = self.work(idle_ns)
            if not self.is_latched:
                self._keep_spare()
        except OSError as error:
            self._has_room_for_ring = False
            self.latch(error)
            return True
        return worked

    def finish(self) -> bool:
        """Write what the ring holds behind a latch, if it was seen to find room; tell whether to go on."""
        return self._has_room_for_ring and self.step(0)

    def work(self, idle_ns: int) -> bool:
        """Write one frame of what waits, after waiting at most idle_ns; tell whether there was any."""
        control, slots = self._control, self._slots
        done = int(control[RELEASED])  # ours
        head = self._await_entries(done, idle_ns)
        self._counters.beat(self._heartbeat)
        self._look_for_file()  # behind the wait, which may have been long
        if head <= done:
            return False
        count = min(head - done, self._writer.room)
        if count == 0:
            self._writer.rotate()
            return True
        slot_bytes = self._writer.slot_bytes
        at = (done & self._mask) * slot_bytes
        first = slots[at : at + count * slot_bytes]
        second = slots[: count * slot_bytes - len(first)]
        last = self._writer.append(first, second, done)
        store_release(control, DURABLE, last)  # pairs with every reader's gate
        crash_point("journaler.durable")
        store_release(control, RELEASED, last)  # pairs with the worker's room()
        call_at_sync(self._bells)
        self._counters.add(self._frames)
        return True

    def _await_entries(self, done: int, idle_ns: int) -> int:
        """Wait until entries are published beyond `done`, idle_ns at most; return J."""
        if self._wait == Wait.BLOCK:
            beyond = self._control, PUBLISHED, done
            return int(sleep_until_beyond(*beyond, self._bells, JOURNALER_BELL, SPINS_BEFORE_SLEEP, idle_ns))
        return int(await_beyond(self._control, PUBLISHED, done, self._wait, SPIN_ROUNDS, idle_ns))

    def latch(self, error: OSError) -> None:
        """Stop the engine: nothing more is accepted."""
        cause = LATCH_DISK
        if error.errno in NO_ROOM:
            cause = LATCH_FULL
        elif error.errno in NO_FOLDER:
            cause = LATCH_GONE
        store_release(self._control, LATCH, cause)  # pairs with the loop's load
        call_at_sync(self._bells)  # a worker that waits for D shall hear of it
        mend = "bring it back" if cause == LATCH_GONE else "mend the disk"
        log.critical("journal latched: %s (%s); %s, then start again", LATCH_TEXTS[cause], error, mend)

    @property
    def is_latched(self) -> bool:
        """Whether nothing may be written any more."""
        return bool(load_acquire(self._control, LATCH))

    def close(self) -> None:
        """Close the files; all that was appended is synced."""
        self._writer.close()

    def _look_for_file(self) -> None:
        """Raise OSError where what is written could not be found again: it must not be called durable."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_NS / 1e9
            self._writer.require_place()

    def _keep_spare(self) -> None:
        """Go on with the spare segment, or try for one again; latch while the ring still finds room."""
        self._writer.grow_spare()
        error = self._writer.spare_error
        if error is None:
            return
        # Every command could need a head of its own.
        if self._writer.remaining() < 2 * self._settings.journal_ring:
            self._has_room_for_ring = True
            self.latch(error)
            return
        if time.monotonic() < self._retry_at:
            return
        self._retry_at = time.monotonic() + RETRY_SPARE_S
        log.error("cannot make the next journal segment (%s): mend the disk, or the engine stops", error)
        self._writer.prepare_spare()

    def _floor(self) -> Position:
        """Return the newest snapshot's place: what lies before it need not be read."""
        found, complaints = snapshot.newest(self._data_dir, self._application)
        for complaint in complaints:
            log.warning("%s; an older one or the journal alone is used", complaint)
        return START if found is None else found.position

    def _open_cold(self, floor: Position) -> None:
        found = survey(self.folder, floor, self._application.owner)
        if found.cut is not None:
            log.warning("%s: the rest was never durable and is left out", found.cut)
        self._writer.begin(found.next_number, found.durable, found.tail)
        control = self._control
        store_release(control, RELEASED, found.end.seq)
        store_release(control, DURABLE, found.end.seq)
        crash_point("journaler.found")
        store_release(control, OPENED, 1)  # pairs with the worker's wait

    def _reopen(self, floor: Position) -> None:
        """Reopen the journal after a death of the journaler alone: the ring holds everything beyond D."""
        control = self._control
        durable = int(load_acquire(control, DURABLE))
        reader = journal.JournalReader(self.folder, floor, self._application.owner)
        if reader.position.seq < durable:
            for frame in reader:
                if frame.last_seq >= durable:
                    break
        if reader.position.seq != durable:
            raise JournalError(
                f"{self.folder}: seq {durable} was declared durable, a frame that ends there is not found "
                f"(the reading ends at seq {reader.position.seq}): the journal is damaged"
            )
        paths = journal.segment_paths(self.folder)
        number = max((journal.number_of(path) for path in paths), default=0) + 1
        self._writer.begin(number, reader.position)
        store_release(control, RELEASED, durable)


def run_journaler(segments: Segments, data_dir: Path, epoch: int, disk: Disk | None = None) -> int:
    """Run until SIGTERM and an empty ring; return the exit code."""
    stopping = False

    def stop(*_: Any) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    journaler = Journaler(segments, data_dir, epoch, disk)
    try:
        journaler.open()
    except OSError as error:
        if not load_acquire(segments.journal.control, OPENED):  # nobody serves yet: the start ends here
            raise JournalError(
                f"{journaler.folder}: cannot be written ({error}); mend the disk, then start again"
            ) from error
        journaler.latch(error)
    else:
        log.info("journaler %d writes to %s", os.getpid(), journaler.folder)
    write_ready(data_dir, JOURNALER, 0)
    while True:
        if journaler.is_latched:
            if journaler.finish():
                continue
            if stopping:
                return EXIT_LATCHED
            time.sleep(LOOK_NS / 1e9)
            segments.counters.beat(counter_name(JOURNALER, "heartbeat"))
            continue
        if not journaler.step(IDLE_NS) and stopping:
            journaler.close()
            return 0
