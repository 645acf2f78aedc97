"""Writes the journal: frames into the present segment, the next segment ready beside it.

    begin(found)     a new segment of this incarnation, with the copied tail, synced before it has its name
    append(...)      one frame: write, fdatasync; when it returns the commands are durable
    rotate()         seal the full segment, give the spare its head and its name

A spare of zeros, written and synced by a thread, always waits: a rotation costs three syncs and
no allocation, and what is in the journal ring finds room even if the disk fills up meanwhile.
"""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.runtime.crash_points import crash_point
from engine.runtime.disk import Disk
from engine.runtime.frames import (
    NPY_HEAD_BYTES,
    RECORD,
    Frame,
    Records,
    npy_head,
    seal,
    segment_head,
)
from engine.runtime.journal import Position, segment_name

SPARE_NAME = "spare.tmp"
NEXT_NAME = "next.tmp"
FILL_BYTES = 2**20
FRAME_MAX = 8192
"""Most commands of one group commit: 1.3 MB, about 2 ms of disk."""
SLOT_BYTES = RECORD.itemsize


class JournalWriter:
    """The one writer of a journal folder. An OSError of any method is final: latch.

    Parameters
    ----------
    folder : exists
    identity : frames.identity_of of the application
    epoch : of this start, goes into every frame
    slot_count : records of a segment, heads included
    """

    def __init__(self, folder: Path, disk: Disk, *, identity: int, epoch: int, slot_count: int) -> None:
        self.folder = folder
        self.disk = disk
        self.identity = identity
        self.epoch = epoch
        self.slot_count = slot_count
        self._buffer = np.zeros(1 + FRAME_MAX, RECORD)
        self._file = -1
        self._slot = 0
        self._number = 0
        self._end = Position(0, b"")
        self._spare: threading.Thread | None = None
        self._spare_error: OSError | None = None

    @property
    def room(self) -> int:
        """Commands that the next frame may hold; 0: rotate first."""
        return max(0, min(FRAME_MAX, self.slot_count - self._slot - 1))

    @property
    def spare_error(self) -> OSError | None:
        """Why there is no spare segment, None while there is one or one is being made."""
        return self._spare_error

    def begin(self, number: int, durable: Position, tail: Sequence[Frame] = ()) -> None:
        """Start segment `number` behind `durable`, with copies of the frames found beyond it, synced."""
        for leftover in (SPARE_NAME, NEXT_NAME):
            self.disk.remove(self.folder / leftover)
        needed = 1 + sum(1 + frame.command_count for frame in tail)
        slot_count = max(self.slot_count, needed)
        self._fill(self.folder / NEXT_NAME, slot_count)
        self._number = number - 1
        self._end = durable
        self._enter(NEXT_NAME, tail, slot_count)
        self.prepare_spare()

    def append(self, first: Records, second: Records, durable_upto: int) -> int:
        """Write one frame of the commands of both parts and sync it; return its last seq.

        first, second : RECORD[n], RECORD[m]; n + m is at least 1 and at most `room`
        """
        count = len(first) + len(second)
        buffer = self._buffer
        buffer[1 : 1 + len(first)] = first
        buffer[1 + len(first) : 1 + count] = second
        digest = seal(
            buffer,
            count,
            epoch=self.epoch,
            durable_upto=durable_upto,
            written_at=time.time_ns(),
            previous=self._end.digest,
        )
        crash_point("journaler.sealed")
        self.disk.write(self._file, buffer[: 1 + count].data.cast("B"), self._offset(self._slot))
        crash_point("journaler.written")
        self.disk.sync_data(self._file)
        crash_point("journaler.synced")
        self._slot += 1 + count
        self._end = Position(int(buffer[count]["seq"]), digest)
        return self._end.seq

    def rotate(self) -> None:
        """Go on in the spare segment; waits for it where it is not ready. The frames so far are synced."""
        spare = self._spare
        if spare is not None:
            spare.join()
        if self._spare_error is not None:
            self._spare_error = None
            self._fill(self.folder / SPARE_NAME, self.slot_count)
        self._enter(SPARE_NAME, (), self.slot_count)
        self.prepare_spare()

    def prepare_spare(self) -> None:
        """Begin to make the next segment, beside the work."""
        self._spare_error = None
        self._spare = threading.Thread(target=self._make_spare, name="spare segment", daemon=True)
        self._spare.start()

    def remaining(self) -> int:
        """Return how many slots are left in this segment and the spare."""
        has_spare = self._spare_error is None
        return self.slot_count - self._slot + (self.slot_count - 2 if has_spare else 0)

    def close(self) -> None:
        """Close the file; everything appended is synced already."""
        if self._spare is not None:
            self._spare.join()
        if self._file >= 0:
            self.disk.close(self._file)
            self._file = -1

    def _enter(self, draft: str, tail: Sequence[Frame], slot_count: int) -> None:
        """Give a file of zeros its heads and the copied frames, sync it, name it, write to it from now on."""
        number, first_seq = self._number + 1, self._end.seq + 1
        head = segment_head(
            identity=self.identity,
            epoch=self.epoch,
            number=number,
            first_seq=first_seq,
            created_at=time.time_ns(),
            anchor=self._end.digest,
        )
        path = self.folder / draft
        file = self.disk.open(path)
        self.disk.write(file, npy_head(slot_count) + head.tobytes(), 0)
        slot, end = 1, self._end
        for frame in tail:
            # The head lies right ahead of the commands: verbatim, so that the chain goes on.
            self.disk.write(file, frame.content, self._offset(slot))
            slot, end = slot + 1 + frame.command_count, Position(frame.last_seq, frame.digest)
        crash_point("journaler.segment_written")
        self.disk.sync(file)
        crash_point("journaler.segment_synced")
        self.disk.rename(path, self.folder / segment_name(number, first_seq))
        crash_point("journaler.segment_named")
        self.disk.sync_folder(self.folder)
        crash_point("journaler.folder_synced")
        if self._file >= 0:
            self.disk.close(self._file)
        self._file, self._number, self._slot, self._end = file, number, slot, end

    def _make_spare(self) -> None:
        try:
            self._fill(self.folder / SPARE_NAME, self.slot_count)
        except OSError as error:
            self._spare_error = error

    def _fill(self, path: Path, slot_count: int) -> None:
        """Make a file of zeros that is on the disk: later writes change no metadata."""
        size = NPY_HEAD_BYTES + slot_count * SLOT_BYTES
        zeros = bytes(FILL_BYTES)
        file = self.disk.create(path)
        try:
            for offset in range(0, size, FILL_BYTES):
                self.disk.write(file, memoryview(zeros)[: size - offset], offset)
            self.disk.sync(file)
        finally:
            self.disk.close(file)

    @staticmethod
    def _offset(slot: int) -> int:
        return NPY_HEAD_BYTES + slot * SLOT_BYTES
