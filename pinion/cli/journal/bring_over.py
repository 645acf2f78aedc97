"""A data folder of an earlier version of Pinion becomes one of this: a part of `pinion journal migrate`.

No command is decided again and no segment written: snapshots move into today's layout of the state, and
layout.json notes how the segments of before are marked (engine/runtime/upkeep/other_versions.py).
"""

from pathlib import Path

import msgspec

from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import JournalError
from engine.runtime.replay.eras import eras_of
from engine.runtime.replay.snapshot import SnapshotError
from engine.runtime.upkeep.migration import LAYOUT_FILE
from engine.runtime.upkeep.other_versions import (
    SnapshotsInOtherLayouts,
    marked_by_state,
    move_snapshot,
    note_layout,
)
from pinion.cli.applications import Applications
from pinion.cli.journal.data import application_as, read_any_layout
from pinion.cli.journal.layout import VERSION, Layout, MarkedLayout


def bring_over(
    data_dir: Path, disk: Disk, applications: Applications
) -> tuple[list[str], list[SnapshotError]]:
    """Make a folder on which nothing runs one of this version.

    Returns what was done, a line each, and what is wrong with snapshots that were passed over.
    Raises JournalError, OSError: a folder of before is one still, and may be brought over again.
    """
    before = read_any_layout(data_dir, applications)
    after = before if before.version == VERSION else _marked(data_dir, before)
    application = application_as(after, applications)
    done = []
    others = SnapshotsInOtherLayouts(data_dir, application)
    tools = applications[after.application]()
    capacities = [*(past.capacities for past in after.past), after.capacities]
    for found, era in others:
        for name, had in tools.capacities_of(found.record["state"]).items():
            if had != capacities[era][name]:
                raise JournalError(
                    f"{found.path}: was taken with {name} = {had}, {LAYOUT_FILE} says "
                    f"{capacities[era][name]} there: that file was changed, or the snapshot is of another "
                    f"journal; bring the one or the other back from a backup"
                )
        path = move_snapshot(data_dir, found, eras_of(application)[era], disk)
        done.append(f"brought over   {path}")
    if after != before:
        note_layout(data_dir, msgspec.json.encode(after), disk)
        done.append(f"brought over   the segments before number {after.earlier[-1].number}, unchanged")
    return done, others.faults


def _marked(data_dir: Path, layout: Layout) -> Layout:
    """Return the layout with a note of how the segments are marked, which earlier versions did otherwise."""
    marked = marked_by_state(data_dir / journal.FOLDER, [past.number for past in layout.past])
    earlier = tuple(MarkedLayout(number=each.number, identity=each.identity) for each in marked)
    return msgspec.structs.replace(layout, version=VERSION, earlier=earlier)
