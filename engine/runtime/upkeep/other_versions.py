"""What a data folder needs behind an update that laid out the state, or marked segments, in another way.

    snapshots/SEQ.npy    read by the layout in its own header, moved by field name, replaced in one step
    journal/*.npy        stay as they are: how they are marked is noted
    layout.json          says that, and is replaced in one step when all else is done

So a death at any moment leaves a folder of before, with some snapshots that are moved already: what
was interrupted is begun again, and nothing of it is done twice.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.contract.application import Application, Marked
from engine.contract.errors import ToldError
from engine.runtime.crash_points import crash_point
from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import JournalError, number_of, open_segment, segment_paths
from engine.runtime.replay import snapshot
from engine.runtime.replay.eras import Moved, load_snapshot
from engine.runtime.replay.snapshot import OtherLayoutError, Snapshot, SnapshotError
from engine.runtime.upkeep.migration import LAYOUT_FILE

DRAFT = "layout.tmp"


class SnapshotsInOtherLayouts:
    """The snapshots of a folder whose state another version of Pinion laid out.

    Iterating yields each, newest first, with the index of its era; those of today's layout and those
    that are not whole are passed over, and `faults` says what is wrong with the latter.
    """

    def __init__(self, data_dir: Path, application: Application) -> None:
        self.faults: list[SnapshotError] = []
        self._data_dir = data_dir
        self._application = application

    def __iter__(self) -> Iterator[tuple[Snapshot, int]]:
        for path in snapshot.snapshot_paths(self._data_dir):
            try:
                load_snapshot(path, self._application)
            except OtherLayoutError as other:
                yield other.found, self._era_at(other.found.position.seq)
            except SnapshotError as fault:
                self.faults.append(fault)

    def _era_at(self, seq: int) -> int:
        """Return the index of the era that a snapshot is of; one taken between two is the later's."""
        return sum(past.last_seq <= seq for past in self._application.past)


def move_snapshot(data_dir: Path, found: Snapshot, application: Application, disk: Disk) -> Path:
    """Replace a snapshot by what it is in the layout of `application`; JournalError where that cannot be."""
    if application.convert is None:
        raise JournalError(
            f"{found.path}: {application.name!r} cannot bring a state into another layout; remove the "
            f"snapshot where the journal is whole, or start the version that took it"
        )
    try:
        marks = found.record["meta"][0]["rings"]
        moved = Moved(application, found.record["state"], marks, found.epoch)
    except ToldError as error:
        raise JournalError(f"{found.path}: {error}; start the version that took it") from error
    path = snapshot.write(data_dir, moved, found.position, application, disk)
    crash_point("migrate.snapshot_moved")
    return path


def marked_by_state(folder: Path, ends: Sequence[int]) -> tuple[Marked, ...]:
    """Return how the segments of a journal are marked, all of which are bound to the state's layout.

    ends : number of the first segment behind each era of capacities, but for the present one
    """
    paths = segment_paths(folder)
    following = max(map(number_of, paths), default=0) + 1
    found: list[Marked] = []
    begin = 0
    for end in (*ends, following):
        identities = {
            open_segment(path).head.identity: path for path in paths if begin <= number_of(path) < end
        }
        if len(identities) > 1:
            one, other, *_ = identities.values()
            raise JournalError(
                f"{one.name} and {other.name} in {folder} are of different capacities or applications, which "
                f"{LAYOUT_FILE} does not say; {journal.RESTORE}"
            )
        found.append(Marked(end, next(iter(identities), None)))
        begin = end
    return tuple(found)


def note_layout(data_dir: Path, content: bytes, disk: Disk) -> None:
    """Replace layout.json; on the disk when this returns."""
    folder = data_dir / journal.FOLDER
    with disk.made(folder / DRAFT) as file:
        disk.write(file, content, 0)
    crash_point("migrate.layout_written")
    disk.rename(folder / DRAFT, folder / LAYOUT_FILE)
    disk.sync_folder(folder)
    crash_point("migrate.layout_named")
