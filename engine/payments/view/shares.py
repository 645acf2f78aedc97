"""Shares of daily limits as the live state has them: a copy of all rows that matter.

Each number is read by itself, while payments are decided: what is left may be less a moment later, and
whoever gives of it asks the engine. `given` and `taken` change by commands of the fleet process alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.payments.fleet_records import STORE_SILENCE_NS
from engine.payments.kernels.windows import DAY_MS
from engine.payments.texts import words_text

Numbers = npt.NDArray[np.int64]
NO_LIMIT = -1


@dataclass(frozen=True, slots=True)
class ShareTable:
    """The rows of one moment, a column each."""

    now: int
    """T, ms."""
    day: int
    instances: int
    """That share each limit on this day."""
    at: Numbers
    """Where a row lies."""
    limit: Numbers
    """0 where there is none any more."""
    part: Numbers
    """Of the limit, that this instance owns unasked."""
    left: Numbers
    spent: Numbers
    given: Numbers
    taken: Numbers
    short_at: Numbers
    """When more was asked for than was there, ms."""


class SharesView:
    """The shares of a state, an array of one STATE record, shared or private."""

    def __init__(self, state: Any) -> None:
        self._state = state
        self._names: list[tuple[str, int]] = []
        self._places: dict[tuple[str, int], int] = {}

    @property
    def is_on(self) -> bool:
        """Whether a fleet is configured."""
        return bool(self._state["fleet"][0, 0]["is_on"])

    @property
    def is_store_up(self) -> bool:
        """Whether the store is up, by the engine's clock."""
        fleet = self._state["fleet"][0, 0]
        silent_ns = int(self._state["eng_ts"][0]) - int(fleet["told_at"])
        return bool(fleet["is_store_up"]) and silent_ns < STORE_SILENCE_NS

    @property
    def instances(self) -> int:
        """How many instances share limits as of now; 0: there never was a fleet."""
        return self._instances_on(int(self._state["now"][0] // DAY_MS))

    @property
    def moves(self) -> int:
        """How often a share was given or taken."""
        return int(self._state["fleet"][0, 0]["moves"])

    @property
    def fingerprint(self) -> bytes:
        """Of the hash key."""
        return bytes(self._state["fingerprint"][0].tobytes())

    @property
    def merged(self) -> int:
        """How many sightings of others were news here."""
        return int(self._state["fleet"][0, 0]["merged"])

    @property
    def unmerged(self) -> int:
        """For how many there was no room."""
        return int(self._state["fleet"][0, 0]["unmerged"])

    def _instances_on(self, day: int) -> int:
        fleet = self._state["fleet"][0, 0]
        return int(fleet["instances"] if day >= fleet["from_day"] else fleet["before"])

    def name_of(self, at: int) -> tuple[str, int]:
        """Return merchant and currency of a row."""
        self._learn()
        return self._names[at]

    def place_of(self, merchant: str, currency: int) -> int | None:
        """Return where the row of a merchant and a currency lies, None where there is none."""
        self._learn()
        return self._places.get((merchant, currency))

    def _learn(self) -> None:
        """Note the names of rows that are new; a row keeps its place."""
        rows, merchants = self._state["rows"][0], self._state["merchants"][0]
        for at in range(len(self._names), int(self._state["rows_used"][0])):
            name = words_text(merchants[int(rows[at]["merchant"])]["name"]), int(rows[at]["currency"])
            self._names.append(name)
            self._places[name] = at

    def table(self) -> ShareTable:
        """Return every row that has a daily limit, or of which shares have moved on this day."""
        now = int(self._state["now"][0])
        day = int(now // DAY_MS)
        instances = max(1, self._instances_on(day))
        rows = self._state["rows"][0][: int(self._state["rows_used"][0])]
        limits, is_moved = rows["daily"].copy(), rows["share_day"] == day
        at = np.flatnonzero((limits != NO_LIMIT) | is_moved)
        limit = np.maximum(limits[at], 0)
        given = np.where(is_moved[at], rows["given"][at], 0)
        taken = np.where(is_moved[at], rows["taken"][at], 0)
        spent = np.where(rows["day"][at] == day, rows["day_sum"][at], 0)
        part = limit // instances
        left = np.maximum(np.clip(part + taken - given, 0, limit) - spent, 0)
        return ShareTable(
            now, day, instances, at, limit, part, left, spent, given, taken, rows["short_at"][at]
        )
