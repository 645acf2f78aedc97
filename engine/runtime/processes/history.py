"""The history process of an instance: the journal's files and a replica, for the historian to write."""

import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.application import Application, JournalOwner
from engine.contract.control_words import DURABLE, OWN_RING
from engine.contract.instance import HISTORY, counter_name, write_ready
from engine.contract.records import Operation
from engine.contract.replica import Replica
from engine.runtime.history.historian import PIECE_COMMANDS, GoOn, Historian
from engine.runtime.journal import journal
from engine.runtime.journal.follow import Follower
from engine.runtime.journal.journal import JournalError, first_seq_of, open_segment, segment_paths
from engine.runtime.journal.quarantine import quarantined
from engine.runtime.process import ending
from engine.runtime.replay.eras import Changed, EraReplica, owner_over_eras, whole_snapshots
from engine.runtime.shared_memory import Segments
from ringbuf.atomics import load_acquire

log = logging.getLogger(__name__)


class JournalSource:
    """The durable part of a journal, by seq: in order as it is read mostly, from anywhere when asked to."""

    def __init__(self, folder: Path, control: npt.NDArray[np.int64], owner: JournalOwner) -> None:
        self._folder = folder
        self._control = control
        self._owner = owner
        self._follower: Follower | None = None
        self._next_seq = 0

    def durable_seq(self) -> int:
        """Return the durable cursor D."""
        return int(load_acquire(self._control, DURABLE))  # pairs with the journaler's store

    def read(self, first_seq: int, limit: int, go_on: GoOn) -> npt.NDArray[Any]:
        """Return the commands from first_seq on, dense, 1 to `limit` of them; go_on : as of a Source."""
        last = min(self.durable_seq(), first_seq + limit - 1)
        if self._follower is None or self._next_seq != first_seq:
            self._seek(first_seq)
        assert self._follower is not None
        found = np.zeros(0, self._owner.record)
        while not len(found):
            go_on()
            passed = self._follower.handed_out
            upto = last if passed >= first_seq - 1 else min(first_seq - 1, passed + PIECE_COMMANDS)
            records, _ = self._follower.read(upto)
            found = records[records["seq"] >= first_seq]
        self._next_seq = int(found[-1]["seq"]) + 1
        return found

    def _seek(self, seq: int) -> None:
        """Begin at the segment that holds `seq`; what lies before it there is read and passed over."""
        holding = [path for path in segment_paths(self._folder) if first_seq_of(path) <= seq]
        if not holding:
            raise JournalError(
                f"{self._folder}: seq {seq} is needed for history; bring the earlier segments back from the "
                f"archive: pinion journal restore {self._folder.parent}"
            )
        begin = open_segment(holding[-1], self._owner).head.begin
        self._follower = Follower(self._folder, begin, self._owner)


def replica_at(
    application: Application, data_dir: Path, seq: int, changed: Changed = lambda state: None
) -> EraReplica:
    """Return a replica at the newest snapshot at or before `seq`, or at the very beginning.

    changed : as of EraReplica
    """
    application.open_folder(data_dir, ending(data_dir, HISTORY))
    usable = whole_snapshots(data_dir, application, log.warning)
    found = next((loaded for loaded in usable if loaded[0].position.seq <= seq), None)
    return EraReplica(application, found, quarantined=quarantined(data_dir), changed=changed)


def warm_up(application: Application) -> None:
    """Compile, or load, every kernel of history: one command becomes rows that nobody writes."""
    if application.projection is None:
        return
    replica, projection = Replica(application), application.projection()
    projection.open(replica.state)
    entries = np.zeros(1, application.entry_dtype)
    entries["seq"], entries["ring"], entries["command"] = 1, OWN_RING, application.own_command(Operation.TICK)
    projection.batch(entries, replica.apply(entries), replica.state)


def run_history(segments: Segments, data_dir: Path, dsn: str) -> int:
    """Run until SIGTERM; return the exit code."""
    application = segments.application
    assert application.projection is not None
    projection = application.projection()
    counters = segments.counters
    seq, complete_seq = counter_name(HISTORY, "seq"), counter_name(HISTORY, "complete_seq")
    errors = counter_name(HISTORY, "errors")

    def report(reached: int, complete: int, error: str) -> None:
        counters.beat(counter_name(HISTORY, "heartbeat"))
        counters[seq] = reached
        counters[complete_seq] = complete
        if error:
            counters.add(errors)

    historian = Historian(
        dsn=dsn,
        source=JournalSource(
            data_dir / journal.FOLDER, segments.journal.control, owner_over_eras(application)
        ),
        projection=projection,
        new_replica=lambda mark: replica_at(application, data_dir, mark, projection.open),
        report=report,
        known_seq=counters[seq],  # of the history process before this one
        folder=data_dir / journal.FOLDER,
    )
    log.info("history %d writes to PostgreSQL", os.getpid())
    write_ready(data_dir, HISTORY, 0)
    asyncio.run(_until_stopped(historian))
    return 0


async def _until_stopped(historian: Historian) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await historian.run(stop)
