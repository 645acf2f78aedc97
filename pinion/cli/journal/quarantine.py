"""`pinion journal quarantine SEQ`: leave a command out from now on that kills the worker.

    seq 1 .. 400     in the snapshot: decided, acknowledged, in the state
    seq 401 ..       applied again by every recovery: here the worker can die

Only what a recovery has yet to apply may be left out. Taken out from before a snapshot, a command would
be missing in a replay from the beginning and stand in a recovery from that snapshot.
"""

import os
from pathlib import Path

from engine.contract import instance
from engine.contract.application import Application
from engine.contract.control_words import LATCH
from engine.contract.instance import SUPERVISOR, Instance
from engine.contract.latch import LATCH_POISON
from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import JournalError
from engine.runtime.journal.quarantine import quarantine, quarantined
from engine.runtime.journal.survey import survey
from engine.runtime.process import RoleTakenError, role_lock_path, take_role
from engine.runtime.replay.eras import owner_over_eras, whole_snapshots
from engine.runtime.replay.snapshot import OtherLayoutError, Snapshot, SnapshotError
from pinion.cli.applications import APPLICATIONS, Applications
from pinion.cli.journal.data import application_of, begin_of
from ringbuf.atomics import load_acquire

DONE = 0


def run(data_dir: Path, seq: int, applications: Applications = APPLICATIONS) -> int:
    """Quarantine a command; JournalError where it must not be."""
    application = application_of(data_dir, applications)
    running = _running(data_dir)
    if running is not None:
        raise_unless_latched_at(running, seq)
    found = survey(data_dir / journal.FOLDER, begin_of(data_dir), owner_over_eras(application))
    if not 1 <= seq <= found.end.seq:
        raise JournalError(f"seq {seq} is not in the journal, which ends at {found.end.seq}")
    if seq in quarantined(data_dir):
        print(f"seq {seq} is in quarantine already")
        return DONE
    taken = newest_usable(data_dir, application)
    if taken is not None and seq <= taken.position.seq:
        raise JournalError(
            f"seq {seq} was applied, and is in the snapshot of seq {taken.position.seq} ({taken.path}), "
            f"where every recovery begins; nothing was changed. Quarantine the command that the log "
            f"names where it says `the worker died twice at seq N`; if it names this one, just start: the "
            f"worker does not apply it again"
        )
    quarantine(data_dir, seq, Disk())
    print(f"seq {seq} is applied as a rejection from now on")
    if running is not None:
        print(f"stop the instance (process {running.processes[0].pid}) and start it again")
    return DONE


def newest_usable(data_dir: Path, application: Application) -> Snapshot | None:
    """Return the newest snapshot that is whole, also one of capacities that the journal had before.

    Raises JournalError at one that may be newer and was never brought over: what it holds was applied.
    """

    def refuse(fault: SnapshotError) -> None:
        if isinstance(fault, OtherLayoutError):
            raise JournalError(str(fault))

    return next((found for found, _ in whole_snapshots(data_dir, application, refuse)), None)


def raise_unless_latched_at(running: Instance, seq: int) -> None:
    """Raise JournalError unless the running instance is latched because this command kills its worker."""
    if int(load_acquire(instance.attach_journal(running).control, LATCH)) != LATCH_POISON:
        raise JournalError(
            f"seq {seq}: the instance on {running.data_dir} runs (process {running.processes[0].pid}) and is "
            f"not latched by a command that kills its worker; nothing was changed. There is nothing to do "
            f"unless `pinion status --data {running.data_dir}` says so; the log names the seq then"
        )
    # Nobody writes to the state any more: the worker died and is not started again (poison.py).
    deadly = int(instance.attach_state(running).slots[0]["seq"])
    if seq != deadly:
        raise JournalError(
            f"seq {seq} is not the command that kills the worker of the instance on {running.data_dir}: that "
            f"is seq {deadly}; nothing was changed. Give that one: pinion journal quarantine {deadly} "
            f"--data {running.data_dir}"
        )


def _running(data_dir: Path) -> Instance | None:
    """Return the instance that runs on a folder; None where its file is but what a crash left."""
    if not role_lock_path(data_dir, SUPERVISOR).exists():
        return None
    try:
        os.close(take_role(data_dir, SUPERVISOR))
    except RoleTakenError:
        return instance.read(data_dir)
    return None
