"""Replay a trading journal and save its events: `replayed.py DATA EVENTS.npy` prints the digest.

With NUMBA_DISABLE_JIT=1 the kernels are plain Python.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.application import Application
from engine.contract.replica import Replica
from engine.runtime.journal.journal import FOLDER, JournalReader
from engine.trading.application import trading
from engine.trading.capacities import Capacities

PIECES = ("frames", "stretches", "small stretches", "one by one")


def pieces_of(data_dir: Path, application: Application, how: str) -> Iterable[tuple[Any, int]]:
    """Yield (records, epoch) of a whole journal, cut in one of the PIECES' ways."""
    reader = JournalReader(data_dir / FOLDER, owner=application.owner)
    if how == "stretches":
        return ((records, epoch) for records, epoch, _ in reader.stretches(2**62))
    if how == "small stretches":
        return ((records, epoch) for records, epoch, _ in reader.stretches(2**62, slot_count=5))
    if how == "frames":
        return ((frame.entries, frame.epoch) for frame in reader)
    return ((frame.entries[i : i + 1], frame.epoch) for frame in reader for i in range(frame.command_count))


def replay(data_dir: Path, application: Application, how: str) -> tuple[Any, str]:
    """Return the events of a whole journal, and the digest of the state at its end."""
    replica = Replica(application)
    events = [np.zeros(0, application.event_dtype)]
    for records, epoch in pieces_of(data_dir, application, how):
        replica.enter_epoch(epoch)
        events.append(replica.apply(records))
    return np.concatenate(events), application.digest(replica.state)


if __name__ == "__main__":
    made, reached = replay(Path(sys.argv[1]), trading(Capacities()), "stretches")
    np.save(sys.argv[2], made)
    print(reached)
