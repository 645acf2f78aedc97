"""A data folder as the tools open it: whose journal it is, and an engine of its capacities.

DATA/journal/layout.json names application and capacities, so that no tool needs the
configuration that the journal was written with; and where they were changed, those before.
"""

import dataclasses
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from engine.contract import instance
from engine.contract.application import Application, Era, Marked
from engine.contract.instance import SUPERVISOR
from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import Frame, Position
from engine.runtime.journal.journal import JournalError, JournalReader
from engine.runtime.journal.quarantine import quarantined
from engine.runtime.process import RoleTakenError, take_role
from engine.runtime.replay import snapshot
from engine.runtime.replay.eras import EraReplica, owner_over_eras, whole_snapshots
from engine.runtime.replay.snapshot import OtherLayoutError, SnapshotError
from engine.runtime.upkeep import archive, migration
from engine.runtime.upkeep.migration import LAYOUT_FILE
from engine.settings.config import ConfigError
from pinion.cli.applications import APPLICATIONS, Applications, ApplicationTools
from pinion.cli.command import FAILED
from pinion.cli.journal.layout import MEND, VERSION, Layout, parsed
from ringbuf.whole_files import write_atomically

Capacities = Mapping[str, int]


def remember(
    data_dir: Path, name: str, capacities: Capacities, applications: Applications = APPLICATIONS
) -> None:
    """Note application and capacities beside a new journal; as `require_fit` where a journal has others.

    The caller owns the folder (ownership.py): whoever is refused notes nothing.
    """
    require_fit(data_dir, name, capacities, applications)
    wanted = Layout(application=name, capacities=dict(capacities))
    path = data_dir / journal.FOLDER / LAYOUT_FILE
    if path.exists():
        found = read_layout(data_dir, applications)
        if msgspec.structs.replace(found, past=(), earlier=()) == wanted:
            return
    instance.make_private(path.parent)
    write_atomically(path, msgspec.json.encode(wanted))


def require_fit(
    data_dir: Path, name: str, capacities: Capacities, applications: Applications = APPLICATIONS
) -> None:
    """Raise JournalError where the journal of a folder is another application's, ConfigError where it has
    other capacities.

    Where there is nothing of a journal but its layout, a start went no further: that binds nobody.
    A migration that was interrupted when it was done but for the moving of files is finished first,
    so the caller owns the folder.
    """
    path = data_dir / journal.FOLDER / LAYOUT_FILE
    if (data_dir / migration.STAGED).is_dir():
        migration.finish(data_dir, Disk())
    if not path.exists():
        _require_segments_fit(path, applications[name]().make(capacities))
        return
    layout = read_layout(data_dir, applications)
    if not layout.past and not _is_begun(data_dir):
        return
    require_application(data_dir, layout, name)
    section = applications[name]().settings.capacities_at
    for capacity, value in capacities.items():
        if layout.capacities.get(capacity) != value:
            raise ConfigError(
                f"{section}.{capacity} = {value}: the journal in {data_dir} was written with "
                f"{layout.capacities.get(capacity)}; set that again, or make the journal fit: "
                f"pinion journal migrate {data_dir} --config FILE"
            )


def require_application(data_dir: Path, layout: Layout, name: str) -> None:
    """Raise JournalError unless the journal of a folder is this application's."""
    if layout.application != name:
        raise JournalError(
            f"{data_dir}: its journal is of the application {layout.application!r}, this is for {name!r} "
            f"alone; name a data folder of {name!r}"
        )


def _is_begun(data_dir: Path) -> bool:
    """Tell whether anything was ever decided with the capacities that a layout names."""
    return any(
        (
            journal.segment_paths(data_dir / journal.FOLDER),
            snapshot.snapshot_paths(data_dir),
            archive.archived_paths(data_dir / archive.FOLDER),
        )
    )


def _require_segments_fit(path: Path, application: Application) -> None:
    """Raise JournalError where a layout that was lost was another one: its segments say so."""
    segments = journal.segment_paths(path.parent)
    for segment in segments[:1] + segments[-1:]:  # a migration would have changed it in between
        if journal.open_segment(segment).head.identity != application.identity:
            raise JournalError(
                f"{path}: is missing, and {segment.name} is of other capacities, or of an earlier version of "
                f"Pinion; bring the file back from a backup, or start with the capacities, and the version, "
                f"that the journal was written with: that writes it again"
            )


def finish_migration(data_dir: Path) -> bool:
    """Finish a migration whose files are all there; tell whether there was one."""
    if not (data_dir / migration.STAGED).is_dir():
        return False
    try:
        lock = take_role(data_dir, SUPERVISOR)
    except RoleTakenError as error:
        raise JournalError(f"{error}: stop it first, a migration has to be finished") from error
    try:
        return migration.finish(data_dir, Disk())
    finally:
        os.close(lock)


def read_layout(data_dir: Path, applications: Applications = APPLICATIONS) -> Layout:
    """Return what layout.json says; JournalError where there is no journal, one of no row, or of before."""
    layout = read_any_layout(data_dir, applications)
    if layout.version < VERSION and (layout.past or _is_begun(data_dir)):
        raise JournalError(
            f"{data_dir}: its journal was written by an earlier version of Pinion, which bound it to the "
            f"layout of the state; bring it over: pinion journal migrate {data_dir}"
        )
    return layout


def read_any_layout(data_dir: Path, applications: Applications = APPLICATIONS) -> Layout:
    """As read_layout, also of a journal that has to be brought over first."""
    if (data_dir / migration.STAGED).is_dir():
        raise JournalError(
            f"{data_dir / migration.STAGED}: a migration was interrupted when it was almost done; finish it: "
            f"pinion up, or pinion journal migrate {data_dir} --config FILE"
        )
    return _layout_of(data_dir, applications)


def tools_of(data_dir: Path, applications: Applications = APPLICATIONS) -> ApplicationTools:
    """Return the row of a journal's application, which no migration changes, finished or not."""
    return applications[_layout_of(data_dir, applications).application]()


def _layout_of(data_dir: Path, applications: Applications) -> Layout:
    path = data_dir / journal.FOLDER / LAYOUT_FILE
    try:
        return parsed(path, path.read_bytes(), applications)
    except FileNotFoundError:
        if not data_dir.is_dir():
            what = "is no folder" if data_dir.exists() else "there is no such folder"
            raise JournalError(f"{data_dir}: {what}; name the data folder of `pinion up`") from None
        if not any(path.parent.glob("*.npy")):
            raise JournalError(f"{data_dir}: holds no journal (no {path.relative_to(data_dir)})") from None
        raise JournalError(f"{path}: is missing; {MEND}") from None
    except NotADirectoryError:
        raise JournalError(f"{data_dir}: is no folder; name the data folder of `pinion up`") from None
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error.strerror}; mend its mode or the disk") from error


def data_folder(path: Path) -> Path:
    """Return the data folder of what a user names: that folder, or the journal in it."""
    given = path.resolve()
    return given.parent if given.name == journal.FOLDER and not (given / journal.FOLDER).is_dir() else given


def application_of(data_dir: Path, applications: Applications = APPLICATIONS) -> Application:
    """Return the application with the capacities of the journal, present and past.

    Raises JournalError where a recovery needs a snapshot, and those there are have another layout.
    """
    application = application_as(read_layout(data_dir, applications), applications)
    _require_snapshot(data_dir, application)
    application.open_folder(data_dir, _end)
    return application


def _end(text: str) -> NoReturn:
    """End a tool out of a kernel that cannot go on: there is no way back through compiled code."""
    print(text, file=sys.stderr, flush=True)
    os._exit(FAILED)


def application_as(layout: Layout, applications: Applications) -> Application:
    """Return the application with the capacities that a layout says, present and past."""
    make = applications[layout.application]().make
    past = tuple(Era(make(each.capacities), each.last_seq, each.number) for each in layout.past)
    earlier = tuple(Marked(each.number, each.identity) for each in layout.earlier)
    return dataclasses.replace(make(layout.capacities), past=past, earlier=earlier)


def _require_snapshot(data_dir: Path, application: Application) -> None:
    """Raise JournalError where the first segments are archived, and all snapshots have another layout."""
    segments = journal.segment_paths(data_dir / journal.FOLDER)
    if not segments or journal.first_seq_of(segments[0]) == 1:
        return
    faults: list[SnapshotError] = []
    if next(whole_snapshots(data_dir, application, faults.append), None) is None:
        for fault in faults:
            if isinstance(fault, OtherLayoutError):
                raise JournalError(f"{fault}; it is needed, for {segments[0].name} is the first segment here")


def require_beginning(data_dir: Path) -> None:
    """Raise JournalError unless the journal's first command is there: no snapshot is whole."""
    segments = journal.segment_paths(data_dir / journal.FOLDER)
    if segments and (first := journal.first_seq_of(segments[0])) != 1:
        raise JournalError(
            f"{data_dir / journal.FOLDER}: begins at seq {first}, and no snapshot is whole; bring the "
            f"earlier segments back from the archive: pinion journal restore {data_dir}"
        )


def begin_of(data_dir: Path) -> Position:
    """Return the place before the first segment that is there: older ones may be in an archive."""
    paths = journal.segment_paths(data_dir / journal.FOLDER)
    if not paths:
        raise JournalError(f"{data_dir / journal.FOLDER}: holds no segment")
    return journal.open_segment(paths[0]).head.begin


def told(reader: JournalReader) -> Iterator[Frame]:
    """Yield the frames, and say now and then how far it is."""
    shown = 0
    for frame in reader:
        if frame.last_seq - shown >= 5_000_000:
            shown = frame.last_seq
            print(f"seq {shown:,}", file=sys.stderr, flush=True)
        yield frame


def open_journal(
    data_dir: Path, state: Any = None, applications: Applications = APPLICATIONS
) -> tuple[EraReplica, JournalReader]:
    """Return an empty engine and the journal, both at the very beginning.

    state : array of one STATE record of the journal's present capacities, where the engine shall end;
        private memory when left out
    """
    application = application_of(data_dir, applications)
    replica = EraReplica(application, state=state, quarantined=quarantined(data_dir))
    return replica, open_journal_alone(data_dir, applications)


def open_journal_alone(data_dir: Path, applications: Applications = APPLICATIONS) -> JournalReader:
    """Return the journal at its very beginning, for those who want its records and no engine."""
    application = application_of(data_dir, applications)
    return JournalReader(data_dir / journal.FOLDER, owner=owner_over_eras(application))
