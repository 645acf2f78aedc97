"""The survey of a journal: where a start finds its end, and what there is known to be durable."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.contract.application import JournalOwner
from engine.runtime.journal.frames import Frame, Position, Records
from engine.runtime.journal.journal import START, Broken, JournalReader, number_of, segment_paths


@dataclass(frozen=True, slots=True)
class Found:
    """What a start finds in a journal folder."""

    end: Position  # behind the last valid frame
    durable: Position  # behind the last frame that is known to have been synced
    tail: tuple[Frame, ...]  # the valid frames between the two
    next_number: int  # of the next segment
    cut: Broken | None  # something else than zeros stood at the end: why it is left out


def survey(
    folder: Path,
    floor: Position = START,
    owner: JournalOwner | None = None,
    watch: Callable[[JournalReader], Iterable[Frame]] = iter,
) -> Found:
    """Find the journal's end behind `floor` (a snapshot's position) and judge what stands there.

    watch : hands on each frame of the one walk, having looked at it
    Raises JournalError when commands that were declared durable are damaged or missing.
    """
    reader = JournalReader(folder, floor, owner)
    durable, tail = floor, []
    for frame in watch(reader):
        tail.append(frame)
        while tail and tail[0].last_seq <= reader.declared:
            durable = tail.pop(0).end
    numbers = [number_of(path) for path in segment_paths(folder)]
    cut = None
    if reader.end is not None:
        rest = reader.end.segment.records[reader.end.slot :]
        cut = reader.end if _is_written(rest) else None
    # The segment's own head says that everything before it was synced.
    if reader.segment is not None and reader.segment.head.first_seq - 1 > durable.seq:
        durable = reader.segment.head.begin
        tail = [frame for frame in tail if frame.first_seq > durable.seq]
    return Found(reader.position, durable, tuple(tail), max(numbers, default=0) + 1, cut)


def _is_written(rest: Records) -> bool:
    """Tell whether anything but zeros stands in these slots: they were torn, not merely unused."""
    return bool(np.ascontiguousarray(rest).view(np.int64).any()) if len(rest) else False
