"""A stopped instance's journal, of whatever application: every command once, and what replaying it gives."""

from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.application import Application
from engine.contract.replica import Replica
from engine.runtime.journal import journal
from ringbuf.layout import GATE_WORD


class Journaled:
    """Commands, epochs, events and the state at the end."""

    def __init__(self, data_dir: Path, application: Application) -> None:
        replica = Replica(application)
        reader = journal.JournalReader(data_dir / journal.FOLDER, owner=application.owner)
        entries, events, epochs = [], [], []
        for frame in reader:
            replica.enter_epoch(frame.epoch)
            entries.append(np.array(frame.entries))
            epochs.append(np.full(frame.command_count, frame.epoch))
            events += [slots.copy() for slots in replica.slots_of(frame.entries)]
        self.entries: Any = np.concatenate(entries)
        self.epochs = np.concatenate(epochs)
        slots = np.concatenate(events)
        self.events: Any = application.spread.events_of(slots)
        self.application = application
        self.state = replica.state
        self.digest = application.digest(replica.state)
        counts = np.bincount(self.events["seq"], minlength=len(self.entries) + 1)
        self.ends = np.cumsum(counts)
        """Index after the last event of each command, by seq."""
        self.slot_ends = np.cumsum(np.bincount(slots[:, GATE_WORD], minlength=len(self.entries) + 1))
        """Position after its last slot."""

    def check_order(self) -> None:
        """Seqs are dense, time never goes back, and each ring's commands came once and without a gap."""
        assert (self.entries["seq"] == np.arange(1, len(self.entries) + 1)).all()
        assert (np.diff(self.entries["eng_ts"]) >= 0).all()
        for epoch in np.unique(self.epochs):
            of_epoch = self.entries[self.epochs == epoch]
            for ring in np.unique(of_epoch["ring"]):
                positions = of_epoch["ring_seq"][of_epoch["ring"] == ring]
                assert (positions == np.arange(len(positions))).all(), f"ring {ring} of epoch {epoch}"
