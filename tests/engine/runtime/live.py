"""An engine with a journal in this one process: the test says who moves when, and who dies.

The worker's loop, its recovery and the journaler are the real ones, around real segments and files;
only nobody waits for a disk. A round of the loop, a group commit of the journaler and a look of
a reader are calls, so any interleaving of the processes can be played, and played again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from engine.contract.application import Application
from engine.contract.control_words import DURABLE
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import FOLDER, JournalReader
from engine.runtime.processes.journaler import Journaler
from engine.runtime.processes.worker import LoopCall, clock_offset_ns
from engine.runtime.replay.recovery import recover
from engine.runtime.shared_memory import Segments, segment_names
from engine.settings.config import EngineSettings
from ringbuf.broadcast import Broadcast
from ringbuf.layout import INTENT, PUBLISHED
from ringbuf.spsc import SpscRing
from tests.engine.runtime.journal.written import UnsyncedDisk

LOOK = 1024
IDLE_ROUNDS = 20


class Live:
    """One start on a data folder, recovered from what is there.

    clock_shift_ns : by how much the wall clock is wrong
    """

    def __init__(
        self,
        data_dir: Path,
        application: Application,
        settings: EngineSettings,
        names: tuple[Sequence[str], Sequence[str]],
        epoch: int,
        clock_shift_ns: int = 0,
        disk: Disk | None = None,
    ) -> None:
        rings, doors = names
        self.data_dir = data_dir
        self.application = application
        self.epoch = epoch
        self.segments = Segments(segment_names(data_dir), application, settings, rings, doors, epoch)
        self.call = LoopCall(self.segments)
        self.call.warm_up(self.segments)
        self.call.prepare_recovery(self.segments)
        self.loop = self.call.loop
        self.loop["clock_offset"] = clock_offset_ns() + clock_shift_ns
        self.rings = [
            SpscRing(ring["control"], ring["slots"]) for ring in self.segments.commands.slots[0]["rings"]
        ]
        self.journaler = Journaler(self.segments, data_dir, epoch, disk or UnsyncedDisk())
        self.heard: list[Any] = []
        self.looks: list[tuple[int, int]] = []
        """Of each look: the last command whose events are visible, and the announced end."""

    def start(self) -> None:
        """Open the journal and recover."""
        self.journaler.open()
        self.start_worker()
        self.reader = self.reader_at(int(self.loop["event_end"]))

    def start_worker(self) -> None:
        """Recover, as a new worker does: the first one, or one whose predecessor died just here."""
        assert self.call.replica is not None
        shared = self.call.replica, self.data_dir, self.loop, self.call.ends, self.epoch
        assert recover(self.segments, *shared, lambda: False)

    def reader_at(self, position: int) -> Any:
        """Return a reader of all events from there on."""
        events = self.segments.events
        return Broadcast(events.control, events.slots).reader(
            self.segments.journal.control, DURABLE, position=position
        )

    def run(self) -> int:
        """Let the loop make one round."""
        return self.call.run(0)

    def commit(self) -> None:
        """Let the journaler make everything that waits durable, and the reader hear of it."""
        while self.journaler.work(0):
            pass
        self.drain()

    def drain(self) -> None:
        """Read what is visible; the reader was never lapped."""
        while (part := self.reader.drain(LOOK)) is None or len(part):
            assert part is not None, f"lapped: {self.reader.missed} events were lost to the reader"
            self.heard.append(part)

    def settle(self) -> None:
        """Go on until everything published is applied, durable and heard of."""
        while (
            any(len(ring) for ring in self.rings)
            or self.loop["applied"] < self.published
            or self.durable < self.published
            or self.is_emitting
        ):
            self.run()
            self.look()
            self.commit()

    def jump(self, forth_ns: int) -> None:
        """Let the clock jump while nothing waits: forth, an idle second passes; back, nothing goes back."""
        for _ in range(
            IDLE_ROUNDS
        ):  # a closed gate or a full journal may keep something waiting all the same
            self.run()
            self.look()
        self.loop["clock_offset"] += forth_ns
        self.run()
        self.look()

    @property
    def published(self) -> int:
        """J."""
        return int(self.segments.journal.control[PUBLISHED])

    @property
    def durable(self) -> int:
        """D."""
        return int(self.segments.journal.control[DURABLE])

    @property
    def is_emitting(self) -> bool:
        """Whether events wait behind a closed gate."""
        return bool(self.segments.state.slots[0]["out_count"])

    def told(self) -> Any:
        """Return all events that the reader heard."""
        return self.application.spread.events_of(self.told_slots())

    def told_slots(self) -> Any:
        """Return them as they lie in the event ring."""
        return np.concatenate([self.reader.ring.slots[:0], *self.heard])

    def digest(self) -> str:
        """Return the digest of the live state."""
        return self.application.digest(self.segments.state.slots)

    def look(self) -> None:
        """Read what is visible, and note how far the worker writes while so much is durable."""
        self.drain()
        durable, applied = self.durable, int(self.loop["applied"])
        self.looks.append((min(durable, applied), int(self.segments.events.control[INTENT])))

    def close(self) -> None:
        """Let go of the files and the segments' names."""
        self.journaler.close()
        self.segments.unlink()


@contextmanager
def living(
    data_dir: Path, application: Application, settings: EngineSettings, *names: Sequence[str], **how: Any
) -> Iterator[Live]:
    """Start, and end whatever happens; names: rings, doors."""
    rings, doors = names
    live = Live(data_dir, application, settings, (rings, doors), **{"epoch": 1, **how})
    try:
        live.start()
        yield live
    finally:
        live.close()


def play(live: Live, flows: Sequence[Any], random: Random, batch_max: int) -> None:
    """Send each flow of commands through its own ring, in any interleaving of everybody's steps.

    Batches and what is published at once are of any size, the disk stalls, the clock jumps.
    """
    sent = [0] * len(flows)
    stalled = 0
    while any(at < len(flow) for at, flow in zip(sent, flows, strict=True)):
        ring = random.randrange(len(flows))
        count = random.choice((0, 1, 2, 7, batch_max, 3 * batch_max))
        sent[ring] += live.rings[ring].push(flows[ring][sent[ring] : sent[ring] + count])
        if random.random() < 0.05:
            live.jump(random.choice((-(10**9), 2 * 10**9)))
        live.loop["batch"] = random.randint(1, batch_max)
        for _ in range(random.choice((0, 1, 1, 3))):
            live.run()
            live.look()
        stalled -= 1
        if stalled < 0:
            live.commit()
            stalled = random.choice((0, 0, 1, 5, 40))
    live.settle()


def entries_of(live: Live) -> Any:
    """Return every entry of the journal on the disk."""
    reader = JournalReader(live.data_dir / FOLDER, owner=live.application.owner)
    return np.concatenate([np.array(frame.entries) for frame in reader])
