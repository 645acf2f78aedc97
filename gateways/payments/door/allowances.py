"""Allowances: how many requests of each key a fleet grants the doors of an instance, in words that both see.

DATA/allowances holds whole numbers of 64 bits, mapped by the doors and the fleet process, each written by one
of them alone: first when the fleet process has renewed them; then for each door and key what was granted in
all, and what the door has used of that and was asked. They only grow, and a door goes on where it was.
"""

import mmap
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.settings.config import DoorSettings

FLEET_RATE = "fleet_rate"
"""What processes are told of a rate that a fleet shares, where there is one: that of [payments.rate], how
many instances, what holds without a store, and the names of doors and keys."""
FILE = "allowances"
WORD_BYTES = 8
HEAD_WORDS = ROW_WORDS = 4
RENEWED = 0
GRANTED, USED, ASKED = range(3)
FRESH_NS = 1_000_000_000
"""So long what was granted holds without being renewed."""


class Allowances:
    """The words; doors and keys : names, as all processes of an instance are told them."""

    def __init__(self, data_dir: Path, doors: Sequence[str], keys: Sequence[str]) -> None:
        self.rows = {pair: at for at, pair in enumerate((door, key) for door in doors for key in keys)}
        """By door and key the number of its row."""
        size = WORD_BYTES * (HEAD_WORDS + ROW_WORDS * len(self.rows))
        descriptor = os.open(data_dir / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, size)
            self._words = memoryview(mmap.mmap(descriptor, size)).cast("q")
        finally:
            os.close(descriptor)

    @property
    def renewed_ns(self) -> int:
        """When they were renewed, monotonic; 0: never."""
        return int(self._words[RENEWED])

    def renew(self, now_ns: int) -> None:
        """Note that they are renewed. The fleet process alone does."""
        self._words[RENEWED] = now_ns

    def look(self, row: int, what: int) -> int:
        """Return GRANTED, USED or ASKED of a row."""
        return int(self._words[HEAD_WORDS + row * ROW_WORDS + what])

    def add(self, row: int, what: int, count: int) -> None:
        """Add to GRANTED, USED or ASKED of a row. Only its one writer does."""
        self._words[HEAD_WORDS + row * ROW_WORDS + what] += count


class DoorAllowance:
    """What one door takes of its allowances.

    without_store : what holds while they are not renewed; True: everything, False: nothing, None: nobody says
    """

    def __init__(
        self,
        allowances: Allowances,
        door: str,
        without_store: bool | None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._allowances = allowances
        self._rows = {key: at for (of, key), at in allowances.rows.items() if of == door}
        self._without_store = without_store
        self._clock_ns = clock_ns

    def take(self, key: str) -> bool | None:
        """Take one request of a key; tell whether it was granted, None where the door has to judge itself."""
        row, allowances = self._rows[key], self._allowances
        allowances.add(row, ASKED, 1)
        if not 0 <= self._clock_ns() - allowances.renewed_ns < FRESH_NS:
            return self._without_store
        if allowances.look(row, USED) >= allowances.look(row, GRANTED):
            return False
        allowances.add(row, USED, 1)
        return True


def allowances_of(door: DoorSettings) -> Allowances | None:
    """Return the allowances of an instance; None where it shares no rate."""
    told: Mapping[str, Any] | None = door.application.get(FLEET_RATE)
    return None if told is None else Allowances(door.data_dir, told["doors"], told["keys"])
