"""Writes the journal: frames into the present segment, the next segment ready beside it.

    begin(found)     a new segment of this incarnation, with the copied tail, synced before it has its name
    append(...)      one frame: write, fdatasync; when it returns the commands are durable
    rotate()         seal the full segment, give the spare its head and its name

A spare segment (spare_segment.py) has its room from the beginning and gets its zeros while this one
is written: a rotation costs three syncs and no allocation, and what is in the journal ring finds
room even if the disk fills up meanwhile.
"""

import errno
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.contract.application import JournalOwner
from engine.runtime.crash_points import crash_point
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import (
    NPY_HEAD_BYTES,
    Frame,
    Position,
    npy_head,
    seal,
    segment_head,
    seq_at,
)
from engine.runtime.journal.journal import segment_name
from engine.runtime.journal.spare_segment import SpareSegment
from engine.runtime.place import is_in_place

SPARE_NAME = "spare.tmp"
NEXT_NAME = "next.tmp"
FRAME_MAX = 8192
"""Most commands of one group commit: 1.3 MB, about 2 ms of disk."""
Octets = npt.NDArray[np.uint8]
SPARE_AHEAD = 16
"""For so many slots of the segment the spare is one ahead: it is whole before the segment is full."""
SLOTS_MIN = 2
"""The heads of the segment and of a frame."""


class JournalWriter:
    """The one writer of a journal folder. An OSError that a method raises is final: latch.

    Parameters
    ----------
    folder : exists
    owner : whose journal it is
    epoch : of this start, goes into every frame
    slot_count : records of a segment, heads included
    """

    def __init__(self, folder: Path, disk: Disk, *, owner: JournalOwner, epoch: int, slot_count: int) -> None:
        assert slot_count > SLOTS_MIN
        self.folder = folder
        self.disk = disk
        self.owner = owner
        self.slot_bytes = owner.record.itemsize
        self.epoch = epoch
        self.slot_count = slot_count
        self._frame = np.zeros((1 + FRAME_MAX) * self.slot_bytes, np.uint8)
        self._file = -1
        self._path = folder
        self._slot = 0
        self._number = 0
        self._end = Position(0, b"")
        self._spare: SpareSegment | None = None
        self._spare_error: OSError | None = None
        self._failed: OSError | None = None

    @property
    def room(self) -> int:
        """The number of commands that the next frame may hold; 0 means that `rotate` comes first."""
        return max(0, min(FRAME_MAX, self.slot_count - self._slot - 1))

    @property
    def spare_error(self) -> OSError | None:
        """The error for which there is no spare segment; None while there is one."""
        return self._spare_error

    def begin(self, number: int, durable: Position, tail: Sequence[Frame] = ()) -> None:
        """Start segment `number` behind `durable`, with copies of the frames found beyond it, synced."""
        assert not tail or (tail[0].first_seq, tail[0].previous) == (durable.seq + 1, durable.digest)
        with self._final():
            for leftover in (SPARE_NAME, NEXT_NAME):
                self.disk.remove(self.folder / leftover)
            needed = 1 + sum(1 + frame.command_count for frame in tail)
            slot_count = max(self.slot_count, needed)
            self._new_segment(NEXT_NAME, slot_count).finish()
            self._number = number - 1
            self._end = durable
            self._enter(NEXT_NAME, tail, slot_count)
            # The folder itself may be new: without its own name all its files would be lost.
            self.disk.sync_folder(self.folder.parent)
        self.prepare_spare()

    def append(self, first: Octets, second: Octets, durable_upto: int) -> int:
        """Write one frame of the commands of both parts and sync it; return its last seq.

        first, second : the bytes of n and m records, uint8[]; n + m is at least 1 and at most
            `room`; the first command follows the last one written
        """
        # As bytes: numpy would copy and view records field by field, many times slower.
        slot_bytes = self.slot_bytes
        end = slot_bytes + len(first) + len(second)
        count = end // slot_bytes - 1
        assert 1 <= count <= self.room
        cut = slot_bytes + len(first)
        self._frame[slot_bytes:cut] = first
        self._frame[cut:end] = second
        frame = self._frame[:end].data
        first_seq, last_seq = seq_at(frame, slot_bytes), seq_at(frame, end - slot_bytes)
        # Whatever does not continue the journal could never be read again.
        assert (first_seq, last_seq) == (self._end.seq + 1, self._end.seq + count)
        digest = seal(
            frame,
            slot_bytes,
            epoch=self.epoch,
            durable_upto=durable_upto,
            written_at=time.time_ns(),
            previous=self._end.digest,
        )
        crash_point("journaler.sealed")
        with self._final():
            self.disk.write(self._file, frame, self._offset(self._slot))
            crash_point("journaler.written")
            self.disk.sync_data(self._file)
        crash_point("journaler.synced")
        self._slot += 1 + count
        self._end = Position(last_seq, digest)
        return last_seq

    def rotate(self) -> None:
        """Go on in the spare segment, or in a new one where there is none. The frames so far are synced."""
        with self._final():
            spare = self._spare or self._new_segment(SPARE_NAME, self.slot_count)
            spare.finish()
            self._spare = None
            self._enter(SPARE_NAME, (), self.slot_count)
        self.prepare_spare()

    def prepare_spare(self) -> None:
        """Begin the next segment: its room is there, or an error says why not."""
        self._close_spare()
        self._spare_error = None
        try:
            self._spare = self._new_segment(SPARE_NAME, self.slot_count)
        except OSError as error:
            self._spare_error = error

    def grow_spare(self) -> None:
        """Let the spare come as far as this segment has: call after each frame."""
        if self._spare is None:
            return
        ahead = self._slot + self._slot // SPARE_AHEAD
        try:
            self._spare.grow(self._offset(ahead))
        except OSError as error:
            self._spare, self._spare_error = None, error

    def await_spare(self) -> None:
        """Return once the spare has come as far as it was asked to."""
        if self._spare is not None:
            self._spare.await_grown()

    def remaining(self) -> int:
        """Return how many slots are left in this segment and the spare, if there is one."""
        left = max(0, self.slot_count - self._slot)
        return left + (self.slot_count - 1 if self._spare else 0)

    def require_place(self) -> None:
        """Raise OSError unless the file that is written is the one that the next start will read."""
        if self._file >= 0 and not is_in_place(self._path, self._file):
            raise OSError(errno.ESTALE, f"{self._path} is not the file that is written any more")

    def close(self) -> None:
        """Close the file; everything appended is synced already."""
        self._close_spare()
        if self._file >= 0:
            self.disk.close(self._file)
            self._file = -1

    def _enter(self, draft: str, tail: Sequence[Frame], slot_count: int) -> None:
        """Give a file of zeros its heads and the copied frames, sync it, name it, write to it from now on."""
        number, first_seq = self._number + 1, self._end.seq + 1
        head = segment_head(
            self.owner,
            epoch=self.epoch,
            number=number,
            first_seq=first_seq,
            created_at=time.time_ns(),
            anchor=self._end.digest,
        )
        path = self.folder / draft
        before, self._file = self._file, self.disk.open(path)
        if before >= 0:
            self.disk.close(before)
        npy = npy_head(slot_count, self.owner.record)
        assert len(npy) == NPY_HEAD_BYTES
        self.disk.write(self._file, npy + head, 0)
        slot, end = 1, self._end
        for frame in tail:
            # The head lies right ahead of the commands: verbatim, so that the chain goes on.
            self.disk.write(self._file, frame.content, self._offset(slot))
            slot, end = slot + 1 + frame.command_count, frame.end
        crash_point("journaler.segment_written")
        self.disk.sync(self._file)
        crash_point("journaler.segment_synced")
        self._path = self.folder / segment_name(number, first_seq)
        self.disk.rename(path, self._path)
        crash_point("journaler.segment_named")
        self.disk.sync_folder(self.folder)
        crash_point("journaler.folder_synced")
        self._number, self._slot, self._end = number, slot, end

    @contextmanager
    def _final(self) -> Iterator[None]:
        """Refuse everything once the disk refused anything: what stands in the files is not known."""
        if self._failed is not None:
            raise OSError(self._failed.errno, f"the journal took nothing since: {self._failed}")
        try:
            yield
        except OSError as error:
            self._failed = error
            raise

    def _new_segment(self, name: str, slot_count: int) -> SpareSegment:
        return SpareSegment(self.disk, self.folder / name, self._offset(slot_count))

    def _close_spare(self) -> None:
        if self._spare is not None:
            self._spare.close()
            self._spare = None

    def _offset(self, slot: int) -> int:
        return NPY_HEAD_BYTES + slot * self.slot_bytes
