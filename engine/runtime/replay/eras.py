"""Replays of a journal whose capacities were changed on the way (`pinion journal migrate`).

    seq 1 .. 400   segments below 7    decided by past[0]
    seq 401 ..     segments from 7 on  decided by the application itself

What was decided stays decided: the beginning is replayed by an engine of the capacities it was
decided with; behind its last command the state moves over (Application.convert), exactly as the
migration did it. So a replay from the beginning and one from a snapshot end in the same state.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.application import Application, JournalOwner, Marked
from engine.contract.replica import Replica, private_state
from engine.runtime.journal.frames import Position
from engine.runtime.journal.journal import START
from engine.runtime.replay import snapshot
from engine.runtime.replay.snapshot import Snapshot, SnapshotError

Changed = Callable[[npt.NDArray[Any]], None]


def eras_of(application: Application) -> tuple[Application, ...]:
    """Return the applications that decided the commands of the journal, oldest first."""
    return (*(past.application for past in application.past), application)


def owner_over_eras(application: Application) -> JournalOwner:
    """Return whose the segments of a journal are, those of earlier capacities too."""
    eras = (Marked(past.number, past.application.identity) for past in application.past)
    return JournalOwner(application.entry_dtype, application.identity, (*application.earlier, *eras))


def load_snapshot(path: Path, application: Application) -> tuple[Snapshot, int]:
    """Map and verify a snapshot of any era; return it and the era's index. Raises SnapshotError."""
    eras = eras_of(application)
    layout = snapshot.layout_of(path, application.name)
    fitting = [index for index, era in enumerate(eras) if era.state_dtype == layout]
    index = fitting[-1] if fitting else len(eras) - 1
    return snapshot.load(path, eras[index]), index


def whole_snapshots(
    data_dir: Path, application: Application, complain: Callable[[SnapshotError], None] = lambda fault: None
) -> Iterator[tuple[Snapshot, int]]:
    """Yield the snapshots of any era, newest first, with their era's index; complain of others."""
    for path in snapshot.snapshot_paths(data_dir):
        try:
            loaded = load_snapshot(path, application)
        except SnapshotError as error:
            if path.exists():  # else the running instance made another one and removed it
                complain(error)
        else:
            yield loaded


class EraReplica:
    """A Replica that changes its capacities where the journal did.

    Parameters
    ----------
    application : with its past
    found : a snapshot and its era's index, where to begin; None: at the very beginning
    state : array of one state record of the present capacities, all zeros, to end in
    changed : told the state whenever it moved to other capacities, before anything is applied to it
    """

    def __init__(
        self,
        application: Application,
        found: tuple[Snapshot, int] | None = None,
        *,
        state: npt.NDArray[Any] | None = None,
        quarantined: tuple[int, ...] = (),
        changed: Changed = lambda state: None,
    ) -> None:
        self._application = application
        self._eras = eras_of(application)
        self._era = 0 if found is None else found[1]
        self._last_state = state
        self._quarantined = quarantined
        self._changed = changed
        self._enter(self._era)
        self.position: Position = START if found is None else snapshot.restore(found[0], self._replica)

    @property
    def seq(self) -> int:
        """The seq of the last command applied."""
        return self._replica.seq

    @property
    def epoch(self) -> int:
        """The start that took the last command."""
        return self._replica.epoch

    @property
    def marks(self) -> npt.NDArray[Any]:
        """The marks of the command rings: RING_MARK[RING_MARKS], as of a Replica."""
        return self._replica.marks

    def enter_epoch(self, epoch: int) -> None:
        """Enter an epoch, as a Replica does."""
        self._replica.enter_epoch(epoch)

    def skip(self, records: npt.NDArray[Any]) -> None:
        """As of a Replica; records : of one segment."""
        self._move_before(records)
        self._replica.skip(records)

    def apply(self, records: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """As of a Replica; records : of one segment."""
        self._move_before(records)
        return self._replica.apply(records)

    def batches(self, records: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
        """As of a Replica; records : of one segment."""
        self._move_before(records)
        return self._replica.batches(records)

    def arrive(self) -> None:
        """Move the state to the present capacities; the last command of the past is applied."""
        while self._era < len(self._application.past):
            assert self.seq == self._application.past[self._era].last_seq
            self._move()

    def _move_before(self, records: npt.NDArray[Any]) -> None:
        """Move on if these commands were decided with other capacities: a segment has one identity."""
        if self._era == len(self._application.past):
            return
        seqs = records["seq"][records["seq"] > 0]
        while len(seqs) and self._era < len(self._application.past):
            past = self._application.past[self._era]
            if seqs[0] <= past.last_seq:
                assert seqs[-1] <= past.last_seq
                return
            assert self.seq == past.last_seq
            self._move()

    def _move(self) -> None:
        before = self._replica
        self._era += 1
        self._enter(self._era)
        convert = self._application.convert
        assert convert is not None
        convert(before.state, self.state)
        self._replica.marks[:] = before.marks
        self._replica.epoch = before.epoch
        self._changed(self.state)

    def _enter(self, index: int) -> None:
        application = self._eras[index]
        is_last = index == len(self._eras) - 1
        state = self._last_state if is_last else None
        self.state = private_state(application.state_dtype) if state is None else state
        self._replica = Replica(application, self.state)
        self._replica.quarantined = self._quarantined


class Moved:
    """A state moved to other capacities or another layout, for `snapshot.write`, without compiled kernels."""

    def __init__(self, application: Application, state: Any, marks: npt.NDArray[Any], epoch: int) -> None:
        """Move `state`, an array of one record, into the application's."""
        assert application.convert is not None
        self.state = private_state(application.state_dtype)
        application.convert(state, self.state)
        self.marks = np.array(marks)
        self.epoch = epoch

    @property
    def seq(self) -> int:
        """The seq of the last command applied."""
        return int(self.state[0]["seq"])
