"""Reading a journal that is being written: up to a durable seq, segment after segment.

What is durable never changes, so nothing here can be torn: a frame at or below D that is not
found whole is damage. (A segment may take precedence over the end of an older one; it has its
name before D passes its first command, so a look at the folder after reading D finds it.)
"""

import time
from pathlib import Path

from engine.contract.application import JournalOwner
from engine.runtime.journal.frames import Frame, Position, Records, frames_behind
from engine.runtime.journal.journal import (
    RESTORE,
    Broken,
    JournalError,
    JournalSegment,
    first_seq_of,
    number_of,
    open_segment,
    segment_paths,
    walked,
)

STRETCH_SLOTS = 2**15
SETTLED_NS = 50_000_000
UNSETTLED = -1


class Follower:
    """Hands out stretches of frames behind a position, in order, each once.

    Parameters
    ----------
    folder : the journal's
    position : between two frames; the frame behind it is the first to be read
    owner : whose journal it is
    """

    def __init__(self, folder: Path, position: Position, owner: JournalOwner | None = None) -> None:
        self.position = position
        self._folder = folder
        self._owner = owner
        self._segment: JournalSegment | None = None
        self._slot = 0
        self._listed_at = UNSETTLED
        self._paths: list[Path] = []
        self._rest: Records | None = None
        self._rest_epoch = 0
        self._behind_rest = position
        self.handed_out = position.seq
        """The last seq that a read returned."""

    def read(self, upto: int) -> tuple[Records, int]:
        """Return (records, heads of frames included; their epoch): the next commands up to seq `upto`.

        `upto` is durable. Where it lies within a frame, the rest of the frame comes with the
        next call, and `position` moves only when all the frames found were handed out.
        """
        assert upto > self.handed_out, "nothing new is durable"
        if self._rest is None:
            self._rest, self._rest_epoch, self._behind_rest = self._stretch(upto)
        records = self._rest
        if self._behind_rest.seq <= upto:
            self._rest, self.position = None, self._behind_rest
            self.handed_out = self.position.seq
            return records, self._rest_epoch
        cut = int((records["seq"] <= upto).nonzero()[0][-1]) + 1
        self._rest, self.handed_out = records[cut:], upto
        return records[:cut], self._rest_epoch

    def _stretch(self, upto: int) -> tuple[Records, int, Position]:
        """Return the frames side by side that begin at or below `upto`."""
        segment = self._seek()
        first = last = self._next_frame(segment)
        frames = frames_behind(segment.records, last.end_slot, last.end)
        while last.last_seq < upto and last.end_slot - first.slot < STRETCH_SLOTS:
            frame = next(frames, None)
            if frame is None or frame.epoch != last.epoch:
                break  # the next call finds out why
            if self._is_superseded(frame.first_seq):
                break
            last = frame
        self._slot = last.end_slot
        return segment.records[first.slot : last.end_slot], last.epoch, last.end

    def _seek(self) -> JournalSegment:
        """Return the segment that holds the frame behind the position, `_slot` at its head."""
        wanted = self.position.seq + 1
        self._list()
        holding = [path for path in self._paths if first_seq_of(path) <= wanted]
        if not holding:
            raise JournalError(
                f"{self._folder}: holds no segment with seq {wanted}; bring the earlier segments back from "
                f"the archive: pinion journal restore {self._folder.parent}"
            )
        if self._segment is None or self._segment.path != holding[-1]:
            self._segment = open_segment(holding[-1], self._owner)
            self._slot = self._slot_behind(self._segment)
        return self._segment

    def _list(self) -> None:
        """Look which segments there are, if the folder has changed."""
        changed_at = self._folder.stat().st_mtime_ns
        if changed_at == self._listed_at:
            return
        # Times of folders are no finer than a clock tick: a name given within it would be overlooked.
        is_settled = time.time_ns() - changed_at > SETTLED_NS
        self._paths = segment_paths(self._folder)
        self._listed_at = changed_at if is_settled else UNSETTLED

    def _slot_behind(self, segment: JournalSegment) -> int:
        """Walk a newly opened segment to the position."""
        found = walked(segment, self.position.seq)
        if isinstance(found, Broken):
            raise JournalError(
                f"{found}, but the reader reached seq {self.position.seq}: it is damaged; {RESTORE}"
            )
        slot, at = found
        if at != self.position:
            raise JournalError(
                f"{segment.path}: is not chained to the frame that ends at seq {self.position.seq}: it "
                f"belongs to another journal, or one of them was altered; {RESTORE}"
            )
        return slot

    def _next_frame(self, segment: JournalSegment) -> Frame:
        wanted = self.position.seq + 1
        frame = next(frames_behind(segment.records, self._slot, self.position), None)
        if frame is None:
            raise JournalError(
                f"{segment.path}: seq {wanted} was declared durable, but no valid frame of it stands at "
                f"byte {segment.offset_bytes(self._slot):,}; {RESTORE}"
            )
        return frame

    def _is_superseded(self, seq: int) -> bool:
        """Tell whether a newer segment begins at this seq."""
        assert self._segment is not None
        own = self._segment.head.number
        return any(number_of(path) > own and first_seq_of(path) <= seq for path in self._paths)
