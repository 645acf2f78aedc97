"""The shared memory of one start: made by the supervisor, inherited by the worker.

commands   every command ring        written by its gateway, read by the worker
journal    the sequenced commands    written by the worker, read by the journaler
events     what happened             written by the worker, read by everyone
state      the application's record  written by the worker, mapped read-only by others
stats, counters                      latency histograms; numbers by name
bells      who sleeps                written by each sleeper, and by who calls it
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.application import Application
from engine.contract.control_words import (
    LATCH,
    STATS,
    bells_dtype,
    ring_record_dtype,
    rings_dtype,
    words_dtype,
)
from engine.contract.instance import (
    DATABASE,
    HISTORY,
    HISTORY_COUNTS,
    JOURNALER,
    SHADOW,
    SHADOW_COUNTS,
    SUPERVISOR,
    WORKER,
    counter_name,
)
from engine.contract.spread import SLOT
from engine.runtime.loop import COUNTS
from engine.settings.config import EngineSettings
from ringbuf import segment
from ringbuf.atomics import load_acquire, store_release
from ringbuf.bells import wake_up
from ringbuf.counters import Counters
from ringbuf.layout import CONTROL_OFFSET_BYTES, DESCRIPTOR, LINE_WORDS
from ringbuf.segment import Kind, Segment

SLOTS_OF_AN_EVENT = 2
"""Settings count events, most of which take one slot: a ring has room for as many of two."""
PARTS = ("commands", "journal", "events", "state", "stats", "counters", "bells")


def segment_names(data_dir: Path) -> dict[str, str]:
    """Return the segments' names: the same folder always gets the same, so leftovers are found."""
    folder = hashlib.blake2b(str(data_dir.resolve()).encode(), digest_size=6).hexdigest()
    return {part: f"pinion-{folder}-{part}" for part in PARTS}


class Segments:
    """All segments of one epoch, created afresh once a dead instance's memory is freed."""

    def __init__(
        self,
        names: dict[str, str],
        application: Application,
        settings: EngineSettings,
        rings: Sequence[str],
        doors: Sequence[str],
        epoch: int,
        more_counts: Sequence[str] = (),
    ) -> None:
        self.application = application
        self.settings = settings
        self.rings = tuple(rings)
        self._made: list[Segment] = []
        self._descriptors: list[int] = []

        def make(part: str, kind: Kind, dtype: np.dtype[Any], count: int, reserve: bool) -> Segment:
            made = segment.create(names[part], kind, dtype, count, epoch=epoch, reserve=reserve)
            self._made.append(made)
            return made

        for name in names.values():
            segment.reclaim(name)  # first: there may be no room for the old memory and the new
        try:
            commands = rings_dtype(len(rings), settings.command_ring, application.command_dtype)
            self.commands = make("commands", Kind.STATE, commands, 1, True)
            self.journal = make("journal", Kind.SPSC, application.entry_dtype, settings.journal_ring, True)
            self.events = make("events", Kind.BROADCAST, SLOT, SLOTS_OF_AN_EVENT * settings.event_ring, True)
            # Untouched pages of the state cost nothing: its capacities are generous.
            self.state = make("state", Kind.STATE, application.state_dtype, 1, settings.reserve)
            self.stats = make("stats", Kind.STATE, STATS, 1, True)
            counts = [*counter_names(rings, doors), *more_counts]
            self.counters = Counters.create(names["counters"], counts, epoch=epoch)
            self._made.append(self.counters.segment)
            self.sleepers = sleepers(rings, doors)
            bells = make("bells", Kind.STATE, bells_dtype(len(self.sleepers)), 1, True)
            self.bells: npt.NDArray[np.int64] = bells.slots[0]["words"]
        except BaseException:
            self.unlink()
            raise

    def unlink(self) -> None:
        """Remove the names; whoever still maps a segment keeps it."""
        for made in self._made:
            made.unlink()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()

    def open_descriptors(self, doors: Iterable[str]) -> None:
        """Open an eventfd for the event loop of each of these doors; processes forked later inherit it."""
        for door in doors:
            descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._descriptors.append(descriptor)
            self.bells[self.sleepers.index(door) * LINE_WORDS + DESCRIPTOR] = descriptor + 1

    @property
    def is_latched(self) -> bool:
        """Whether nothing more is accepted."""
        return bool(load_acquire(self.journal.control, LATCH))

    def wake_up(self, sleeper: str) -> None:
        """Put back the bell of a process that died asleep, so that nobody calls it."""
        if sleeper in self.sleepers:
            wake_up(self.bells, self.sleepers.index(sleeper))

    def latch(self, value: int) -> None:
        """Set the word that stops the worker."""
        store_release(self.journal.control, LATCH, value)  # pairs with the loop's load

    def kernel_arguments(self) -> tuple[Any, ...]:
        """Return what the loop's kernel takes of the shared memory, as records (see loop.py)."""
        count, settings = len(self.rings), self.settings
        out = self.state.slots[0]["out"]
        rings = rings_dtype(count, settings.command_ring, words_dtype(self.application.command_dtype))
        return (
            self.state.slots[0],
            out.reshape(-1).view([("words", "<i8", out.shape)])[0],
            self.commands.slots.view(rings)[0],
            _from_control(self.journal, words_dtype(self.journal.slots.dtype)),
            _from_control(self.journal, self.journal.slots.dtype),
            _from_control(self.events, words_dtype(self.events.slots.dtype)),
            self.stats.slots[0],
            words_record(self.counters.words),
            words_record(self.bells),
        )


def sleepers(rings: Sequence[str], doors: Sequence[str]) -> tuple[str, ...]:
    """Return who has a bell, by name and in the contract's order; a door has the name of its ring."""
    return (WORKER, JOURNALER, SHADOW, *dict.fromkeys((*doors, *rings)))


def words_record(words: npt.NDArray[np.int64]) -> Any:
    """Return int64[n] as one record of `words`: an array argument would cost a kernel reference counting."""
    return words.view([("words", "<i8", words.shape)])[0]


def counter_names(rings: Sequence[str], doors: Sequence[str]) -> list[str]:
    """Return all counters; those of the loop come first, in its order."""
    names = [counter_name(WORKER, each) for each in COUNTS]
    names += [counter_name(WORKER, "clock_alarms"), counter_name(SUPERVISOR, "heartbeat")]
    names += [counter_name(SUPERVISOR, "restarts")]
    names += [counter_name(JOURNALER, each) for each in ("heartbeat", "frames")]
    names += [counter_name(SHADOW, each) for each in SHADOW_COUNTS]
    names += [counter_name(HISTORY, each) for each in HISTORY_COUNTS]
    names += [counter_name(DATABASE, "heartbeat")]
    names += [counter_name(door, "heartbeat") for door in doors]
    names += [counter_name(ring, what) for ring in rings for what in ("sessions", "busy")]
    return names


def _from_control(shared: Segment, slot: np.dtype[Any]) -> Any:
    """Return a ring segment from its control block on as one record."""
    dtype = ring_record_dtype(slot, len(shared.slots))
    whole: npt.NDArray[Any] = np.ndarray((1,), dtype, shared.mapping, CONTROL_OFFSET_BYTES)
    return whole[0]
