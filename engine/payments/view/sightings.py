"""Sightings as the live state has them: what was noted for other instances, what rows hold, what is news.

A sighting is a row of four numbers, as SIGHTINGS has it: bucket of T, two words of what was seen, one of
the card. The state may be written meanwhile. So of what was noted only that is to be asked for which had been
noted at an earlier look; and a row that is another one a moment later is left out.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.payments.fleet_records import SIGHTED_MAX, SIGHTING_ROW_WORDS, Sighted
from engine.payments.kernels.rows import BUCKETS, DISTINCT_MAX
from engine.payments.kernels.windows import DAY_BUCKET_MS, HOUR_BUCKET_MS

Rows = npt.NDArray[np.int64]
NO_ROWS: Rows = np.zeros((0, SIGHTING_ROW_WORDS), np.int64)
UNDER_WAY_MAX = 8
"""Notes that a command may be writing while it is not known how many there are."""
PLACES = {
    Sighted.DEVICE: ("devices", "device_table", "device_bucket", int(DAY_BUCKET_MS)),
    Sighted.IP: ("ips", "ip_table", "ip_bucket", int(HOUR_BUCKET_MS)),
    Sighted.EMAIL: ("emails", "email_table", "email_bucket", int(DAY_BUCKET_MS)),
}
"""Where rows lie, how many there are, how they are found, and how long a bucket is, ms."""


class Held(NamedTuple):
    """Some of the rows of a table."""

    rows: Rows
    behind: int | None
    """Where the next ones begin; None where there are no more."""


class SightingsView:
    """The sightings of a state, an array of one STATE record, shared or private."""

    def __init__(self, state: Any) -> None:
        self._state = state

    @property
    def fingerprint(self) -> bytes:
        """Of the hash key: sightings of another one mean nothing here."""
        return bytes(self._state["fingerprint"][0].tobytes())

    @property
    def noted_count(self) -> int:
        """How many sightings were noted for other instances since the journal began."""
        return int(self._state["sighted_count"][0])

    def noted(self, begin: int, end: int) -> dict[Sighted, Rows] | None:
        """Return the notes from one number up to another; None where some of them were overwritten."""
        notes = self._state["sighted"][0][np.arange(begin, end) & (SIGHTED_MAX - 1)]
        if self.noted_count + UNDER_WAY_MAX - begin > SIGHTED_MAX:
            return None
        return {each: notes["row"][notes["kind"] == each] for each in Sighted}

    def held(self, kind: Sighted, begin: int, rows_max: int) -> Held:
        """Return what rows hold from one on, those of others too: as many as make `rows_max` sightings."""
        pool, table, _, bucket_ms = PLACES[kind]
        end = min(begin + rows_max, int(self._state[table]["used"][0]))
        first, again = (self._state[pool][0][begin:end].copy() for _ in range(2))
        bucket = int(self._state["now"][0]) // bucket_ms
        is_there = np.arange(DISTINCT_MAX) < first["count"][:, None]
        is_there &= bucket - first["seen"]["bucket"] < BUCKETS
        is_there &= (first == again)[:, None]
        count = max(1, int(np.searchsorted(is_there.sum(axis=1).cumsum(), rows_max, "right")))
        at, place = np.nonzero(is_there[:count])
        seen = first["seen"][at, place]
        rows = np.column_stack((seen["bucket"], first["key"][at], seen["card"])) if len(at) else NO_ROWS
        return Held(rows, begin + count if begin + count < end or end - begin == rows_max else None)

    def news(self, kind: Sighted, rows: Rows) -> Rows:
        """Return those of some rows that are in their window and that the state does not hold yet."""
        pool, _, buckets, bucket_ms = PLACES[kind]
        bucket = int(self._state["now"][0]) // bucket_ms
        rows = rows[bucket - rows[:, 0] < BUCKETS]
        if not len(rows):
            return rows
        table, first = self._state[pool][0], self._state[buckets][0]
        at = first[rows[:, 1] & (len(first) - 1)].astype(np.int64) - 1
        is_held = np.zeros(len(rows), np.bool_)
        open_ = np.flatnonzero(at >= 0)
        for _ in range(len(table)):  # along the chains, of all rows together
            if not len(open_):
                break
            key = table["key"][at[open_]]
            is_its = (key[:, 0] == rows[open_, 1]) & (key[:, 1] == rows[open_, 2])
            found = open_[is_its]
            is_held[found] = _is_seen(table[at[found]], rows[found], bucket)
            open_ = open_[~is_its]
            at[open_] = table["chain"][at[open_]].astype(np.int64) - 1
            open_ = open_[at[open_] >= 0]
        return rows[~is_held]


def _is_seen(table: Any, rows: Rows, bucket: int) -> npt.NDArray[np.bool_]:
    """Tell of each row whether the table's has its card in its bucket, or in a later one."""
    seen = table["seen"]
    is_card = (seen["card"] == rows[:, 3, None]) & (np.arange(DISTINCT_MAX) < table["count"][:, None])
    is_late = seen["bucket"] >= np.minimum(rows[:, 0], bucket)[:, None]
    held: npt.NDArray[np.bool_] = (is_card & is_late).any(axis=1)
    return held
