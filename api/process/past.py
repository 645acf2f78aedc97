"""The past: pages out of PostgreSQL, newest first.

Every page is one snapshot of the database, with `as_of_seq`, the last command that history holds:
it is never beyond what is durable, since only durable commands are projected. Lists are in order
of a number that only grows and a cursor is the last one shown, so what is projected between two
pages can neither shift nor repeat anything. A time becomes such a number by way of the table
`moments`; the rows' own times decide the rest.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import asyncpg

from api.process.problem import ApiProblem, unavailable
from gateways.process.read_only_pool import OUTAGES, ReadOnlyPool

CONNECTIONS_MAX = 4
CONNECT_S_MAX = 2.0
QUERY_S_MAX = 3.0
FOLLOW_WAIT_S = 0.4
FOLLOW_PAUSE_S = 0.01
SETTINGS = {
    # A page is joined row by row: a plan that reads a whole table is never the better one.
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as the database has them, and what they are complete up to."""

    as_of_seq: int
    rows: list[Any]


@dataclass(frozen=True, slots=True)
class ListKey:
    """The key by which a list is ordered: its column, its time, and one step of `moments` in it."""

    column: str
    time: str
    of_moment: str


@dataclass(slots=True)
class Where:
    """Conditions and their values."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, value: Any) -> None:
        """Add a condition whose `$?` is the value."""
        self.values.append(value)
        self.conditions.append(condition.replace("$?", f"${len(self.values)}"))

    def __str__(self) -> str:
        return " AND ".join(self.conditions) or "true"


class PastReads:
    """Reads of the projected database, through a few connections made when they are needed.

    complete_seq : tells up to which command the database lacks no event
    """

    moment_time: ClassVar[str]
    """The column of `moments` that has the time."""
    narrower: ClassVar[str]
    """What a caller names so that an answer takes less time."""
    goes_on: ClassVar[str]
    """What does not wait for the database."""
    instead: ClassVar[str] = ""
    """What else can be asked while the database is down."""

    def __init__(self, dsn: str, complete_seq: Callable[[], int]) -> None:
        self._complete_seq = complete_seq
        self._pool = ReadOnlyPool(
            dsn,
            "pinion api",
            connections_max=CONNECTIONS_MAX,
            connect_s_max=CONNECT_S_MAX,
            query_s_max=QUERY_S_MAX,
            settings=SETTINGS,
        )

    async def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    async def until_followed(self, seq: int) -> None:
        """Wait a little until history lacks no event up to `seq`; where it still does, as_of_seq says so."""
        give_up = time.monotonic() + FOLLOW_WAIT_S
        while self._complete_seq() < seq:
            if time.monotonic() > give_up:
                return
            await asyncio.sleep(FOLLOW_PAUSE_S)

    async def add_times(
        self, connection: Any, where: Where, key: ListKey, begin: int | None, end: int | None
    ) -> None:
        """Add the conditions of a time, begin included, end not."""
        moment, time_column = key.of_moment, self.moment_time
        if begin is not None:
            first = await connection.fetchval(
                f"SELECT {moment} FROM moments WHERE {time_column} < $1 "
                f"ORDER BY {time_column} DESC, seq DESC LIMIT 1",
                begin,
            )
            where.add(f"{key.column} >= $?", first or 0)
            where.add(f"{key.time} >= $?", begin)
        if end is not None:
            last = await connection.fetchval(
                f"SELECT {moment} FROM moments WHERE {time_column} >= $1 ORDER BY {time_column}, seq LIMIT 1",
                end,
            )
            if last is not None:
                where.add(f"{key.column} < $?", last)
            where.add(f"{key.time} < $?", end)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[tuple[Any, int]]:
        """Give a connection that sees one moment, and the seq of it."""
        async with (
            self._connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection, await connection.fetchval("SELECT seq FROM mark")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """Give a connection; whatever goes wrong with the database becomes an ApiProblem."""
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (TimeoutError, asyncpg.QueryCanceledError):
            raise unavailable(
                "history_busy", f"history took too long to answer: name {self.narrower}"
            ) from None
        except (asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError):
            raise unavailable(
                "history_unavailable", f"history was not written yet; {self.goes_on}, ask again"
            ) from None
        except OUTAGES as error:
            raise unavailable(
                "history_unavailable",
                f"the database of history does not answer ({type(error).__name__}); {self.goes_on}"
                f"{self.instead}",
            ) from error


def no_history(what: str) -> ApiProblem:
    """Return the answer of an instance that keeps no history."""
    return unavailable(
        "no_history",
        f"{what} needs history, and this instance keeps none: no database is configured, or the "
        f'durability mode is "none"',
    )
