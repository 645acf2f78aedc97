"""A private engine that follows the journal: the same kernel, the same state, the same events.

Recovery, the shadow, the history, `replay`, `whatif`, simulations and the step tier of the benchmarks
differ only in what they do with it.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.batches import BURST_SLOTS, build_hint, close_versions
from engine.contract.control_words import RING_COUNT_MAX, SESSION_BITS
from engine.contract.event_hash import forget_events, hash_events
from engine.contract.records import Operation
from engine.contract.spread import SLOT_WORDS
from ringbuf.atomics import copy_words, cycle_count
from ringbuf.kernel import COMPILED, bind, releasing

RING_MARK = np.dtype([("next_seq", "<i8"), ("last_session", "<i8")])
"""Of one ring: the ring_seq that comes next in this epoch, and the greatest session number ever."""
RING_MARKS = RING_COUNT_MAX + 1
"""Index 0 is the worker's own ring, 1 + ring_idx a gateway's."""
SESSION_NUMBER = (1 << SESSION_BITS) - 1
SLOT_ROOM = 2**14
OUT_OF_ORDER = -1
UNTIMED = np.zeros(0, np.int64)

apply: Callable[..., int]
hint: Callable[..., None]
"""What an application brings, and the hints made of it: `build_batch` binds these to a copy of
`_apply_batch`."""


def _apply_batch(state, out, records, first, end, marks, slots, cycles):
    """Apply the commands among records[first:end] as the worker does; move their events to `slots`.

    Parameters
    ----------
    state : array of the application's one state record
    out : int64[n, SLOT_WORDS], the same memory as the state's `out`
    records : the journal's, read-only; heads of frames (seq below 1) are passed over
    marks : RING_MARK[RING_MARKS], brought up to date
    slots : int64[m, SLOT_WORDS], filled from 0, some commands' together; of length 0: events are not kept
    cycles : int64[], as long as records: filled with the time-stamp counter's difference of each
        command, hints and the moving of events included; of length 0: nothing is timed

    Returns (records done, slots written). It stops early behind a command whose events did not
    fit: they are still in `s.out`. (OUT_OF_ORDER, 0): a command does not follow the one before.
    """
    s = state[0]
    room = len(slots)
    is_timed = len(cycles) > 0
    fits = True
    written = begun = 0
    for k in range(first, end):
        if is_timed:
            begun = cycle_count()
        hint(s, records, k, end, -1)  # noqa: F821  bound by build_batch
        entry = records[k]
        if entry.seq >= 1:
            if entry.seq != s.seq + 1:
                return OUT_OF_ORDER, 0
            apply(s, entry.command, entry.seq, entry.eng_ts, entry.ring)  # noqa: F821  bound by build
            close_versions(s, entry.seq)
            mark = marks[1 + entry.ring]
            mark.next_seq = entry.ring_seq + 1
            mark.last_session = max(mark.last_session, entry.command.session & SESSION_NUMBER)
        waiting = s.out_count
        if waiting > BURST_SLOTS or k == end - 1:
            if room > 0:
                fits = written + waiting <= room
                if fits:
                    copy_words(slots, written, 0, out, 0, 0, waiting * SLOT_WORDS)
                    written += waiting
            hash_events(s)
            if fits:
                forget_events(s)
        if is_timed:
            cycles[k] = cycle_count() - begun
        if not fits:
            return k + 1, written
    return end, written


def batch_name(application: Any) -> str:
    """Return the name under which an application's batch kernel is cached."""
    return f"batch_{application.name}"


def build_batch(application: Any) -> Callable[..., tuple[int, int]]:
    """Return `_apply_batch` compiled for one application, cached under its name (as loop.build)."""
    return _bound(batch_name(application), application.apply, application.prepare)


@cache
def _bound(name: str, apply: Any, prepare: Any) -> Callable[..., tuple[int, int]]:
    """Bind a copy once: each copy loads its code from the cache anew."""
    names = {"apply": apply, "hint": build_hint(name, prepare)}
    batch: Callable[..., tuple[int, int]] = bind(_apply_batch, name, names, releasing)
    return batch


class Replica:
    """A replica of the engine: a state to which the entries of the journal are applied.

    Parameters
    ----------
    application : its record types, state_dtype, apply and prepare are used
    state : array of one state record to work on; private memory when left out
    slot_room : slots whose events are handed out together, where those of one command take no more

    `quarantined` holds the seqs of commands to be rejected unseen (quarantine.py).
    """

    def __init__(
        self, application: Any, state: npt.NDArray[Any] | None = None, slot_room: int = SLOT_ROOM
    ) -> None:
        self.quarantined: tuple[int, ...] = ()
        self.state = private_state(application.state_dtype) if state is None else state
        self.marks = np.zeros(RING_MARKS, RING_MARK)
        self.epoch = 0
        self._restored = application.restored
        self._kernel = build_batch(application)
        self._view = self.state if COMPILED else self.state.view(np.recarray)
        self._marks = self.marks if COMPILED else self.marks.view(np.recarray)
        self.spread = application.spread
        self._slots = np.zeros((slot_room, SLOT_WORDS), np.int64)
        self._events = np.zeros(slot_room, application.event_dtype)
        self._out = self.state["out"][0]
        # Compiled or loaded before any clock runs.
        self._run(np.zeros(0, application.entry_dtype), 0, self._slots, UNTIMED)
        self.spread.widen(self._slots, 0, self._events)

    def be_restored(self) -> None:
        """Make ready for the state, which was brought to a snapshot."""
        if self._restored is not None:
            self._restored(self.state)

    @property
    def seq(self) -> int:
        """The seq of the last command applied."""
        return int(self.state[0]["seq"])

    @property
    def event_count(self) -> int:
        """Events made since the journal's first command."""
        return int(self.state[0]["event_count"])

    @property
    def slot_count(self) -> int:
        """Slots that these events take: the position of the next one in an event ring."""
        return int(self.state[0]["slot_count"])

    def enter_epoch(self, epoch: int) -> None:
        """The commands from here on are another start's: its rings count from 0."""
        if epoch != self.epoch:
            self.marks["next_seq"] = 0
            self.epoch = epoch

    def skip(self, records: npt.NDArray[Any]) -> None:
        """Apply the commands among records without keeping their events."""
        self._run(self._without_quarantined(records), 0, self._slots[:0], UNTIMED)

    def apply(self, records: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Apply the commands among records; return copies of their events."""
        parts = [part.copy() for part in self.batches(records)]
        return np.concatenate(parts) if parts else np.zeros(0, self.spread.event_dtype)

    def batches(
        self, records: npt.NDArray[Any], cycles: npt.NDArray[np.int64] = UNTIMED
    ) -> Iterator[npt.NDArray[Any]]:
        """Apply the commands among records; yield their events, which are valid until the next are asked for.

        cycles : int64[len(records)], filled with the cycles that each command took; none: not timed
        """
        for slots in self.slots_of(records, cycles):
            if len(slots) > len(self._events):
                yield self.spread.events_of(slots)
            else:
                yield self._events[: self.spread.widen(slots, len(slots), self._events)[1]]

    def slots_of(
        self, records: npt.NDArray[Any], cycles: npt.NDArray[np.int64] = UNTIMED
    ) -> Iterator[npt.NDArray[np.int64]]:
        """Apply the commands among records; yield their events as `batches` does, but in slots."""
        records = self._without_quarantined(records)
        s = self.state[0]
        done = 0
        while done < len(records):
            done, written = self._run(records, done, self._slots, cycles)
            if written:
                yield self._slots[:written]
            if s["out_count"]:  # of the last commands, whose events did not fit
                left = self._out[: s["out_count"]].copy()
                s["out_count"] = s["out_hashed"] = 0
                yield left

    def _without_quarantined(self, records: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Put the stand-in in place of every quarantined command."""
        if not self.quarantined:
            return records
        found = np.isin(records["seq"], self.quarantined)
        if not found.any():
            return records
        records = np.array(records)
        records["command"]["op"][found] = Operation.QUARANTINED
        return records

    def _run(
        self,
        records: npt.NDArray[Any],
        first: int,
        slots: npt.NDArray[np.int64],
        cycles: npt.NDArray[np.int64],
    ) -> tuple[int, int]:
        records = records.view(np.ndarray) if COMPILED else records.view(np.recarray)
        records.flags.writeable = False  # one type for the compiler, whether from a file or from memory
        before = self.seq
        done, written = self._kernel(
            self._view, self._out, records, first, len(records), self._marks, slots, cycles
        )
        if done == OUT_OF_ORDER:
            raise ValueError(f"the command behind seq {self.seq} does not follow it (began behind {before})")
        return int(done), int(written)


def private_state(dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an empty state in private memory, on a page: untouched pages cost nothing."""
    page = 4096
    memory = np.zeros(dtype.itemsize + page, np.uint8)
    start = -memory.ctypes.data % page
    return memory[start : start + dtype.itemsize].view(dtype)
