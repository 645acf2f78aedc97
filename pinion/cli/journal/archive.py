"""`pinion journal archive` and `restore`: closed segments go to an archive, compressed, and come back.

The rules that the journal names go with it, as copies. Nothing that a process of the instance may need goes:
a recovery, from the older of the two snapshots on; history, from its mark on. How far history is, the running
instance says.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.contract import instance
from engine.contract.instance import HISTORY, SUPERVISOR, counter_name, make_private
from engine.contract.port import EventReader
from engine.rules import stored as rules
from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import JournalError, first_seq_of, number_of, segment_paths
from engine.runtime.process import RoleTakenError, take_role
from engine.runtime.upkeep import archive
from engine.settings.config import ConfigError
from pinion.cli.journal.data import application_of
from ringbuf.whole_files import write_atomically

DONE = 0
SETTLE_S = 1.0
"""What PostgreSQL may take to have a commit on the disk (wal_writer_delay, three times 0.2 s): until
then a loss of power could take history's mark back."""
ROOM_LEFT_BYTES = 2**28
"""Left free for the instance by a restore: its engine stops when the disk is full."""


def add_arguments(to_archive: argparse.ArgumentParser, to_restore: argparse.ArgumentParser) -> None:
    """Declare the options of both."""
    to_archive.add_argument("--to", type=Path, metavar="FOLDER", help="the archive (default: DIR/archive)")
    to_archive.add_argument("--dry-run", action="store_true", help="only tell what would go")
    to_archive.add_argument(
        "--without-history",
        action="store_true",
        help="no history is kept of this journal, or it can wait for a restore: do not ask how far it is",
    )
    to_restore.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER", help="the archive (default: DIR/archive)"
    )


def run_archive(data_dir: Path, args: argparse.Namespace) -> int:
    """Archive what nobody needs any more; JournalError, OSError."""
    folder = args.to or data_dir / archive.FOLDER
    application = application_of(data_dir, args.applications)
    _refuse_wrong_archive(data_dir, folder)
    with held(data_dir):
        floor = archive.recovery_floor(data_dir, application)
        mark = None if args.without_history else history_seq(data_dir)
        needed, why = needed_from(floor.seq, mark)
        paths = archive.spare_paths(data_dir / journal.FOLDER, needed)
        print(f"needed from seq {needed:,} on, by {why}")
        if not paths:
            print("nothing to archive")
            return DONE
        if args.dry_run:
            for path in paths:
                print(f"would archive  {path.name}")
            return DONE
        if mark is not None:
            time.sleep(SETTLE_S)
        _archive(data_dir, paths, folder)
    return DONE


def _refuse_wrong_archive(data_dir: Path, folder: Path) -> None:
    """Raise ConfigError where compressed segments have no place."""
    given = folder.resolve()
    if given.is_relative_to((data_dir / journal.FOLDER).resolve()):
        raise ConfigError(
            f"--to {folder}: is the journal's own folder, or within it; give another, such as "
            f"{data_dir / archive.FOLDER}"
        )
    if given.exists() and not given.is_dir():
        raise ConfigError(f"--to {folder}: is no folder; give one, or a name that is free")


def needed_from(floor_seq: int, mark: int | None) -> tuple[int, str]:
    """Return the first seq that must stay in the journal, and who needs it.

    floor_seq : where the older snapshot was taken
    mark : how far history is, None: there is none
    """
    if mark is not None and mark < floor_seq:
        # Without a snapshot at or before its mark history begins again at the first command.
        return 1, f"history, which stands at seq {mark:,}, before the older snapshot"
    if mark is not None and mark < floor_seq + 1:
        return mark, "history, which looks at the last command it has"
    return floor_seq + 1, "the older snapshot"


def _archive(data_dir: Path, paths: list[Path], folder: Path) -> None:
    disk = Disk()
    if not folder.exists():
        make_private(folder)
        disk.sync_folder(folder.parent)
    _copy_rules(data_dir, folder)  # before anything goes that names them
    raw = packed = 0
    following = [*paths[1:], _behind(data_dir, paths[-1])]
    for path, after in zip(paths, following, strict=True):
        done = archive.pack(path, after, folder, disk)
        raw, packed = raw + done.raw_bytes, packed + done.packed_bytes
        print(f"archived       {path.name}  {done.raw_bytes:,} -> {done.packed_bytes:,} bytes", flush=True)
    commands = first_seq_of(following[-1]) - first_seq_of(paths[0])
    print(
        f"{len(paths)} segments, {commands:,} commands: {raw:,} bytes became {packed:,} in {folder} "
        f"(1/{raw / packed:.1f}, {packed / max(1, commands):.1f} bytes a command)"
    )


def run_restore(data_dir: Path, args: argparse.Namespace) -> int:
    """Bring the archived segments back; they stay in the archive too. JournalError, OSError."""
    folder = args.source or data_dir / archive.FOLDER
    target = data_dir / journal.FOLDER
    if not archive.archived_paths(folder):
        raise JournalError(f"{folder}: holds no archived segment; name the archive with --from FOLDER")
    with held(data_dir):
        archive.clear_drafts(target)
        missing = archive.missing_paths(folder, target)
        needed = sum(archive.raw_size(packed) for packed, _ in missing)
        free = os.statvfs(target)
        left = free.f_bavail * free.f_frsize - needed
        if left < ROOM_LEFT_BYTES:
            raise JournalError(
                f"{target}: {needed:,} bytes would come back and leave {left:,} free, {ROOM_LEFT_BYTES:,} "
                f"are to stay free for the instance; make room, or restore into a copy of the folder"
            )
        _copy_rules(folder, data_dir)
        disk = Disk()
        for packed, following in missing:
            print(f"restored       {archive.unpack(packed, following, disk).name}", flush=True)
        archive.clear_drafts(target)
    print(f"{len(missing)} segments came back; the journal begins at seq {_begin_seq(target):,}")
    return DONE


def _copy_rules(source: Path, target: Path) -> None:
    """Copy the rules that the journal names where they are not yet; they stay where they were."""
    for path in sorted((source / rules.FOLDER).glob("*.json")):
        copy = target / rules.FOLDER / path.name
        if not copy.exists():
            make_private(copy.parent)
            write_atomically(copy, path.read_bytes(), sync=True)
            Disk().sync_folder(copy.parent)
            print(f"rules copied   {path.name}", flush=True)


def history_seq(data_dir: Path) -> int:
    """Return how far the running instance's history is.

    Raises JournalError where nothing can tell: nothing runs, or no history process (yet).
    """
    try:
        os.close(take_role(data_dir, SUPERVISOR))
        why = "nothing runs on it"
    except RoleTakenError:
        found = instance.read(data_dir)
        if HISTORY in [process.name for process in found.processes]:
            with EventReader.attach(data_dir) as reader:
                return int(reader.counters()[counter_name(HISTORY, "seq")])
        why = "no history process runs on it"
    raise JournalError(
        f"{data_dir}: {why}, so nobody can tell how far history is; start it, or give --without-history"
    )


@contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Keep other archives, restores and migrations off the folder; JournalError names who is at it."""
    try:
        lock = take_role(data_dir, archive.ROLE)
    except RoleTakenError as error:
        raise JournalError(f"{error}: wait until that has ended") from error
    try:
        yield
    finally:
        os.close(lock)


def tell(data_dir: Path, folder: Path) -> None:
    """Print what the archive holds, and what a command and a day take there."""
    paths = archive.archived_paths(folder)
    if not paths:
        return
    present = segment_paths(data_dir / journal.FOLDER)
    names = {archive.segment_name_of(path): path for path in paths}
    size = sum(path.stat().st_size for path in paths)
    raw = sum(archive.raw_size(path) for path in paths)
    print(f"archived       {len(paths)} segments, {size:,} bytes of {raw:,} (1/{raw / size:.1f})")
    twice = sum(path.name in names for path in present)
    if twice:
        print(f"  there too    {twice} of them: restored, or not removed yet")
    held_here = archive.pieces(paths, present)
    commands = sum(piece.last_seq - piece.first_seq + 1 for piece in held_here)
    for piece in held_here:
        print(f"  commands     seq {piece.first_seq:,} to {piece.last_seq:,}")
    print(f"  a command    {size / max(1, commands):.1f} bytes")
    # From the beginning of a piece to that of its last segment: both times are told by the files themselves.
    timed = [piece.paths for piece in held_here if len(piece.paths) > 1]
    elapsed = sum(archive.created_at(each[-1]) - archive.created_at(each[0]) for each in timed)
    if elapsed > 0:
        timed_size = sum(path.stat().st_size for each in timed for path in each[:-1])
        print(
            f"  a day        {timed_size / elapsed * 86_400 * 10**9:,.0f} bytes, by the segments' own times"
        )


def tell_missing(data_dir: Path, begin_seq: int, folders: Sequence[Path]) -> list[str]:
    """Print what the journal lacks before its first segment; return what no archive holds either."""
    if begin_seq == 0:
        return []
    present = segment_paths(data_dir / journal.FOLDER)
    packed = {number_of(path): path for folder in folders for path in archive.archived_paths(folder)}
    packed = {number: path for number, path in packed.items() if number < number_of(present[0])}
    named = ", ".join(str(folder) for folder in folders)
    faults, following = [], 1
    for piece in archive.pieces([packed[number] for number in sorted(packed)], present):
        if piece.first_seq > following:
            faults.append(_nowhere(following, piece.first_seq - 1, named))
        following = piece.last_seq + 1
    if following <= begin_seq:
        faults.append(_nowhere(following, begin_seq, named))
    where = "not all of it in" if faults else "without a gap in"
    print(f"not here       seq 1 to {begin_seq:,}; {where} {named}")
    return faults


def _nowhere(first: int, last: int, named: str) -> str:
    return (
        f"seq {first} to {last} are neither in the journal nor in {named}; name the archive that holds them "
        f"with --archive FOLDER, or bring the segments back from a backup"
    )


def _behind(data_dir: Path, path: Path) -> Path:
    """Return the segment behind one."""
    return next(each for each in segment_paths(data_dir / journal.FOLDER) if each.name > path.name)


def _begin_seq(folder: Path) -> int:
    return first_seq_of(segment_paths(folder)[0])
