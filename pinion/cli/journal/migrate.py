"""`pinion journal migrate DIR [--config FILE]`: a journal goes on with this version, or other capacities.

What an earlier version wrote is brought over first (bring_over.py). The commands so far stay decided as
they were, also those that were refused for lack of room: the state at the journal's end moves into the
new capacities, and a segment of the new kind begins there, chained to the last frame. A replay over that
place moves the same way (eras.py).
"""

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from engine.contract.application import Application
from engine.contract.instance import HISTORY, JOURNALER, SHADOW, SUPERVISOR, WORKER
from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import START, JournalError, JournalReader
from engine.runtime.journal.quarantine import quarantined
from engine.runtime.journal.survey import Found, survey
from engine.runtime.process import RoleTakenError, await_role, take_role
from engine.runtime.replay import snapshot
from engine.runtime.replay.eras import EraReplica, Moved, owner_over_eras, whole_snapshots
from engine.runtime.upkeep import migration
from engine.settings import config
from engine.settings.config import ConfigError
from pinion.cli.applications import APPLICATIONS, Applications, ApplicationTools
from pinion.cli.journal.archive import held
from pinion.cli.journal.bring_over import bring_over
from pinion.cli.journal.data import (
    application_as,
    application_of,
    finish_migration,
    read_any_layout,
    read_layout,
    require_beginning,
    tools_of,
)
from pinion.cli.journal.layout import VERSION, Layout, PastLayout

DONE = 0
BROUGHT_OVER = "the folder is of this version now, with the capacities that it had"
ROLE_WAIT_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML with the capacities that the journal shall have from now on (default: those that it has)",
    )


def run(data_dir: Path, args: argparse.Namespace) -> int:
    """Migrate; raises ConfigError where the capacities do not do, JournalError, OSError."""
    applications = args.applications
    kind = tools_of(data_dir, applications).settings
    capacities: dict[str, int] | None = None
    if args.config is not None:
        capacities = msgspec.structs.asdict(config.load(args.config, kind).capacities)
    if finish_migration(data_dir):
        print("finished the migration that was interrupted")
    with held(data_dir), _stopped(data_dir):
        _require_its_layout(data_dir, applications)
        done, faults = bring_over(data_dir, Disk(), applications)
        for line in (*done, *(f"passed over    {fault}" for fault in faults)):
            print(line)
        layout = read_layout(data_dir, applications)
        application = application_of(data_dir, applications)
        if capacities is None or capacities == layout.capacities:
            made = _restored_snapshot(data_dir, application)
            if made or not done:
                print(made or "nothing to do: the journal is of this version and has these capacities")
            return DONE
        try:
            after = migrate(data_dir, capacities, Disk(), applications)
        except ConfigError as error:
            raise ConfigError(f"{error}; {BROUGHT_OVER}" if done else str(error)) from error
    for name, value in capacities.items():
        if layout.capacities.get(name) != value:
            print(f"{name:<14} {layout.capacities.get(name):,} -> {value:,}")
    place = after.past[-1]
    print(f"the journal goes on behind seq {place.last_seq:,}, in segment {place.number}")
    print(f"start: {tools_of(data_dir, applications).command} --config {args.config} --data {data_dir}")
    return DONE


def migrate(
    data_dir: Path, capacities: Mapping[str, int], disk: Disk, applications: Applications = APPLICATIONS
) -> Layout:
    """Give the journal of a folder on which nothing runs these capacities; return its new layout.

    Raises ConfigError where they are too small, JournalError, OSError; nothing has changed then, but
    that the journal's last frames may stand in a segment of their own.
    """
    layout, application = read_layout(data_dir, applications), application_of(data_dir, applications)
    tools = tools_of(data_dir, applications)
    target = tools.make(capacities)
    if target.convert is None:
        raise JournalError(f"{data_dir}: {layout.application!r} cannot change its capacities; keep them")
    replica, found = state_at_end(data_dir, application)
    _refuse_too_small(tools, replica, capacities)
    number = migration.settle_tail(data_dir, application, found, replica.epoch, disk)
    after = _following(layout, capacities, found.end.seq, number)
    moved = Moved(target, replica.state, replica.marks, replica.epoch)
    migration.stage(data_dir, moved, target, found, number, msgspec.json.encode(after), disk)
    migration.finish(data_dir, disk)
    return after


def state_at_end(data_dir: Path, application: Application) -> tuple[EraReplica, Found]:
    """Return the state behind the journal's last command, and what is found there."""
    loaded = next(
        whole_snapshots(
            data_dir, application, lambda fault: print(f"{fault}; an older one or the journal alone is used")
        ),
        None,
    )
    replica = EraReplica(application, loaded, quarantined=quarantined(data_dir))
    folder, owner = data_dir / journal.FOLDER, owner_over_eras(application)
    floor = START if loaded is None else loaded[0].position
    found = survey(folder, floor, owner)
    for records, epoch, _ in JournalReader(folder, floor, owner).stretches(found.end.seq):
        replica.enter_epoch(epoch)
        replica.skip(records)
    replica.arrive()
    assert replica.seq == found.end.seq
    return replica, found


def _following(layout: Layout, capacities: Mapping[str, int], last_seq: int, number: int) -> Layout:
    """Return the layout of a journal that goes on in segment `number` with these capacities."""
    before = PastLayout(capacities=layout.capacities, last_seq=last_seq, number=number)
    return msgspec.structs.replace(layout, capacities=dict(capacities), past=(*layout.past, before))


def _require_its_layout(data_dir: Path, applications: Applications) -> None:
    """Raise JournalError unless the layout's capacities are those of the first and the last segment.

    Segments of an earlier version do not say theirs: there the snapshots are asked (bring_over.py).
    """
    layout = read_any_layout(data_dir, applications)
    if layout.version < VERSION:
        return
    owner = owner_over_eras(application_as(layout, applications))
    segments = journal.segment_paths(data_dir / journal.FOLDER)
    for path in segments[:1] + segments[-1:]:
        if journal.open_segment(path).head.identity != owner.identity_at(journal.number_of(path)):
            raise JournalError(
                f"{path}: written with other capacities or another application than "
                f"{path.with_name(migration.LAYOUT_FILE)} says: {migration.LAYOUT_FILE} was changed, or the "
                f"segment belongs elsewhere; bring that file back from a backup"
            )


def _refuse_too_small(tools: ApplicationTools, replica: EraReplica, capacities: Mapping[str, int]) -> None:
    for name, (given, used) in tools.too_small(replica.state, capacities).items():
        raise ConfigError(
            f"{tools.settings.capacities_at}.{name} = {given}: {used} are, or were at one time, in use; "
            f"set {used} or more"
        )


def _restored_snapshot(data_dir: Path, application: Application) -> str:
    """Make the snapshot that a start behind a migration needs, where it was lost; return what was done."""
    taken, _ = snapshot.newest(data_dir, application)
    if taken is None:
        require_beginning(data_dir)
    if taken is not None or not application.past:
        return ""
    replica, found = state_at_end(data_dir, application)
    disk = Disk()
    # The tail could be cut by a loss of power: a snapshot never reaches behind what is certain.
    migration.settle_tail(data_dir, application, found, replica.epoch, disk)
    state: Any = replica
    return f"made           {snapshot.write(data_dir, state, found.end, application, disk)}"


@contextmanager
def _stopped(data_dir: Path) -> Iterator[None]:
    """Keep the instance from running meanwhile; JournalError where it does."""
    try:
        lock = take_role(data_dir, SUPERVISOR)
    except RoleTakenError as error:
        raise JournalError(f"{data_dir} is in use by process {error.pid}: stop it first") from error
    try:
        for role in (JOURNALER, WORKER, SHADOW, HISTORY):
            await_role(data_dir, role, ROLE_WAIT_S)
        yield
    except RoleTakenError as error:
        raise JournalError(f"a process of an earlier start still runs: {error}; kill it") from error
    finally:
        os.close(lock)
