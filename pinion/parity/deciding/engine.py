"""An engine that decides in this process: commands in, events out, no journal, ring or socket."""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.replica import Replica
from engine.payments.application import payments
from engine.payments.capacities import Capacities
from engine.payments.records import JOURNAL_ENTRY, EventKind

Records = npt.NDArray[np.void]
ANSWERS = (EventKind.DECIDED, EventKind.MOVED, EventKind.DONE, EventKind.REJECTED)
"""Kinds of events that answer a command; each command has one."""
SLOT_ROOM = 2**16
"""Slots whose events are handed out together: those of as many commands as are decided at once."""


class PrivateEngine:
    """An engine; settings : the command that tells it its rules."""

    def __init__(self, settings: Records, capacities: Capacities) -> None:
        self.replica = Replica(payments(capacities), slot_room=SLOT_ROOM)
        self.decide(settings)

    @property
    def state(self) -> npt.NDArray[Any]:
        """The whole state, an array of one record."""
        return self.replica.state

    @property
    def seq(self) -> int:
        """The seq of the last command."""
        return self.replica.seq

    def decide(self, commands: Records) -> Records:
        """Decide commands in their order; return the event that answers each."""
        count = len(commands)
        entries = np.zeros(count, JOURNAL_ENTRY)
        entries["seq"] = entries["ring_seq"] = np.arange(self.seq + 1, self.seq + 1 + count)
        entries["command"] = commands
        parts = [events[np.isin(events["kind"], ANSWERS)] for events in self.replica.batches(entries)]
        answers: Records = np.concatenate(parts) if parts else np.zeros(0, self.replica.spread.event_dtype)
        assert len(answers) == count, "each command is answered by one event"
        return answers
