"""Closed segments of the journal, compressed in a folder of their own: ARCHIVE/NUMBER-FIRSTSEQ.npy.zst.

    journal/00000007-...npy --zstd--> archive.tmp, fsync, read back, same digest?
                                      --> 00000007-...npy.zst, folder synced --> the original goes

Oldest first, so that what is left is always one piece; brought back newest first for the same
reason. At every moment a segment is in the journal, in the archive or in both, and both at once
is no error: the files never change. What goes in is byte for byte what comes out, and neither
way is taken without the segment's own frames being whole and chained to the one behind it.
"""

import os
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import blake3
import numpy as np
import zstandard

from engine.contract.application import Application
from engine.runtime.crash_points import crash_point
from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import (
    NPY_HEAD_BYTES,
    Position,
    frames_behind,
    read_segment_head,
    record_of,
)
from engine.runtime.journal.journal import (
    SEGMENT_NAME,
    Broken,
    JournalError,
    JournalReader,
    JournalSegment,
    first_seq_of,
    number_of,
    open_segment,
    segment_paths,
    walked,
)
from engine.runtime.replay import snapshot

FOLDER = "archive"
NAME = re.compile(r"\d{8}-\d{16}\.npy\.zst")
DRAFT = "archive.tmp"
RESTORED = "restore.tmp"
"""Folder within the journal's, in which a segment that comes back has its own name already."""
ROLE = "archive"
LEVEL = 3
"""Of zstd: decision 20 has what others cost."""
CHUNK_BYTES = 2**20
FRAME_HEAD_BYTES_MAX = 18
"""Of zstd's own frame: RFC 8878, section 3.1.1.1."""
BEGINNING_BYTES = 2 * NPY_HEAD_BYTES
"""Enough for numpy's header and a segment's head: commands are smaller than that."""
SNAPSHOTS_NEEDED = 2
"""A recovery that cannot use the newest takes the one before."""


class Packed(NamedTuple):
    """An archived segment: where it is, and its bytes before and after."""

    path: Path
    raw_bytes: int
    packed_bytes: int


def archived_paths(folder: Path) -> list[Path]:
    """Return the archived segments in their order."""
    return sorted(path for path in folder.glob("*.zst") if NAME.fullmatch(path.name))


def segment_name_of(path: Path) -> str:
    """Return the name that an archived segment had in the journal."""
    return path.name.removesuffix(".zst")


def recovery_floor(data_dir: Path, application: Application) -> Position:
    """Return the place behind which a recovery needs the journal, whichever of its snapshots fails.

    Raises JournalError where there are not two whole snapshots that hang on this journal.
    """
    found, faults = [], []
    for path in snapshot.snapshot_paths(data_dir)[:SNAPSHOTS_NEEDED]:
        try:
            found.append(snapshot.load(path, application).position)
        except snapshot.SnapshotError as error:
            faults.append(f"; {error}")
    if len(found) < SNAPSHOTS_NEEDED:
        raise JournalError(
            f"{data_dir / snapshot.FOLDER}: {len(found)} whole snapshots, {SNAPSHOTS_NEEDED} are needed "
            f"before anything may go (engine.snapshot_every, or a stop, makes the next){''.join(faults)}"
        )
    newest, older = found
    reader = JournalReader(data_dir / journal.FOLDER, older, application.owner)
    for frame in reader:
        if frame.last_seq >= newest.seq:
            break
    if reader.position != newest:
        raise JournalError(
            f"{data_dir / snapshot.FOLDER}: no frame of the journal ends where the newest snapshot was "
            f"taken, at seq {newest.seq}: one of them belongs to another journal"
        )
    return older


def spare_paths(folder: Path, needed_seq: int) -> list[Path]:
    """Return the segments that hold nothing from `needed_seq` on, oldest first; never the newest."""
    paths = segment_paths(folder)
    holding = [path for path in paths if first_seq_of(path) <= needed_seq]
    if not holding:
        return []
    # A reader walks all segments that begin where the last of them does.
    first = first_seq_of(holding[-1])
    return [path for path in holding if first_seq_of(path) < first]


def check_segment(segment: JournalSegment, following: JournalSegment) -> None:
    """Raise JournalError unless all frames up to the following segment are whole and chained to it."""
    found = walked(segment, following.head.first_seq - 1)
    if isinstance(found, Broken):
        raise JournalError(
            f"{found}, but {following.path.name} goes on at seq {following.head.first_seq}; {journal.RESTORE}"
        )
    if found[1].digest != following.head.anchor:
        raise JournalError(
            f"{segment.path}: {following.path.name} is not chained to it: one of them belongs to another "
            f"journal, or was altered; {journal.RESTORE}"
        )


def pack(path: Path, following: Path, folder: Path, disk: Disk) -> Packed:
    """Move one closed segment into the archive; when this returns it is there for certain.

    following : the segment behind it in the journal
    folder : the archive's, exists
    Raises JournalError where the segment is damaged or the archive holds another of its name, OSError.
    """
    segment = open_segment(path)
    check_segment(segment, open_segment(following))
    raw_bytes, content = path.stat().st_size, _digest_of(_chunks(path))
    final = folder / f"{path.name}.zst"
    if not final.exists():
        draft = folder / DRAFT
        _compress(path, draft, disk)
        crash_point("archive.written")
        if _unpacked_digest(draft) != content:
            disk.remove(draft)
            raise JournalError(
                f"{draft}: does not give {path} back; is the disk in order? Nothing was removed"
            )
        disk.rename(draft, final)
        crash_point("archive.named")
    elif _unpacked_digest(final) != content:
        raise JournalError(
            f"{final}: holds something else than {path}; move it away, or give another folder with --to"
        )
    disk.sync_folder(folder)
    crash_point("archive.certain")
    disk.remove(path)
    disk.sync_folder(path.parent)
    crash_point("archive.removed")
    return Packed(path, raw_bytes, final.stat().st_size)


def missing_paths(archive: Path, folder: Path) -> list[tuple[Path, Path]]:
    """Return the archived segments that the journal lacks, newest first, and what each will lie before.

    Raises JournalError where they and the journal would not make one piece.
    """
    present = {number_of(path): path for path in folder.glob("*.npy") if SEGMENT_NAME.fullmatch(path.name)}
    if not present:
        raise JournalError(f"{folder}: holds no segment that an archived one could be chained to")
    wanted = {number_of(path): path for path in archived_paths(archive)}
    wanted = {number: path for number, path in wanted.items() if number < max(present)}
    for number in range(min([*wanted, *present]), max(present)):
        if number not in wanted and number not in present:
            raise JournalError(
                f"segment {number} is neither in {folder} nor in {archive}: name the archive that holds it "
                f"with --from FOLDER, the newest segments first, or bring it back from a backup"
            )
    following = present | {number: folder / segment_name_of(path) for number, path in wanted.items()}
    lacking = sorted(wanted.keys() - present.keys(), reverse=True)
    return [(wanted[number], following[number + 1]) for number in lacking]


def unpack(packed: Path, following: Path, disk: Disk) -> Path:
    """Bring one archived segment back into the journal; it stays in the archive. Return its path.

    following : the segment behind it, in the journal's folder
    Raises JournalError where it is damaged or does not belong here, OSError.
    """
    drafts = following.parent / RESTORED
    drafts.mkdir(mode=0o700, exist_ok=True)
    name = segment_name_of(packed)
    draft, final = drafts / name, following.parent / name
    with disk.made(draft) as file:
        offset = 0
        for chunk in _unpacked(packed):
            disk.write(file, chunk, offset)
            offset += len(chunk)
    check_segment(open_segment(draft), open_segment(following))
    crash_point("archive.unpacked")
    disk.rename(draft, final)
    disk.sync_folder(final.parent)
    crash_point("archive.restored")
    return final


def clear_drafts(folder: Path) -> None:
    """Remove what an interrupted restore left in the journal's folder."""
    drafts = folder / RESTORED
    for leftover in drafts.glob("*"):
        leftover.unlink()
    if drafts.exists():
        drafts.rmdir()


def raw_size(packed: Path) -> int:
    """Return how many bytes an archived segment takes in the journal."""
    with packed.open("rb") as file:
        parameters = zstandard.get_frame_parameters(file.read(FRAME_HEAD_BYTES_MAX))
    return int(parameters.content_size)


def created_at(packed: Path) -> int:
    """Return when an archived segment was begun: wall clock, ns since 1970; reads its beginning only."""
    beginning = b""
    for chunk in _unpacked(packed):
        beginning += chunk
        if len(beginning) >= BEGINNING_BYTES:
            break
    record = record_of(beginning[:NPY_HEAD_BYTES])
    slot = b"" if record is None else beginning[NPY_HEAD_BYTES : NPY_HEAD_BYTES + record.itemsize]
    is_whole = record is not None and len(slot) == record.itemsize
    head = read_segment_head(slot) if is_whole else "it is too short, or no journal segment"
    if isinstance(head, str):
        raise JournalError(f"{packed}: {head}; {journal.RESTORE}")
    return head.created_at


def _compress(path: Path, draft: Path, disk: Disk) -> None:
    """Write the compressed content of `path` to `draft`, on the disk when this returns."""
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    stream = compressor.compressobj(size=path.stat().st_size)
    with disk.made(draft) as file:
        offset = 0
        for chunk in _chunks(path):
            part = stream.compress(chunk)
            disk.write(file, part, offset)
            offset += len(part)
        disk.write(file, stream.flush(), offset)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _unpacked(packed: Path) -> Iterator[bytes]:
    """Yield the content of an archived segment; JournalError where it is damaged or cut."""
    stream = zstandard.ZstdDecompressor().decompressobj()
    try:
        for chunk in _chunks(packed):
            part = stream.decompress(chunk)
            if part:
                yield part
    except zstandard.ZstdError as error:
        raise JournalError(f"{packed}: is damaged ({error}); bring it back from a backup") from error
    if not stream.eof or stream.unused_data:
        raise JournalError(f"{packed}: is cut, or something stands behind it; bring it back from a backup")


def _unpacked_digest(packed: Path) -> bytes:
    """Return the digest of an archived segment's content, read from the disk as far as one can ask it."""
    with packed.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return _digest_of(_unpacked(packed))


def _digest_of(chunks: Iterator[bytes]) -> bytes:
    content = blake3.blake3()
    for chunk in chunks:
        content.update(chunk)
    return content.digest()


def last_seq_of(packed: Path) -> int:
    """Return the last seq of an archived segment, read out of it: its name only tells the first."""
    content = b"".join(_unpacked(packed))
    record = record_of(content[:NPY_HEAD_BYTES])
    if record is None:
        raise JournalError(f"{packed}: holds no journal segment; {journal.RESTORE}")
    slot_count = (len(content) - NPY_HEAD_BYTES) // record.itemsize
    records = np.frombuffer(content, record, slot_count, NPY_HEAD_BYTES)
    head = read_segment_head(records[:1].tobytes())
    if isinstance(head, str):
        raise JournalError(f"{packed}: {head}; {journal.RESTORE}")
    end = head.begin
    for frame in frames_behind(records, 1, end):
        end = frame.end
    return end.seq


class Piece(NamedTuple):
    """Archived segments of consecutive numbers, and what they hold."""

    paths: tuple[Path, ...]
    first_seq: int
    last_seq: int


def pieces(packed: Sequence[Path], present: Sequence[Path]) -> list[Piece]:
    """Return the pieces that archived segments make, in order.

    packed : in order, one of each number
    present : segments of the journal; where one follows a piece, its name tells the piece's end
    """
    firsts = {number_of(path): first_seq_of(path) for path in (*present, *packed)}
    made: list[Piece] = []
    for path, after in zip_longest(packed, packed[1:]):
        known = firsts.get(number_of(path) + 1)
        before = made.pop() if made and number_of(made[-1].paths[-1]) + 1 == number_of(path) else None
        paths = (*before.paths, path) if before else (path,)
        first = before.first_seq if before else first_seq_of(path)
        is_last = after is None or number_of(after) != number_of(path) + 1
        last = known - 1 if known is not None else last_seq_of(path) if is_last else 0
        made.append(Piece(paths, first, last))
    return made
