"""`pinion journal verify`: every frame and its place in the chain, all numbers, and what lies beside.

The chain of digests covers the commands. A snapshot hangs on it by the digest of the frame it was taken
behind; which commands are quarantined, nothing covers: the list is shown for people to compare.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from engine.contract.control_words import RING_COUNT_MAX
from engine.runtime.journal import journal
from engine.runtime.journal.frames import Frame, Position
from engine.runtime.journal.journal import JournalError, JournalReader
from engine.runtime.journal.quarantine import FILE, quarantined
from engine.runtime.journal.survey import survey
from engine.runtime.replay.eras import owner_over_eras, whole_snapshots
from engine.runtime.replay.snapshot import OtherLayoutError, Snapshot, SnapshotError
from engine.runtime.upkeep import archive
from pinion.cli.journal.archive import tell_missing
from pinion.cli.journal.data import application_of, begin_of, told

DONE, FAILED = 0, 1


class Gaps:
    """Checks that seqs are dense and that each ring's commands come once and without a gap."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}
        self._epoch = 0
        self._eng_ts = 0

    def check(self, frame: Frame) -> str | None:
        """Return what is wrong with the numbers of a frame."""
        entries = frame.entries
        if frame.epoch != self._epoch:
            self._epoch, self._next = frame.epoch, {}
        if not (entries["seq"] == np.arange(frame.first_seq, frame.last_seq + 1)).all():
            return "its seqs are not dense"
        if int(entries["eng_ts"][0]) < self._eng_ts or (np.diff(entries["eng_ts"]) < 0).any():
            return "its clock goes back"
        self._eng_ts = int(entries["eng_ts"][-1])
        for ring in np.unique(entries["ring"]).tolist():
            positions = entries["ring_seq"][entries["ring"] == ring]
            first = self._next.get(ring, int(positions[0]) if frame.first_seq > 1 else 0)
            if not -1 <= ring < RING_COUNT_MAX or not (positions == np.arange(len(positions)) + first).all():
                return f"commands of ring {ring} are missing, or there twice"
            self._next[ring] = first + len(positions)
        return None


def run(data_dir: Path, args: argparse.Namespace) -> int:
    """Verify; JournalError at the first thing that ends the chain, other faults are told together."""
    application = application_of(data_dir, args.applications)
    owner, begin, folder = owner_over_eras(application), begin_of(data_dir), data_dir / journal.FOLDER
    faults: list[str] = []

    def complain(fault: SnapshotError) -> None:
        if isinstance(fault, OtherLayoutError):  # nothing that a recovery needs, or nobody would come here
            print(f"passed over    {fault}")
        else:
            faults.append(str(fault))

    snapshots = [found for found, _ in whole_snapshots(data_dir, application, complain)]
    places = {taken.position.seq for taken in snapshots}
    gaps, frames, digests = Gaps(), 0, {begin.seq: begin.digest}

    def checked(reader: JournalReader) -> Iterator[Frame]:
        nonlocal frames
        for frame in told(reader):
            frames += 1
            fault = gaps.check(frame)
            if fault is not None:
                faults.append(f"frame of seq {frame.first_seq} to {frame.last_seq}: {fault}")
            if frame.last_seq in places:
                digests[frame.last_seq] = frame.digest
            yield frame

    found = survey(folder, begin, owner, checked)
    print(f"segments       {len(journal.segment_paths(folder))}")
    print(f"frames         {frames:,}, all whole and chained")
    print(f"commands       seq {begin.seq + 1:,} to {found.end.seq:,}")
    print(f"known durable  up to seq {found.durable.seq:,}; the last frame is vouched for by the next one")
    print(f"chain ends at  {found.end.digest.hex()}")
    if found.cut is not None:
        print(f"behind the end {found.cut}: something torn that was never declared durable, or damage")
    faults += tell_missing(data_dir, begin.seq, args.archive or [data_dir / archive.FOLDER])
    faults += _quarantine_faults(data_dir, found.end.seq)
    for taken in snapshots:
        faults += _snapshot_faults(taken, begin, found.end, digests.get(taken.position.seq))
    for each in faults:
        print(f"pinion journal verify: {each}", file=sys.stderr)
    return FAILED if faults else DONE


def _snapshot_faults(taken: Snapshot, begin: Position, end: Position, digest: bytes | None) -> Sequence[str]:
    """Say how a snapshot and the journal fit.

    digest : of the frame that ends where the snapshot was taken, None: no frame does
    """
    seq = taken.position.seq
    if seq > end.seq:
        print(f"snapshot       seq {seq:,}, beyond the end")
        return (f"{taken.path}: reaches beyond the journal's end",)
    if seq < begin.seq:
        print(f"snapshot       seq {seq:,}, whole; the journal there is not here to compare it with")
        return ()
    if digest != taken.position.digest:
        print(f"snapshot       seq {seq:,}, not of this journal")
        return (
            f"{taken.path}: the journal has another frame, or none, that ends at seq {seq}: the snapshot was "
            f"taken of another journal; remove it, a recovery takes an older one, or the journal alone",
        )
    print(f"snapshot       seq {seq:,}, whole")
    return ()


def _quarantine_faults(data_dir: Path, end_seq: int) -> Sequence[str]:
    """List the quarantined commands."""
    try:
        seqs = quarantined(data_dir)
    except JournalError as error:
        return (str(error),)
    if seqs:
        print(f"quarantined    seq {', '.join(f'{seq:,}' for seq in seqs)}: rejected by every replay")
    return [
        f"{data_dir / journal.FOLDER / FILE}: seq {seq} is not in the journal, which ends at {end_seq}: a "
        f"command to come would be rejected for it; remove that line"
        for seq in seqs
        if seq > end_seq
    ]
