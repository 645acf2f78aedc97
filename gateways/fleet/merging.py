"""A round of merging counts: what was seen here goes to the store, what others have seen into the journal.

    state -> what was noted -> MERGE in the store -> what is news ──► SIGHTINGS in the journal

Everything may be said again: a sighting that is known changes nothing, in the store and in the engine. So
nothing is kept here but how far this process is. A store that has lost something, and a process that does not
know what it had said, begins anew: with all that the rows hold, those of other instances too.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np

from engine.payments.fleet_records import SIGHTING_ROW_WORDS, SIGHTING_ROWS_MAX, Sighted
from engine.payments.records import COMMAND, COMMAND_VERSION, Op
from engine.payments.view.sightings import NO_ROWS, Rows, SightingsView
from gateways.fleet.link import Call
from gateways.fleet.moving import Store, read_answer
from gateways.fleet.scripts.sightings import KEPT_MS, MERGE, Merge, members_of, merge_of

ROUND_MAX = 448
"""So many sightings are read in a round, and so many noted ones added, and so many held ones of each kind."""


class SightingPlace:
    """How far a process is with the sightings of one kind."""

    def __init__(self) -> None:
        self.born, self.since = b"", 0
        self.sweep: int | None = 0
        """The row of the table from which on is to be said what they hold; None: all was said."""
        self.behind: int | None = None


class Merger:
    """Merges the counts of one instance with those of others.

    tell : sends SIGHTINGS commands to the engine and returns once they are durable
    count : told of what was published and what was merged
    """

    def __init__(
        self,
        *,
        view: SightingsView,
        store: Store,
        tell: Callable[[Sequence[Any]], Awaitable[None]],
        count: Callable[[str, int], None],
        fleet: str,
    ) -> None:
        self._view = view
        self._store = store
        self._tell = tell
        self._count = count
        self._fleet = fleet
        self._turn, self._run_id = -1, ""
        self._position = self._noted = 0
        """Up to where what was noted is in the store; how much there was at the last look."""
        self._places = {each: SightingPlace() for each in Sighted}

    async def round(self, turn: int, is_whole: Callable[[], bool]) -> bool:
        """Merge what there is; tell whether there is more to do at once. Raises StoreDownError.

        turn : of the state; is_whole : tells whether the state was no other one than now since then
        """
        await self._store.connect()
        if (turn, self._store.run_id) != (self._turn, self._run_id):
            self._begin_anew(turn)
        end = min(self._noted, self._position + ROUND_MAX)
        self._noted = self._view.noted_count
        notes = self._view.noted(self._position, end)
        if notes is None:
            self._begin_anew(turn)
            return True
        rows = {each: np.vstack((notes[each], self._swept(each))) for each in Sighted}
        if not is_whole():
            return False
        answers = await self._store.ask([self._call(each, rows[each]) for each in Sighted])
        merges = [read_answer(merge_of, each) for each in answers]
        news = {each: self._view.news(each, merge.rows) for each, merge in zip(Sighted, merges, strict=True)}
        commands = [command for each in Sighted for command in sighting_commands(each, news[each])]
        if commands:
            await self._tell(commands)
        is_more = [self._go_on(each, merge) for each, merge in zip(Sighted, merges, strict=True)]
        if all(each.is_taken for each in merges):
            self._position = end
        self._count("published", sum(map(len, rows.values())))
        self._count("merged", sum(map(len, news.values())))
        return any(is_more) or end < self._noted - ROUND_MAX

    def _begin_anew(self, turn: int) -> None:
        """Begin with all that the rows hold."""
        self._turn, self._run_id = turn, self._store.run_id
        self._position = self._noted = self._view.noted_count
        self._places = {each: SightingPlace() for each in Sighted}

    def _swept(self, kind: Sighted) -> Rows:
        """Return the next of what the rows of a table hold, where that is to be said."""
        place = self._places[kind]
        if place.sweep is None:
            return NO_ROWS
        held = self._view.held(kind, place.sweep, ROUND_MAX)
        place.behind = held.behind
        return held.rows

    def _call(self, kind: Sighted, rows: Rows) -> Call:
        place = self._places[kind]
        name = f"{self._view.fingerprint.hex()}:{kind.name.lower()}"
        key = f"pinion:{{{self._fleet}}}:{self._store.run_id}:seen:{name}"
        numbers = place.since, KEPT_MS[kind], ROUND_MAX
        return MERGE, (key, f"{key}:born"), (place.born, *numbers, *members_of(rows))

    def _go_on(self, kind: Sighted, merge: Merge) -> bool:
        """Note how far this process is; tell whether there is more to say or to read."""
        place = self._places[kind]
        if merge.is_taken and place.sweep is not None:
            place.sweep = place.behind
        if merge.born != place.born:
            is_first = place.born == b""
            place.born = merge.born
            place.sweep = place.sweep if is_first else 0
        place.since = merge.since
        return place.sweep is not None or not merge.is_taken


def sighting_commands(kind: Sighted, rows: Rows) -> list[Any]:
    """Return the SIGHTINGS commands that say of each row what was seen."""
    parts = [rows[begin : begin + SIGHTING_ROWS_MAX] for begin in range(0, len(rows), SIGHTING_ROWS_MAX)]
    return [_sightings_command(kind, each) for each in parts]


def _sightings_command(kind: Sighted, rows: Rows) -> Any:
    command = np.zeros((), COMMAND)
    command["op"], command["version"], command["kind"] = Op.SIGHTINGS, COMMAND_VERSION, kind
    command["payment"] = len(rows)
    command["words"][: len(rows) * SIGHTING_ROW_WORDS] = rows.ravel()
    return command
