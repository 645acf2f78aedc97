"""A loop around the echo application, and the hands of everybody it meets."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract import instance
from engine.contract.application import Application
from engine.contract.control_words import DURABLE
from engine.runtime.processes.worker import LoopCall, clock_offset_ns
from engine.runtime.shared_memory import Segments, segment_names
from engine.settings.config import EngineSettings
from ringbuf.broadcast import Broadcast
from ringbuf.spsc import SpscRing
from tests.engine.runtime.echo import ADD, COMMAND, SPREAD
from tests.engine.runtime.echo import application as echo


class Bench:
    """The loop, its rings, and the hands of a gateway, a journaler and a reader."""

    def __init__(self, segments: Segments, call: LoopCall, data_dir: Path) -> None:
        self.segments = segments
        self.data_dir = data_dir
        self.call = call
        self.state = segments.state.slots
        rings = segments.commands.slots[0]["rings"]
        self.rings = [SpscRing(rings[i]["control"], rings[i]["slots"]) for i in range(len(segments.rings))]
        self.journal = SpscRing(segments.journal.control, segments.journal.slots)
        self.reader = Broadcast(segments.events.control, segments.events.slots).reader(
            segments.journal.control, DURABLE, position=0
        )
        self.counters = segments.counters

    def send(self, ring: int, count: int, /, **fields: int) -> int:
        """Publish `count` commands with these fields; req_seq counts from 0."""
        commands = np.zeros(count, COMMAND)
        commands["op"] = ADD
        commands["req_seq"] = np.arange(count)
        for name, value in fields.items():
            commands[name] = value
        return self.rings[ring].push(commands)

    def run(self) -> int:
        """Let the loop make one round."""
        return self.call.run(0)

    def run_until_applied(self, seq: int) -> None:
        """Let the loop go on until command `seq` is applied: a bounded number of rounds."""
        for _ in range(10_000):
            if self.call.loop["applied"] >= seq:
                return
            self.run()
        raise AssertionError(f"applied only {self.call.loop['applied']} of {seq}")

    def read_all(self) -> Any:
        """Return every event that a reader may see now."""
        parts = [self.reader.ring.slots[:0]]
        while (part := self.reader.drain(1024)) is not None and len(part):
            parts.append(part)
        return SPREAD.events_of(np.concatenate(parts))

    def set_durable(self, seq: int) -> None:
        """Act as the journaler: everything up to `seq` is on disk."""
        self.segments.journal.control[DURABLE] = seq
        self.journal.pop(max(0, seq - self.journal.released))


RINGS = ("a", "b", "spare-0")


@contextmanager
def running(
    data_dir: Path, application: Application | None = None, counted: Sequence[str] = ()
) -> Iterator[Bench]:
    """Make the segments and the instance file of an engine that the test drives: echo, if none is given."""
    application = application or echo()
    settings = EngineSettings(
        command_ring=64,
        journal_ring=64,
        event_ring=1024,
        batch=16,
        cpu="none",
        lock_memory=False,
        durability="none",
    )
    names = segment_names(data_dir)
    segments = Segments(names, application, settings, RINGS, ("door",), 1, counted)
    try:
        call = LoopCall(segments)
        call.warm_up(segments)
        call.loop["clock_offset"] = clock_offset_ns()
        call.loop["eng_ts"] = time.time_ns()  # no TICK within the next second
        instance.write(
            instance.Instance(
                epoch=1,
                data_dir=str(data_dir),
                application=application.name,
                durability="none",
                config="test",
                started_at=time.time_ns(),
                processes=(),
                rings=RINGS,
                spares=RINGS[2:],
                command_slots=settings.command_ring,
                segments=names,
                command_fields=instance.fields_of(application.command_dtype),
                event_fields=instance.fields_of(application.event_dtype),
                event_forms=application.spread.sources.tolist(),
                state_fields=instance.fields_of(application.state_dtype),
                wait=settings.wait,
                sleepers=segments.sleepers,
                doors={},
            )
        )
        yield Bench(segments, call, data_dir)
    finally:
        segments.unlink()
