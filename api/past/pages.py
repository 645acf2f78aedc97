"""The past: pages of orders, fills and trades out of PostgreSQL, newest first.

Every page is one snapshot of the database, with `as_of_seq`, the last command that history holds:
it is never beyond what is durable, since only durable commands are projected. Lists are in order
of a number that only grows (order_id, fill_id, event_idx) and a cursor is the last one shown, so
what is projected between two pages can neither shift nor repeat anything. A time becomes such
a number by way of the table `moments`; the rows' own times decide the rest.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from api.problem import ApiProblem, unavailable
from engine.trading.records import Side

CONNECTIONS_MAX = 4
CONNECT_S_MAX = 2.0
QUERY_S_MAX = 3.0
FOLLOW_WAIT_S = 0.4
FOLLOW_PAUSE_S = 0.01
SETTINGS = {
    "application_name": "pinion api",
    "search_path": "pinion",
    "default_transaction_read_only": "on",
    "jit": "off",
    # A page is joined row by row: a plan that reads a whole table is never the better one.
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
OUTAGES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a database that is down, or goes down meanwhile, raises (the last: a query after its farewell)."""

FILL_PAGE = """
SELECT f.*, o.client_order_id, o.client_text, t.md_seq
FROM ({page}) f JOIN orders o USING (order_id) JOIN trades t ON t.event_idx = f.fill_id >> 1
ORDER BY f.fill_id DESC
"""

CLIENT_ORDER = """
SELECT * FROM orders WHERE account = $1 AND (client_order_id = ANY($2::bigint[]) OR client_text = $3)
ORDER BY client_order_id = ($2::bigint[])[1] DESC, order_id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The filter that narrows a list; None = all. Times in ns, begin included, end not."""

    accounts: Sequence[int] | None = None
    instrument_idx: int | None = None
    side: Side | None = None
    status: int | None = None
    begin: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as the database has them, and what they are complete up to."""

    as_of_seq: int
    rows: list[Any]


@dataclass(frozen=True, slots=True)
class _Key:
    """The key by which a list is ordered: its column, its time, and one step of `moments` in it."""

    column: str
    time: str
    of_moment: str


ORDER_KEY = _Key("order_id", "entered_at", "seq")
FILL_KEY = _Key("fill_id", "eng_ts", "2 * event_idx")
TRADE_KEY = _Key("event_idx", "eng_ts", "event_idx")


@dataclass(slots=True)
class _Where:
    """Conditions and their values."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, value: Any) -> None:
        """Add a condition whose `$?` is the value."""
        self.values.append(value)
        self.conditions.append(condition.replace("$?", f"${len(self.values)}"))

    def __str__(self) -> str:
        return " AND ".join(self.conditions) or "true"


class Past:
    """Reads of the projected database, through a few connections made when they are needed.

    complete_seq : tells up to which command the database lacks no event
    """

    def __init__(self, dsn: str, complete_seq: Callable[[], int]) -> None:
        self._dsn = dsn
        self._complete_seq = complete_seq
        self._pool: Any = None
        self._making_pool = asyncio.Lock()

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            self._pool.terminate()

    async def orders(self, wanted: Filter, before: int, limit: int) -> Page:
        """Return orders entered before order `before`."""
        return await self._page("SELECT * FROM orders WHERE {where}", ORDER_KEY, wanted, before, limit)

    async def fills(self, wanted: Filter, before: int, limit: int) -> Page:
        """Return fills before fill `before`, each with its order's client id."""
        return await self._page(
            "SELECT * FROM fills WHERE {where}", FILL_KEY, wanted, before, limit, around=FILL_PAGE
        )

    async def trades(self, wanted: Filter, before: int, limit: int) -> Page:
        """Return trades before event `before`."""
        return await self._page("SELECT * FROM trades WHERE {where}", TRADE_KEY, wanted, before, limit)

    async def order(self, order_id: int) -> Page:
        """Return one order, or no row."""
        async with self._snapshot() as (connection, as_of_seq):
            rows = await connection.fetch("SELECT * FROM orders WHERE order_id = $1", order_id)
        return Page(as_of_seq, rows)

    async def client_order(self, account: int, numbers: Sequence[int], text: bytes | None) -> Page:
        """Return the newest order of an account with one of these client ids or this text, or no row.

        The first number goes before the others. No index leads there: all orders of the account are read.
        """
        async with self._snapshot() as (connection, as_of_seq):
            rows = await connection.fetch(CLIENT_ORDER, account, list(numbers), text)
        return Page(as_of_seq, rows)

    async def until_followed(self, seq: int) -> None:
        """Wait a little until history lacks no event up to `seq`; where it still does, as_of_seq says so."""
        give_up = time.monotonic() + FOLLOW_WAIT_S
        while self._complete_seq() < seq:
            if time.monotonic() > give_up:
                return
            await asyncio.sleep(FOLLOW_PAUSE_S)

    async def _page(
        self, select: str, key: _Key, wanted: Filter, before: int, limit: int, around: str = "{page}"
    ) -> Page:
        async with self._snapshot() as (connection, as_of_seq):
            where = await self._where(connection, key, wanted, before)
            where.values.append(limit)
            newest = f"ORDER BY {key.column} DESC LIMIT ${len(where.values)}"
            query = f"{select.format(where=where)} {newest}"
            if wanted.accounts is not None:
                # Each account's newest by its own index; those of all are among them.
                where.values.append(list(wanted.accounts))
                own = select.format(where=f"account = a.number AND {where}")
                query = (
                    f"SELECT page.* FROM unnest(${len(where.values)}::bigint[]) a (number) "
                    f"CROSS JOIN LATERAL ({own} {newest}) page {newest}"
                )
            rows = await connection.fetch(around.format(page=query), *where.values)
        return Page(as_of_seq, rows)

    async def _where(self, connection: Any, key: _Key, wanted: Filter, before: int) -> _Where:
        where = _Where()
        where.add(f"{key.column} < $?", before)
        for column, value in (
            ("instrument", wanted.instrument_idx),
            ("status", wanted.status),
            ("is_sell", None if wanted.side is None else wanted.side is Side.SELL),
        ):
            if value is not None:
                where.add(f"{column} = $?", value)
        if wanted.begin is not None:
            earlier = "SELECT {} FROM moments WHERE eng_ts < $1 ORDER BY eng_ts DESC, seq DESC LIMIT 1"
            first = await connection.fetchval(earlier.format(key.of_moment), wanted.begin)
            where.add(f"{key.column} >= $?", first or 0)
            where.add(f"{key.time} >= $?", wanted.begin)
        if wanted.end is not None:
            later = "SELECT {} FROM moments WHERE eng_ts >= $1 ORDER BY eng_ts, seq LIMIT 1"
            last = await connection.fetchval(later.format(key.of_moment), wanted.end)
            if last is not None:
                where.add(f"{key.column} < $?", last)
            where.add(f"{key.time} < $?", wanted.end)
        return where

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[tuple[Any, int]]:
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
            async with self._making_pool:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(
                        self._dsn,
                        min_size=0,
                        max_size=CONNECTIONS_MAX,
                        timeout=CONNECT_S_MAX,
                        command_timeout=QUERY_S_MAX,
                        server_settings=SETTINGS,
                    )
            async with self._pool.acquire(timeout=QUERY_S_MAX) as connection:
                yield connection
        except (TimeoutError, asyncpg.QueryCanceledError):
            raise unavailable(
                "history_busy", "history took too long to answer: name an account, a symbol or a time"
            ) from None
        except (asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError):
            raise unavailable(
                "history_unavailable", "history was not written yet; trading goes on, ask again"
            ) from None
        except OUTAGES as error:
            raise unavailable(
                "history_unavailable",
                f"the database of history does not answer ({type(error).__name__}); trading goes on, "
                f"live orders are listed with ?status=open",
            ) from error


def no_history(what: str) -> ApiProblem:
    """Return the answer of an instance that keeps no history."""
    return unavailable(
        "no_history",
        f"{what} needs history, and this instance keeps none: no database is configured, or the "
        f'durability mode is "none"',
    )
