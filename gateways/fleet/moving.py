"""A round of moving shares: what is wanted is told and taken in the store, what is left over is given.

    state -> what is left -> EXCHANGE in the store -> taken ──► SHARES in the journal
                                  what others want -> given ──► SHARES in the journal -> EXCHANGE

What the store is told of this instance stands in the journal already, and is durable: the caller begins a
round only once all that it has sent to the engine is answered. So a death between two of these steps
leaves a sum in one place that the other does not have yet, and the next round brings it there.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from engine.payments.command_words import MERCHANT_WORDS
from engine.payments.fleet_records import SHARE_ROW_WORDS, SHARE_ROWS_MAX, ShareMove
from engine.payments.records import COMMAND, COMMAND_VERSION, Op
from engine.payments.texts import text_words
from engine.payments.view.shares import SharesView, ShareTable
from gateways.fleet.levelling import MOVED_MAX, to_give, wants_more
from gateways.fleet.link import Call, StoreDownError
from gateways.fleet.scripts.shares import EXCHANGE, GREET, Standing, Welcome, greeting_of, standing_of

log = logging.getLogger("pinion.doors")

ROWS_MAX = 256
"""Rows of one round; those that are left come with the next ones."""
BUSY_S = 1.0
SHORT_MS = 1_500
"""So long ago somebody paid at most, or was refused, where it counts as busy."""


ROW_NAME = re.compile(r"(?P<currency>[0-9]{1,3}):(?P<merchant>[A-Za-z0-9._:-]{1,24})")
Read = TypeVar("Read")


class Store(Protocol):
    """The part of a StoreLink that a round uses."""

    @property
    def run_id(self) -> str: ...
    async def connect(self) -> None: ...
    async def ask(self, calls: Sequence[Call]) -> list[Any]: ...


class OwnRow(NamedTuple):
    """How a row stands here; one that has no limit here has nothing to give."""

    name: str
    """As the store has it."""
    merchant: str
    currency: int
    limit: int = 0
    part: int = 0
    left: int = 0
    given: int = 0
    taken: int = 0
    is_busy: bool = False
    is_here: bool = False

    @property
    def wants(self) -> bool:
        """Whether more is wanted here."""
        return self.taken < MOVED_MAX and wants_more(self.left, self.part, self.is_busy)


class Activity:
    """Where somebody pays: the rows whose sum of the day has changed not long ago."""

    def __init__(self) -> None:
        self._spent = np.zeros(0, np.int64)
        self._changed_at = np.zeros(0)

    def busy(self, table: ShareTable, now: float) -> set[int]:
        """Return which rows of a table are busy, by their places in it; now : seconds, never back."""
        more = int(table.at.max(initial=-1)) + 1 - len(self._spent)
        if more > 0:
            self._spent = np.append(self._spent, np.zeros(more, np.int64))
            self._changed_at = np.append(self._changed_at, np.full(more, -np.inf))
        is_changed = self._spent[table.at] != table.spent
        self._changed_at[table.at[is_changed]] = now
        self._spent[table.at] = table.spent
        is_busy = (now - self._changed_at[table.at] < BUSY_S) | (table.now - table.short_at < SHORT_MS)
        return set(np.flatnonzero(is_busy).tolist())


class Mover:
    """Moves shares of one instance.

    tell : sends SHARES commands to the engine and returns once they are durable
    count : told of how much was given and taken
    outside : told whether the fleet has no place for this instance
    owner, journal : see identity.py
    """

    def __init__(
        self,
        *,
        view: SharesView,
        store: Store,
        tell: Callable[[Sequence[Any]], Awaitable[None]],
        count: Callable[[str], None],
        now: Callable[[], float],
        fleet: str,
        instance: str,
        owner: str,
        journal: str,
        outside: Callable[[bool], None],
    ) -> None:
        self._view = view
        self._store = store
        self._tell = tell
        self._count = count
        self._now = now
        self._fleet = fleet
        self._instance = instance
        self._owner = owner
        self._journal = journal
        self._outside = outside
        self._activity = Activity()
        self._strangers = 0

    async def round(self, is_whole: Callable[[], bool]) -> bool:
        """Move what is to be moved; tell whether there is more to do at once. Raises StoreDownError.

        is_whole : tells whether the state was no other one than now since the caller has looked
        """
        await self._store.connect()
        table = self._view.table()
        if not is_whole():
            return False
        wanted = await self._greet(table)
        rows = self._rows(table, wanted)
        answers = await self._store.ask([self._exchange(table, row) for row in rows]) if rows else []
        standings = [read_answer(standing_of, each) for each in answers]
        have = [
            (row, max(row.given, each.given), max(row.taken, each.taken))
            for row, each in zip(rows, standings, strict=True)
            if row.is_here and (each.given > row.given or each.taken > row.taken)
        ]
        gives = [
            (row, row.given + more, row.taken)
            for row, each in zip(rows, standings, strict=True)
            if (more := self._more(row, each, table.instances)) > 0
        ]
        commands = [
            *commands_of(ShareMove.HAVE, table.day, have),
            *commands_of(ShareMove.GIVE, table.day, gives),
        ]
        if commands:
            await self._tell(commands)
        for name, moved in (("taken", have), ("given", gives)):
            for _ in moved:
                self._count(name)
        return bool(commands)

    async def _greet(self, table: ShareTable) -> tuple[str, ...]:
        """Return the rows of which somebody wants more; StoreDownError where we are not of the fleet."""
        keys = self._key("members"), self._key(f"{table.day}:wants"), self._key(f"{table.day}:owners")
        who = self._instance, self._owner, self._view.fingerprint.hex(), self._journal, table.instances
        (answer,) = await self._store.ask([(GREET, keys, who)])
        greeting = read_answer(greeting_of, answer)
        self._outside(greeting.welcome != Welcome.IN)
        if greeting.welcome == Welcome.NAME_TAKEN:
            raise StoreDownError(
                f"another data folder is instance {self._instance!r} of fleet {self._fleet!r}: give each its "
                f"own payments.instance"
            )
        if greeting.welcome == Welcome.NO_SHARE_LEFT:
            raise StoreDownError(
                f"the {table.instances} shares of fleet {self._fleet!r} are other journals' until this "
                f"day ends (UTC): start instance {self._instance!r} with the data folder of the one whose "
                f"place it takes, or set payments.fleet.instances the day before one more is started"
            )
        if greeting.members > table.instances:
            raise StoreDownError(
                f"fleet {self._fleet!r} has {greeting.members} instances, payments.fleet.instances = "
                f"{table.instances} today: set it on all of them the day before one more is started"
            )
        if greeting.strangers and greeting.strangers != self._strangers:
            log.warning(
                "%d of fleet %r have another payments.hash_key_file: cards are not counted together with "
                "them, nor sets of rules shared; give all instances the same",
                greeting.strangers,
                self._fleet,
            )
        self._strangers = greeting.strangers
        return greeting.wanted

    def _rows(self, table: ShareTable, wanted: Sequence[str]) -> list[OwnRow]:
        """Return what is to be told: the rows of which we, or others, want more."""
        busy = self._activity.busy(table, self._now())
        places = {int(at): place for place, at in enumerate(table.at.tolist())}
        found: dict[str, OwnRow] = {}
        for idx in sorted(busy):
            row = self._own(table, idx, is_busy=True)
            if row.wants:
                found[row.name] = row
        for name in wanted:
            spelt = ROW_NAME.fullmatch(name)
            if name in found or spelt is None:
                continue
            merchant, currency = spelt["merchant"], int(spelt["currency"])
            at = self._view.place_of(merchant, currency)
            place = None if at is None else places.get(at)
            if place is None:
                found[name] = OwnRow(name, merchant, currency)
            else:
                found[name] = self._own(table, place, is_busy=place in busy)
        return list(found.values())[:ROWS_MAX]

    def _own(self, table: ShareTable, place: int, *, is_busy: bool) -> OwnRow:
        merchant, currency = self._view.name_of(int(table.at[place]))
        return OwnRow(
            name=f"{currency}:{merchant}",
            merchant=merchant,
            currency=currency,
            limit=int(table.limit[place]),
            part=int(table.part[place]),
            left=int(table.left[place]),
            given=int(table.given[place]),
            taken=int(table.taken[place]),
            is_busy=is_busy,
            is_here=True,
        )

    def _exchange(self, table: ShareTable, row: OwnRow) -> Call:
        keys = self._key(f"{table.day}:row:{row.name}"), self._key(f"{table.day}:wants")
        left = min(row.left, MOVED_MAX)
        sums = table.instances, row.given, row.taken, left, int(row.wants)
        return EXCHANGE, keys, (self._instance, *sums, row.name)

    def _more(self, row: OwnRow, standing: Standing, instances: int) -> int:
        """Return how much more of a row to give."""
        others = standing.wanting, standing.left_of_wanting
        more = to_give(row.left, row.limit, instances, row.is_busy, *others)
        return min(more, MOVED_MAX - row.given)

    def _key(self, name: str) -> str:
        """Return a key of the store: of another run nothing is believed, whatever it was started with."""
        return f"pinion:{{{self._fleet}}}:{self._store.run_id}:{name}"


def commands_of(move: ShareMove, day: int, rows: Sequence[tuple[OwnRow, int, int]]) -> list[Any]:
    """Return the SHARES commands that say of each row what is given and taken."""
    parts = [rows[begin : begin + SHARE_ROWS_MAX] for begin in range(0, len(rows), SHARE_ROWS_MAX)]
    return [shares_command(move, day, part) for part in parts]


def shares_command(move: ShareMove, day: int, rows: Sequence[tuple[OwnRow, int, int]]) -> Any:
    """Return one SHARES command; of no rows it changes nothing."""
    command = np.zeros((), COMMAND)
    command["op"], command["version"], command["kind"] = Op.SHARES, COMMAND_VERSION, move
    command["amount"], command["payment"] = day, len(rows)
    for place, (row, given, taken) in enumerate(rows):
        at = place * SHARE_ROW_WORDS
        words = (*text_words(row.merchant, MERCHANT_WORDS), row.currency, given, taken)
        command["words"][at : at + SHARE_ROW_WORDS] = words
    return command


def read_answer(read: Callable[[Any], Read], answer: Any) -> Read:
    """Return what an answer of the store says by `read`; StoreDownError where it is none that we know."""
    try:
        return read(answer)
    except (TypeError, ValueError, IndexError) as error:
        raise StoreDownError(f"it answers what a store of ours would not: {error}") from error
