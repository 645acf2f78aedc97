"""The change of a journal from one set of capacities to another, whole or not at all.

    DATA/migration.tmp   is made: the snapshot, an empty segment hung to the last frame, layout.json
    DATA/migration       the name it gets when all of that is on the disk: from here on it is done
    `finish`             moves its files to their places, as often as it takes, and removes it

Before the name nothing of the journal has changed; behind it everything that opens the journal
finishes first. So a death at any moment leaves the old or the new.
"""

import shutil
from pathlib import Path

from engine.contract.application import Application
from engine.runtime.crash_points import crash_point
from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import SEGMENT_NAME
from engine.runtime.journal.survey import Found
from engine.runtime.journal.writer import SLOTS_MIN, SPARE_NAME, JournalWriter
from engine.runtime.replay import snapshot
from engine.runtime.replay.eras import Moved

DRAFT = "migration.tmp"
STAGED = "migration"
LAYOUT_FILE = "layout.json"
SLOT_COUNT = SLOTS_MIN + 1


def settle_tail(data_dir: Path, application: Application, found: Found, epoch: int, disk: Disk) -> int:
    """Have everything up to the journal's end on the disk for certain; return the next segment's number.

    What was never declared durable may not be on the disk: as at a start it is copied.
    """
    number = found.next_number
    if found.tail:
        folder = data_dir / journal.FOLDER
        writer = _begin(folder, application, epoch, disk)
        writer.begin(number, found.durable, found.tail)
        writer.close()
        disk.remove(folder / SPARE_NAME)
        number += 1
    crash_point("migrate.settled")
    return number


def stage(
    data_dir: Path,
    moved: Moved,
    application: Application,
    found: Found,
    number: int,
    layout: bytes,
    disk: Disk,
) -> None:
    """Write the new snapshot, segment and layout into a folder beside, synced, and give that its name.

    moved : the state at the journal's end in the new capacities
    application : with the new capacities
    number : of the new segment
    layout : content of the new layout.json
    """
    draft = data_dir / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    (draft / journal.FOLDER).mkdir(mode=0o700, parents=True)
    snapshot.write(draft, moved, found.end, application, disk)
    writer = _begin(draft / journal.FOLDER, application, moved.epoch, disk)
    writer.begin(number, found.end)
    writer.close()
    with disk.made(draft / journal.FOLDER / LAYOUT_FILE) as file:
        disk.write(file, layout, 0)
    disk.sync_folder(draft / journal.FOLDER)
    disk.sync_folder(draft)
    crash_point("migrate.staged")
    disk.rename(draft, data_dir / STAGED)
    disk.sync_folder(data_dir)
    crash_point("migrate.named")


def finish(data_dir: Path, disk: Disk) -> bool:
    """Move what is staged to its places; tell whether there was anything."""
    staged = data_dir / STAGED
    if not staged.is_dir():
        return False
    moves = [(path, snapshot.FOLDER) for path in snapshot.snapshot_paths(staged)]
    folder = staged / journal.FOLDER
    moves += [(path, journal.FOLDER) for path in folder.glob("*.npy") if SEGMENT_NAME.fullmatch(path.name)]
    moves += [(path, journal.FOLDER) for path in folder.glob(LAYOUT_FILE)]
    for path, name in moves:
        target = data_dir / name
        target.mkdir(mode=0o700, exist_ok=True)
        disk.rename(path, target / path.name)
        disk.sync_folder(target)
        crash_point("migrate.moved")
    disk.sync_folder(data_dir)
    shutil.rmtree(staged)
    disk.sync_folder(data_dir)
    return True


def _begin(folder: Path, application: Application, epoch: int, disk: Disk) -> JournalWriter:
    return JournalWriter(folder, disk, owner=application.owner, epoch=epoch, slot_count=SLOT_COUNT)
