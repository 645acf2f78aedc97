"""The services of an instance: which function each of its processes runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.contract.instance import DATABASE, HISTORY, JOURNALER, SHADOW, WORKER, counter_name
from engine.runtime.history.database import await_database, dsn_of, run_database
from engine.runtime.journal.disk import Disk
from engine.runtime.processes.cores import place
from engine.runtime.processes.history import run_history
from engine.runtime.processes.journaler import run_journaler
from engine.runtime.processes.shadow import run_shadow
from engine.runtime.processes.worker import LoopCall, run_worker
from engine.runtime.shared_memory import Segments
from engine.runtime.supervision.children import DoorSpec
from engine.settings.config import HistorySettings


@dataclass(frozen=True, slots=True)
class Services:
    """What the processes of one start have in common."""

    segments: Segments
    call: LoopCall
    data_dir: Path
    epoch: int
    history: HistorySettings
    doors: Mapping[str, DoorSpec]
    """Live: a door's settings change when its port becomes known."""
    disk: Disk = field(default_factory=Disk)
    """What the journaler writes through."""

    @property
    def of_history(self) -> tuple[str, ...]:
        """The processes that history needs; nobody waits for them."""
        is_durable = self.segments.settings.durability == "sync"
        if not is_durable or not self.history.enabled or self.segments.application.projection is None:
            return ()
        return (HISTORY,) if self.history.dsn else (DATABASE, HISTORY)

    @property
    def dsn(self) -> str:
        """The DSN of the database of history; empty where there is none."""
        return (self.history.dsn or dsn_of(self.data_dir)) if self.of_history else ""

    def serve(self, name: str) -> int:
        """Run as the process of this name; return its exit code."""
        if name != WORKER:  # which recovers first, wherever there is room
            place(name, self.segments.settings)
        if name == JOURNALER:
            return run_journaler(self.segments, self.data_dir, self.epoch, self.disk)
        if name == WORKER:
            return run_worker(self.call, self.segments, self.data_dir, self.epoch)
        if name == SHADOW:
            return run_shadow(self.segments, self.data_dir)
        if name == DATABASE:
            beat = counter_name(DATABASE, "heartbeat")
            return run_database(self.data_dir, lambda: self.segments.counters.beat(beat))
        if name == HISTORY:
            if not self.history.dsn:
                await_database(self.data_dir)
            return run_history(self.segments, self.data_dir, self.dsn)
        door = self.doors[name]
        door.load()(door.settings)
        return 0
