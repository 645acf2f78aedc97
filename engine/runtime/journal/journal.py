"""The journal as it lies on the disk: DATA/journal/NUMBER-FIRSTSEQ.npy, read and judged.

A segment begins where it says (`first_seq`) and takes precedence over older ones from there
on: what an older one holds beyond that was never declared durable. Within a segment frame
follows frame; each names the digest of the one before. What does not continue the chain is
no part of the journal. Whether it may simply be cut off is decided by `durable`: something
that was once declared durable must be there (protocol rule 9).
"""

import mmap
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.application import JournalOwner
from engine.contract.errors import ToldError
from engine.runtime.journal.frames import (
    NO_DIGEST,
    NPY_HEAD_BYTES,
    Frame,
    Position,
    Records,
    SegmentHead,
    first_difference,
    frame_at,
    frames_behind,
    npy_head,
    read_segment_head,
    record_of,
)
from ringbuf.segment_header import record_hash

FOLDER = "journal"
RESTORE = "bring the file back from a backup or the archive"
SEGMENT_NAME = re.compile(r"(\d{8})-(\d{16})\.npy")


LISTINGS_MAX = 8
SHAPE = re.compile(rb"'shape': \((\d{1,15}),\)")


class JournalError(ToldError):
    """Error of a journal that cannot be used as it is; the text says which file, where and what to do."""


def segment_name(number: int, first_seq: int) -> str:
    """Return the file name of a segment."""
    return f"{number:08d}-{first_seq:016d}.npy"


@dataclass(frozen=True, slots=True)
class JournalSegment:
    """A segment of the journal, one file: its verified head and a read-only mapping of its records."""

    path: Path
    head: SegmentHead
    records: Records

    def offset_bytes(self, slot: int) -> int:
        """Return where in the file a slot begins."""
        return NPY_HEAD_BYTES + slot * self.records.itemsize


START = Position(0, NO_DIGEST)


def segment_paths(folder: Path) -> list[Path]:
    """Return the segment files in their order; JournalError where one between two is missing."""
    found = _listed(folder)
    wrong = _first_gap(found)
    # A name given while the folder is listed may be overlooked, the one after it not.
    for _ in range(LISTINGS_MAX):
        if not wrong:
            break
        before, found = found, _listed(folder)
        wrong = _first_gap(found)
        if found == before:
            break
    if wrong:
        raise JournalError(f"{folder}: {wrong}")
    return found


def _listed(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.npy") if SEGMENT_NAME.fullmatch(path.name))


def _first_gap(paths: list[Path]) -> str:
    """Return what is wrong with the order of the segments, nothing when all is well."""
    for before, after in pairwise(paths):
        if number_of(after) == number_of(before):
            return f"{before.name} and {after.name} have one number; leave only the one that belongs here"
        if number_of(after) != number_of(before) + 1:
            return (
                f"segment {number_of(before) + 1} is missing between {before.name} and {after.name}; "
                f"bring it back (pinion journal restore, or a backup)"
            )
        if first_seq_of(after) < first_seq_of(before):
            return (
                f"{after.name} begins before {before.name}: one of them belongs to another journal; "
                f"leave only what belongs here"
            )
    return ""


def number_of(path: Path) -> int:
    """Return the number in a segment's name."""
    return int(path.name[:8])


def first_seq_of(path: Path) -> int:
    """Return the first seq in a segment's name."""
    return int(path.name[9:25])


def last_epoch(folder: Path) -> int:
    """Return the number of the last start that wrote to the journal; 0: there is none."""
    paths = segment_paths(folder)
    return open_segment(paths[-1]).head.epoch if paths else 0


def open_segment(path: Path, owner: JournalOwner | None = None) -> JournalSegment:
    """Map a segment and verify its head; `owner` : who wants to read it, None: anybody."""
    records = _mapped(path, owner)
    head = read_segment_head(records[:1].tobytes())
    if isinstance(head, str):
        raise JournalError(f"{path}: byte {NPY_HEAD_BYTES:,}: {head}; {RESTORE}")
    if head.layout != record_hash(records.dtype):
        raise JournalError(
            f"{path}: its records have another layout: another version of Pinion wrote it; start that one "
            f"(docs/operating.md)"
        )
    identity = None if owner is None else owner.identity_at(number_of(path))
    if identity is not None and head.identity != identity:
        raise JournalError(
            f"{path}: written with other capacities or another application than {path.parent}/layout.json "
            f"says; if the journal was migrated and the snapshot that migrate made is lost, make it again: "
            f"pinion journal migrate {path.parent.parent} --config FILE; else bring back that file as it was"
        )
    if (head.number, head.first_seq) != (number_of(path), first_seq_of(path)):
        raise JournalError(
            f"{path}: its head names segment {head.number} from seq {head.first_seq}; give it back its "
            f"name {segment_name(head.number, head.first_seq)}"
        )
    return JournalSegment(path, head, records)


def _mapped(path: Path, owner: JournalOwner | None) -> Records:
    """Map the records of a file whose numpy header and length are exactly what was written.

    Without an owner the records are what the header says.

    numpy's own reading would trust a damaged length, and takes a third of a second to refuse others.
    """
    try:
        with path.open("rb") as file:
            found = file.read(NPY_HEAD_BYTES)
            size = os.fstat(file.fileno()).st_size
            named = SHAPE.search(found)
            slot_count = max(1, int(named[1])) if named else 1
            record = record_of(found) if owner is None else owner.record
            if record is None or found != npy_head(slot_count, record):
                wanted = b"" if record is None else npy_head(_slots_in(size, record), record)
                raise JournalError(
                    f"{path}: no journal segment: its numpy header is damaged or of another kind "
                    f"(byte {first_difference(found, wanted):,}); {RESTORE}"
                )
            expected = NPY_HEAD_BYTES + slot_count * record.itemsize
            if size != expected:
                raise JournalError(
                    f"{path}: ends at byte {size:,} instead of {expected:,}: it was cut, only copied in "
                    f"part, or its numpy header is damaged; {RESTORE}"
                )
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error}; mend its mode or the disk") from error
    return np.frombuffer(mapped, record, slot_count, NPY_HEAD_BYTES)


def _slots_in(size: int, record: np.dtype[Any]) -> int:
    return max(1, (size - NPY_HEAD_BYTES) // record.itemsize)


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken chain: the place where the frames end before their segment does."""

    segment: JournalSegment
    slot: int
    after: Position

    def __str__(self) -> str:
        return (
            f"{self.segment.path}: no valid frame at byte {self.segment.offset_bytes(self.slot):,} "
            f"(after seq {self.after.seq})"
        )


def walked(segment: JournalSegment, upto: int) -> tuple[int, Position] | Broken:
    """Follow a segment's chain from its head until `upto` is reached; return the slot and place behind."""
    slot, at = 1, segment.head.begin
    frames = frames_behind(segment.records, slot, at)
    while at.seq < upto:
        frame = next(frames, None)
        if frame is None:
            return Broken(segment, slot, at)
        slot, at = frame.end_slot, frame.end
    return slot, at


class JournalReader:
    """Walks the frames of a journal folder from a position on.

    Parameters
    ----------
    folder : the journal's folder
    start : begin behind this position; the segment that holds it must still be there
    owner : whose journal it is, None to read anybody's

    Iterating yields Frames, each verified and chained to the one before. Where they end,
    `position` is the place behind the last and `end` says what is found there.
    """

    def __init__(self, folder: Path, start: Position = START, owner: JournalOwner | None = None) -> None:
        self.folder = folder
        self.position = start
        self.segment: JournalSegment | None = None
        self.end: Broken | None = None
        self._start = start
        self.declared = 0
        """The last seq that a frame seen so far says was durable."""
        self._paths = segment_paths(folder)
        self._owner = owner

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; JournalError where something within the journal is missing or damaged."""
        paths = self._paths[self._first_path() :]
        for path, later in zip_longest(paths, paths[1:]):
            stop = None if later is None else first_seq_of(later)
            if stop is not None and stop <= self.position.seq + 1:
                continue  # nothing of it is read: it may be empty, or of other capacities
            yield from self._frames(open_segment(path, self._owner), stop)
            if stop is not None and self.position.seq != stop - 1:
                raise JournalError(
                    f"{self.end}, but {later} goes on at seq {stop}: commands that were declared "
                    f"durable are damaged or missing; {RESTORE}"
                )
        if self.end is not None:
            self._require_whole(self.end)

    def stretches(self, upto: int, slot_count: int = 2**16) -> Iterator[tuple[Records, int, Position]]:
        """Yield (records, epoch, position behind them): frames that lie side by side, heads included.

        upto : int, seq; frames that begin behind it are left out
        slot_count : about how many records at once
        """
        first: Frame | None = None
        last: Frame | None = None
        for frame in self:
            if frame.first_seq > upto:
                break
            if first is not None and last is not None:
                is_next = frame.records is last.records and frame.slot == last.end_slot
                if not is_next or frame.epoch != last.epoch or last.end_slot - first.slot >= slot_count:
                    yield _stretch(first, last)
                    first = None
            first, last = first or frame, frame
            if frame.last_seq >= upto:
                break  # what follows, and how the journal ends, was not asked for
        if first is not None and last is not None:
            yield _stretch(first, last)

    def _require_whole(self, end: Broken) -> None:
        """Raise JournalError where something behind the end was declared durable."""
        if end.after.seq < self._start.seq:
            raise JournalError(
                f"{end}, but a snapshot or a reader reaches seq {self._start.seq}: commands that were "
                f"declared durable are damaged or missing; {RESTORE}"
            )
        known = max(self.declared, _declared_behind(end))
        # A frame that was written since this walk passed by is no damage: somebody writes to the journal.
        is_written_now = next(frames_behind(end.segment.records, end.slot, end.after), None) is not None
        if known > self.position.seq and not is_written_now:
            raise JournalError(
                f"{end}, but the journal itself says that everything up to seq {known} was "
                f"durable: it is damaged; {RESTORE}"
            )

    def _first_path(self) -> int:
        """Return which path holds the frame behind the start."""
        wanted = self._start.seq + 1
        holding = [at for at, path in enumerate(self._paths) if first_seq_of(path) <= wanted]
        if not self._paths:
            if self._start.seq:
                raise JournalError(
                    f"{self.folder}: there is no segment, but a snapshot reaches seq {self._start.seq}; "
                    f"bring the journal back from a backup"
                )
            return 0
        if not holding:
            raise JournalError(
                f"{self.folder}: begins at seq {first_seq_of(self._paths[0])}, seq {wanted} is needed; bring "
                f"the earlier segments back from the archive: pinion journal restore {self.folder.parent}"
            )
        # The oldest of those that begin at the same seq may be an empty one: all of them are walked.
        first = first_seq_of(self._paths[holding[-1]])
        return next(at for at in holding if first_seq_of(self._paths[at]) == first)

    def _frames(self, segment: JournalSegment, stop: int | None) -> Iterator[Frame]:
        """Yield the frames of one segment that lie behind the position and below `stop`."""
        self.segment = segment
        slot, at = 1, segment.head.begin
        if at.seq == self.position.seq and at.digest != self.position.digest:
            raise JournalError(
                f"{segment.path}: is chained to another frame at seq {at.seq} than the one before it: it "
                f"belongs to another journal, or one of them was altered; {RESTORE}"
            )
        for frame in frames_behind(segment.records, slot, at):
            if stop is not None and frame.first_seq >= stop:
                break
            slot, at = frame.end_slot, frame.end
            self.declared = max(self.declared, frame.durable_upto)
            if at.seq <= self._start.seq:
                if at.seq == self._start.seq and at.digest != self._start.digest:
                    raise JournalError(
                        f"{segment.path}: the frame that ends at seq {at.seq} is not the one that the "
                        f"snapshot was taken behind: one of them belongs to another journal; remove the "
                        f"snapshot, or {RESTORE}"
                    )
                continue
            if frame.first_seq <= self._start.seq:
                raise JournalError(
                    f"{segment.path}: no frame ends at seq {self._start.seq}, where a snapshot was taken: it "
                    f"belongs to another journal; remove the snapshot"
                )
            self.position = at
            yield frame
        self.end = Broken(segment, slot, at)


def _stretch(first: Frame, last: Frame) -> tuple[Records, int, Position]:
    records = first.records[first.slot : last.end_slot]
    return records, last.epoch, last.end


def _declared_behind(end: Broken) -> int:
    """Return up to which seq the valid frames behind a break declare everything durable."""
    records = end.segment.records
    heads = np.flatnonzero(records["seq"][end.slot :] < 0) + end.slot
    frames = (frame_at(records, int(slot)) for slot in heads)
    return max((frame.durable_upto for frame in frames if frame is not None), default=0)
