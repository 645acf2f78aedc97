"""The engine of a replay: the trading kernel over private state, with no processes and no rings.

Commands go in as records and are numbered from 1; events come out in bulk. With
`is_timed` every command is timed on its own, by the same kernel plus two clock reads. With
`is_digested` all events enter the digest without layout.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from engine.trading.capacities import Capacities
from engine.trading.digest import digest
from engine.trading.instruments import Catalogue, extend
from engine.trading.kernels.state import NIL, new_state
from engine.trading.neutral_digest import NeutralDigest
from engine.trading.offline.kernels import (
    apply_unnumbered,
    client_instrument,
    order_instrument,
)
from engine.trading.offline.latency import Latencies
from engine.trading.offline.simulate import CHUNK, chunks_of, replica_over, sequenced
from engine.trading.records import COMMAND, Op
from ringbuf.kernel import COMPILED

RING = 0
UNKNOWN = -1


def records(packed: Iterable[bytes]) -> "np.ndarray[Any, np.dtype[np.void]]":
    """Return packed commands as COMMAND[n], writable: numba compiles read-only arrays a second time."""
    return np.frombuffer(bytearray().join(packed), COMMAND)


class ReplayEngine:
    """Private trading state and the kernel over it."""

    def __init__(
        self,
        *,
        keeps_events: bool,
        is_timed: bool,
        is_digested: bool = False,
        capacities: Capacities | None = None,
    ) -> None:
        self.state = new_state(capacities or Capacities())
        self.latencies = Latencies(is_counting=is_timed)
        self.digest_seconds = 0.0
        # Plain Python reads fields as attributes; it is the same memory.
        self._kernel_state: Any = self.state if COMPILED else self.state.view(np.recarray)
        self._s: Any = self.state[0]
        self._catalogue = Catalogue([], [])
        self.is_timed = is_timed
        self._neutral = NeutralDigest() if is_digested else None
        self._is_keeping = keeps_events or is_digested
        self._cycles = np.zeros(CHUNK if is_timed else 0, np.int64)
        self._replica = replica_over(self.state)
        self._warm_up()

    @property
    def seq(self) -> int:
        """Return the number of the last command."""
        return int(self._s["seq"])

    @property
    def eng_ts(self) -> int:
        """Return the engine clock."""
        return int(self._s["eng_ts"])

    @property
    def event_count(self) -> int:
        """Return how many events were made."""
        return int(self._s["event_count"])

    @property
    def trade_count(self) -> int:
        """Return how many of them were trades."""
        return int(self._s["trade_count"])

    def catalogue(self, state: Any = None) -> Catalogue:
        """Return the instruments and currencies known now; the same object, grown.

        state : array of one STATE record to look at instead: that of a journal's past
        """
        known, s = self._catalogue, self._s if state is None else state[0]
        if len(known.instruments) < s["books_used"] or len(known.currencies) < s["currencies_used"]:
            extend(known, s)
        return known

    def digest(self) -> str:
        """Return the digest of the state."""
        return digest(self.state)

    @property
    def is_digested(self) -> bool:
        """Tell whether the events enter the digest without layout."""
        return self._neutral is not None

    def note(self, events: "np.ndarray[Any, np.dtype[np.void]]") -> None:
        """Take events that were made into the digest without layout, where one is wanted."""
        if self._neutral is not None:
            began = time.perf_counter()
            self._neutral.add(events)
            self.digest_seconds += time.perf_counter() - began

    def digest_without_layout(self) -> str:
        """Return the digest of all events and of the state, whatever their layout."""
        assert self._neutral is not None
        return self._neutral.digest(self.state)

    def run(
        self, commands: "np.ndarray[Any, np.dtype[np.void]]"
    ) -> Iterator["np.ndarray[Any, np.dtype[np.void]]"]:
        """Apply commands in order; yield their events, which are valid until the next is asked for."""
        for chunk in chunks_of(commands):
            entries = sequenced(chunk, self.state, RING)
            cycles = self._cycles[: len(entries)]
            if self._is_keeping or self.is_timed:
                for events in self._replica.batches(entries, cycles):
                    if self._is_keeping:
                        self.note(events)
                        yield events
            else:
                self._replica.skip(entries)
            if self.is_timed:
                self.latencies.count(int(entries["seq"][0]), cycles)

    def apply_unnumbered(self, command: "np.ndarray[Any, np.dtype[np.void]]") -> None:
        """Apply COMMAND[1] without giving it a number: what a line implies, such as its currency."""
        assert command.flags.writeable
        apply_unnumbered(self._kernel_state, command, RING)

    def client_instrument(self, account: int, client_order_id: int) -> tuple[bool, int]:
        """Return (whether the client id is known, instrument of its live order or UNKNOWN)."""
        is_known, instrument = client_instrument(self._kernel_state, account, client_order_id)
        return bool(is_known), int(instrument)

    def order_instrument(self, order_id: int) -> int:
        """Return the instrument of a live order, or UNKNOWN."""
        return int(order_instrument(self._kernel_state, order_id))

    def _warm_up(self) -> None:
        """Compile the kernels, or load them from the cache, before any clock runs."""
        tick = np.zeros(1, COMMAND)
        tick["op"] = int(Op.TICK)
        self.apply_unnumbered(tick)
        self.client_instrument(0, 0)
        self.order_instrument(0)


assert NIL == UNKNOWN
assert COMMAND.itemsize == 128
