"""Pages of orders, fills, movements of money and trades of the past, in order of a number of theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.process.past import ListKey, Page, PastReads, Where
from engine.trading.records import Side

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


ORDER_KEY = ListKey("order_id", "entered_at", "seq")
MOVEMENT_ROWS = "(SELECT *, event_idx * 256 + currency AS movement_idx FROM deposits) changed"
"""A line of op `account` may pay in several currencies; of these there are 127 at most."""
MOVEMENT_KEY = ListKey("movement_idx", "eng_ts", "256 * event_idx")
LATCH_KEY = ListKey("event_idx", "eng_ts", "event_idx")
EQUITY_KEY = ListKey("seq", "eng_ts", "seq")
FILL_KEY = ListKey("fill_id", "eng_ts", "2 * event_idx")
TRADE_KEY = ListKey("event_idx", "eng_ts", "event_idx")


class Past(PastReads):
    """Orders, fills and trades of the projected database."""

    moment_time = "eng_ts"
    narrower = "an account, a symbol or a time"
    goes_on = "trading goes on"
    instead = ", live orders are listed with ?status=open"

    async def orders(self, wanted: Filter, before: int, limit: int) -> Page:
        """Return orders entered before order `before`."""
        return await self._page("SELECT * FROM orders WHERE {where}", ORDER_KEY, wanted, before, limit)

    async def fills(self, wanted: Filter, before: int, limit: int) -> Page:
        """Return fills before fill `before`, each with its order's client id."""
        return await self._page(
            "SELECT * FROM fills WHERE {where}", FILL_KEY, wanted, before, limit, around=FILL_PAGE
        )

    async def movements(self, wanted: Filter, before: int, limit: int) -> Page:
        """Return what movements of money did to accounts before movement `before`."""
        select = f"SELECT * FROM {MOVEMENT_ROWS} WHERE {{where}}"
        return await self._page(select, MOVEMENT_KEY, wanted, before, limit)

    async def latches(self, wanted: Filter, before: int, limit: int) -> Page:
        """Return what was latched, warned of or lifted before event `before`."""
        return await self._page("SELECT * FROM latches WHERE {where}", LATCH_KEY, wanted, before, limit)

    async def equity(self, wanted: Filter, before: int, limit: int) -> Page:
        """Return samples of equity before command `before`."""
        return await self._page("SELECT * FROM equity WHERE {where}", EQUITY_KEY, wanted, before, limit)

    async def trades(self, wanted: Filter, before: int, limit: int) -> Page:
        """Return trades before event `before`."""
        return await self._page("SELECT * FROM trades WHERE {where}", TRADE_KEY, wanted, before, limit)

    async def order(self, order_id: int) -> Page:
        """Return one order, or no row."""
        async with self.snapshot() as (connection, as_of_seq):
            rows = await connection.fetch("SELECT * FROM orders WHERE order_id = $1", order_id)
        return Page(as_of_seq, rows)

    async def client_order(self, account: int, numbers: Sequence[int], text: bytes | None) -> Page:
        """Return the newest order of an account with one of these client ids or this text, or no row.

        The first number goes before the others. No index leads there: all orders of the account are read.
        """
        async with self.snapshot() as (connection, as_of_seq):
            rows = await connection.fetch(CLIENT_ORDER, account, list(numbers), text)
        return Page(as_of_seq, rows)

    async def _page(
        self, select: str, key: ListKey, wanted: Filter, before: int, limit: int, around: str = "{page}"
    ) -> Page:
        async with self.snapshot() as (connection, as_of_seq):
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

    async def _where(self, connection: Any, key: ListKey, wanted: Filter, before: int) -> Where:
        where = Where()
        where.add(f"{key.column} < $?", before)
        for column, value in (
            ("instrument", wanted.instrument_idx),
            ("status", wanted.status),
            ("is_sell", None if wanted.side is None else wanted.side is Side.SELL),
        ):
            if value is not None:
                where.add(f"{column} = $?", value)
        await self.add_times(connection, where, key, wanted.begin, wanted.end)
        return where
