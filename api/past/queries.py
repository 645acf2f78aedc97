"""Lists out of history: parameters in, one page of orders, fills or trades out."""

from collections.abc import Sequence

from aiohttp import web

from api.live import LiveSource
from api.parameters import known_instrument, query_side, query_status
from api.past.documents import past_equity, past_fill, past_latch, past_movement, past_order, past_trade
from api.past.pages import Filter, Past
from api.process.documents import Document
from api.process.parameters import (
    INT64_MAX,
    PAGE,
    PAGE_MAX,
    query_cursor,
    query_limit,
    query_time,
)
from api.process.past import Page

COMMON = ("symbol", "from", "to", "limit", "cursor")
"""Parameters of every list."""


class PastQueries:
    """Answers out of the past, as documents that callers read."""

    def __init__(self, past: Past, source: LiveSource) -> None:
        self._past = past
        self._source = source

    async def orders(self, request: web.Request, accounts: Sequence[int] | None) -> Document:
        """Page through orders, live and ended, newest first."""
        limit = query_limit(request, PAGE, PAGE_MAX)
        page = await self._past.orders(*await self._asked(request, accounts), limit)
        orders = [past_order(self._source.view.catalogue, row) for row in page.rows]
        return await self._answer("orders", orders, page, limit, "order_id")

    async def order(self, order_id: int) -> Document | None:
        """Return one order, None where there is none."""
        await self._past.until_followed(self._source.durable_seq())
        return await self._one(await self._past.order(order_id))

    async def client_order(self, account: int, numbers: Sequence[int], text: bytes | None) -> Document | None:
        """Return the newest order of an account by its client id, None where there is none."""
        return await self._one(await self._past.client_order(account, numbers, text))

    async def _one(self, page: Page) -> Document | None:
        await self._source.until_durable(page.as_of_seq)
        if not page.rows:
            return None
        return past_order(self._source.view.catalogue, page.rows[0]) | {"as_of_seq": page.as_of_seq}

    async def fills(self, request: web.Request, account: int) -> Document:
        """Page through the fills of an account, newest first."""
        limit = query_limit(request, PAGE, PAGE_MAX)
        page = await self._past.fills(*await self._asked(request, (account,)), limit)
        fills = [past_fill(self._source.view.catalogue, row) for row in page.rows]
        answer = await self._answer("fills", fills, page, limit, "fill_id")
        return {"account": account, "epoch": self._source.epoch, **answer, "complete_after_seq": 0}

    async def movements(self, request: web.Request, account: int) -> Document:
        """Page through the movements of money of an account, newest first."""
        limit = query_limit(request, PAGE, PAGE_MAX)
        page = await self._past.movements(*await self._asked(request, (account,)), limit)
        movements = [past_movement(self._source.view.catalogue, row) for row in page.rows]
        answer = await self._answer("movements", movements, page, limit, "movement_idx")
        return {"account": account, **answer}

    async def equity(self, request: web.Request, account: int) -> Document:
        """Page through the samples of an account's equity, newest first."""
        limit = query_limit(request, PAGE, PAGE_MAX)
        page = await self._past.equity(*await self._asked(request, (account,)), limit)
        samples = [past_equity(self._source.view.catalogue, row) for row in page.rows]
        return {"account": account, **await self._answer("equity", samples, page, limit, "seq")}

    async def latches(self, request: web.Request, accounts: Sequence[int] | None) -> Document:
        """Page through what limits and kills latched, newest first."""
        limit = query_limit(request, PAGE, PAGE_MAX)
        page = await self._past.latches(*await self._asked(request, accounts), limit)
        latches = [past_latch(self._source.view.catalogue, row) for row in page.rows]
        return await self._answer("latches", latches, page, limit, "event_idx")

    async def trades(self, request: web.Request) -> Document:
        """Page through the trades of all instruments, or of one, newest first."""
        limit = query_limit(request, PAGE, PAGE_MAX)
        page = await self._past.trades(*await self._asked(request, None), limit)
        trades = [past_trade(self._source.view.catalogue, row) for row in page.rows]
        return await self._answer("trades", trades, page, limit, "event_idx")

    async def _asked(self, request: web.Request, accounts: Sequence[int] | None) -> tuple[Filter, int]:
        """Return the filter and where the page begins; a first page waits for what just happened."""
        symbol = request.query.get("symbol")
        instrument = None if symbol is None else known_instrument(self._source.view, symbol)
        wanted = Filter(
            accounts=accounts,
            instrument_idx=None if instrument is None else instrument.instrument_idx,
            side=query_side(request),
            status=query_status(request),
            begin=query_time(request, "from"),
            end=query_time(request, "to"),
        )
        before = query_cursor(request, INT64_MAX)
        if before == INT64_MAX and wanted.end is None:
            await self._past.until_followed(self._source.durable_seq())
        return wanted, before

    async def _answer(self, name: str, rows: list[Document], page: Page, limit: int, key: str) -> Document:
        await self._source.until_durable(page.as_of_seq)
        next_cursor = str(page.rows[-1][key]) if len(rows) == limit else None
        return {name: rows, "next_cursor": next_cursor, "as_of_seq": page.as_of_seq}
