"""Ports: the only way in and out of a running instance for doors, feeders and tools.

    gateway process                         worker process
    Port.submit(commands)  --> its own command ring -->  sequenced, journaled, applied
    Port.drain() -> events <-- the event ring, only what is durable and only its own

Commands and events are arrays of the application's records (engine/contract/records.py).

One process holds one ring (a lock file says which). A full ring is an answer (fewer accepted
than given), never a wait. A reader that was overtaken knows it: `laps` rises, events are
lost to it, and it goes on with the newest.
"""

import json
import os
import time
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from engine.contract.control_words import DURABLE, LATCH, SESSION_BITS, STATE_EPOCH, WORKER_BELL
from engine.contract.histogram import Histogram
from engine.contract.instance import (
    Instance,
    PortError,
    attach_bells,
    attach_commands,
    attach_counters,
    attach_events,
    attach_histograms,
    attach_journal,
    counter_name,
    dtype_of,
    read,
    ring_lock_path,
    take_lock,
)
from engine.contract.instance import attach_state as instance_state
from engine.contract.spread import SLOT_WORDS, SLOTS_MAX, Spread
from ringbuf.atomics import clock_monotonic_ns, clock_realtime_ns, load_acquire
from ringbuf.bells import Bell, call, sleep_until_visible
from ringbuf.broadcast import LAPPED, committed, is_visible
from ringbuf.broadcast import read as read_slots
from ringbuf.counters import Counters
from ringbuf.layout import ASLEEP, GATE_WORD
from ringbuf.spsc import SpscRing, words_of

__all__ = [
    "Closed",
    "EventReader",
    "Port",
    "PortError",
    "attach_state",
    "claim_spare",
]
SCRATCH = 1024
"""Slots looked at together."""
LOOK_AGAIN_S = 0.00005
"""Between two looks for events where nobody calls."""
RETRY_AFTER_S = 1
"""When a client may ask again that found an engine, or a door, busy or closed."""


class Closed(Enum):
    """The reason for which an engine takes no commands for now."""

    LATCHED = "latched"  # the disk failed, or a command kills the worker: an operator must mend it
    RECOVERING = "recovering"  # a restarted worker rebuilds the state


class _Place:
    """A reader's place in the event ring and the counters it keeps."""

    def __init__(self, instance: Instance, name: str) -> None:
        self.instance = instance
        self.name = name
        self._events = attach_events(instance)
        self._journal = attach_journal(instance)
        self._counters = attach_counters(instance)
        self._slots = words_of(self._events.slots)
        self._bells = attach_bells(instance)
        self._bell_words: npt.NDArray[np.int64] = self._bells.slots[0]["words"]
        self._spread = Spread.of(dtype_of(instance.event_fields), instance.event_forms)
        self._scratch = np.zeros((SCRATCH, SLOT_WORDS), np.int64)
        self._found = np.zeros(SCRATCH, self._spread.event_dtype)
        self._heartbeat = counter_name(name, "heartbeat")
        has_bell = instance.wait == "block" and name in instance.sleepers
        self._sleeper = instance.sleepers.index(name) if has_bell else None
        self.position = int(committed(self._events.control))
        self.laps = 0
        self.lost = 0  # slots that were overwritten unseen: as many events at most
        self.seq = 0
        self._state: npt.NDArray[Any] | None = None
        self._state_control: npt.NDArray[np.int64] | None = None
        self._warm_up()

    def _warm_up(self) -> None:
        """Compile, or load, what is called now and then: nobody shall wait for it later."""
        self.durable_seq()
        clock_monotonic_ns()  # of Counters.age_ns
        call(self._bell_words, WORKER_BELL, ASLEEP)
        self._spread.widen(self._scratch, 0, self._found)
        self.has_visible()
        self.await_events(0.0)
        if self.bell is not None:
            self.bell.fall_asleep()
            self.bell.wake_up()

    @property
    def durability(self) -> str:
        """The mode of durability, which says what a reply promises."""
        return self.instance.durability

    def has_news(self) -> bool:
        """Tell whether the event ring holds events that were not looked at yet."""
        return bool(committed(self._events.control) > self.position)

    def has_visible(self) -> bool:
        """Tell whether the next event may be seen: it is there, and durable."""
        control, gate = self._events.control, self._journal.control
        return bool(is_visible(control, self._slots, gate, DURABLE, self.position))

    def await_events(self, limit_s: float) -> None:
        """Sleep until there are events that may be seen, limit_s or a signal at most."""
        if self._sleeper is None:
            time.sleep(min(LOOK_AGAIN_S, limit_s))
            return
        ring = self._events.control, self._slots, self._journal.control, DURABLE, self.position
        sleep_until_visible(*ring, self._bell_words, self._sleeper, int(limit_s * 1e9))

    def skip(self) -> None:
        """Skip to behind the last event: what was not looked at concerned nobody here."""
        self.position = int(committed(self._events.control))

    @property
    def bell(self) -> Bell | None:
        """The bell that wakes this event loop when it has events; None where the loop has to look itself."""
        bell = None if self._sleeper is None else Bell(self._bell_words, self._sleeper)
        return bell if bell is not None and bell.descriptor >= 0 else None

    def durable_seq(self) -> int:
        """Return D: the last seq that can no longer be lost."""
        return int(load_acquire(self._journal.control, DURABLE))

    def beat(self) -> None:
        """Tell the supervisor that this process is alive."""
        if self._heartbeat in self._counters:
            self._counters.beat(self._heartbeat)

    def counters(self) -> Counters:
        """Return the counters of the whole instance, a live mapping from name to value."""
        return self._counters

    def histograms(self) -> dict[str, Histogram]:
        """Return copies of the worker's latency histograms, in ns."""
        return attach_histograms(self.instance)

    def state(self) -> npt.NDArray[Any]:
        """Return the live state: an array of one record, in a mapping that refuses writes."""
        if self._state is None:
            shared = instance_state(self.instance)
            self._state, self._state_control = shared.slots, shared.control
        return self._state

    def state_turn(self) -> int:
        """Return the state epoch: odd while a restarted worker rebuilds the state."""
        self.state()
        assert self._state_control is not None
        return int(load_acquire(self._state_control, STATE_EPOCH))  # pairs with the worker's stores

    def is_latched(self) -> bool:
        """Tell whether the engine accepts nothing more: the disk failed, or a command kills it."""
        return bool(load_acquire(self._journal.control, LATCH))

    def _look(self, limit: int, ring_idx: int) -> npt.NDArray[Any]:
        """Return copies of the next durable events: all of them, or one ring's (ring_idx >= 0)."""
        wanted = min(limit * SLOTS_MAX, SCRATCH)
        looked = int(
            read_slots(
                self._events.control, self._slots, self._journal.control, DURABLE,
                self.position, self._scratch, wanted,
            )
        )  # fmt: skip
        if looked == LAPPED:
            end = int(committed(self._events.control))
            self.laps += 1
            self.lost += end - self.position
            self.position = end
            return self._found[:0].copy()
        # The last event may be there in part: it comes with the next look.
        taken, made = self._spread.widen(self._scratch, looked, self._found, limit, ring_idx)
        if taken:
            self.position += taken
            self.seq = int(self._scratch[taken - 1, GATE_WORD])
        return self._found[:made].copy()


class Port(_Place):
    """A gateway's end of one command ring, and its own events."""

    def __init__(self, instance: Instance, ring_name: str, lock: int) -> None:
        super().__init__(instance, ring_name)
        self.ring_name = ring_name
        self.ring_idx = instance.ring_idx(ring_name)
        self.lock = lock
        self._commands = attach_commands(instance)
        ring = self._commands.slots[0]["rings"][self.ring_idx]
        self._ring = SpscRing(ring["control"], ring["slots"])
        self._sessions = counter_name(ring_name, "sessions")
        self._busy = counter_name(ring_name, "busy")

    @classmethod
    def attach(cls, data_dir: Path, ring_name: str) -> Self:
        """Take this command ring for this process; PortError when another one holds it."""
        instance = read(data_dir)
        instance.ring_idx(ring_name)
        lock = _lock_ring(data_dir, ring_name)
        if lock is None:
            holder = _holder(data_dir, ring_name)
            raise PortError(f"command ring {ring_name!r} of {data_dir} is held by process {holder}")
        try:
            return cls(instance, ring_name, lock)
        except BaseException:
            os.close(lock)
            raise

    def submit(self, commands: npt.NDArray[np.void]) -> int:
        """Publish as many of these commands as the ring has room for; return how many.

        Stamps gw_ts into those that have none. The rest were not sent: answer BUSY.
        """
        stamps = commands["gw_ts"]
        stamps[stamps == 0] = clock_realtime_ns()
        accepted = self._ring.push(commands)
        call(self._bell_words, WORKER_BELL, ASLEEP)
        if accepted < len(commands):
            self._counters.add(self._busy, len(commands) - accepted)
        return accepted

    def closed_because(self) -> Closed | None:
        """Tell why nothing should be submitted now, though the ring may have room."""
        if self.is_latched():
            return Closed.LATCHED
        return Closed.RECOVERING if self.state_turn() & 1 else None

    def drain(self, limit: int = SCRATCH) -> npt.NDArray[Any]:
        """Return copies of this ring's events among the next `limit` durable ones."""
        return self._look(limit, self.ring_idx)

    def depth(self) -> int:
        """Return how many published commands the worker has not taken yet."""
        return len(self._ring)

    def next_session(self) -> int:
        """Return a session id that was never given before in this epoch."""
        self._counters.add(self._sessions)
        return (self.ring_idx << SESSION_BITS) | self._counters[self._sessions]

    def close(self) -> None:
        """Give the ring back."""
        if self.lock >= 0:
            os.ftruncate(self.lock, 0)
            os.close(self.lock)
            self.lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class EventReader(_Place):
    """A reader of every durable event of the instance, for doors that only read and for tools."""

    @classmethod
    def attach(cls, data_dir: Path, name: str = "") -> Self:
        """Read from now on; `name` is the process name, for the heartbeat."""
        return cls(read(data_dir), name)

    def drain(self, limit: int = SCRATCH) -> npt.NDArray[Any]:
        """Return copies of the next durable events, at most `limit`."""
        return self._look(limit, -1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held: mappings go with the object."""


def claim_spare(data_dir: Path) -> Port:
    """Take a spare command ring from outside; ends or death of this process give it back."""
    instance = read(data_dir)
    for name in instance.spares:
        lock = _lock_ring(data_dir, name)
        if lock is not None:
            return Port(instance, name, lock)
    if not instance.spares:
        raise PortError(f"{data_dir} has no spare command rings; set engine.spare_rings to 1 or more")
    holders = ", ".join(str(_holder(data_dir, name)) for name in instance.spares)
    raise PortError(
        f"all {len(instance.spares)} spare command rings of {data_dir} are in use (processes {holders}); "
        f"end one of them or raise engine.spare_rings"
    )


def attach_state(data_dir: Path) -> npt.NDArray[Any]:
    """Return the live state of the instance on `data_dir`, in a mapping that refuses writes."""
    return instance_state(read(data_dir)).slots


def _lock_ring(data_dir: Path, ring_name: str) -> int | None:
    """Take the ring's lock for this process and note who holds it; None when it is taken."""
    note = json.dumps({"pid": os.getpid(), "since": time.time_ns()}).encode()
    return take_lock(ring_lock_path(data_dir, ring_name), note)


def _holder(data_dir: Path, ring_name: str) -> int | None:
    """Return the pid that the ring's lock file names."""
    try:
        return int(json.loads(ring_lock_path(data_dir, ring_name).read_bytes())["pid"])
    except (OSError, ValueError, KeyError):
        return None
