"""Lists out of history over HTTP, from a real database: filters, pages, permissions, outages."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from api.live import LiveSource
from api.past.pages import Past
from api.process.access import Access
from api.process.callers import caller_middleware
from api.process.problem import problem_middleware
from api.queries.routes import Queries
from api.streams.hub import Hub
from engine.runtime.history.tables import History
from engine.settings.config import Key
from engine.trading.history.projection import TradingProjection
from engine.trading.records import Role
from engine.trading.view.live_view import LiveView
from tests.engine.runtime.history.story import MemoryReplica, Story
from tests.engine.runtime.history.tables import project, rows_of
from tests.postgres import dsn, new_database, postgres, private_server

__all__ = ["dsn", "postgres"]

EVERY = {"Authorization": "Bearer every-account-key"}
ONE = {"Authorization": "Bearer key-of-account-one"}
KEYS = (
    Key(name="every", token="every-account-key", roles=Role.ALL, accounts=None),
    Key(name="one", token="key-of-account-one", roles=Role.VIEWER, accounts=(1,)),
)


class Api:
    """The query routes over a state that a story led to."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def get(self, path: str, headers: dict[str, str] = EVERY) -> tuple[int, Any]:
        async with self.client.get(path, headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def pages(self, path: str, name: str, limit: int = 7) -> list[dict[str, Any]]:
        """Return the rows of all pages."""
        rows, cursor = [], ""
        while True:
            joint = "&" if "?" in path else "?"
            status, page = await self.get(f"{path}{joint}limit={limit}{cursor}")
            assert status == 200, page
            rows += page[name]
            if page["next_cursor"] is None:
                return rows
            cursor = f"&cursor={page['next_cursor']}"


async def serving(story: Story, dsn: str | None, seq: int | None = None) -> TestClient[Any, Any]:
    replica = MemoryReplica()
    replica.apply(story.entries[:seq])
    source = LiveSource(LiveView(replica.state), lambda: replica.seq, 1)
    past = Past(dsn, lambda: replica.seq) if dsn else None
    app = web.Application(middlewares=[problem_middleware, caller_middleware(Access(KEYS))])
    app.add_routes(Queries(Hub(source), None, past).routes())  # type: ignore[arg-type]  # not asked for

    async def close(_: web.Application) -> None:
        if past:
            await past.close()

    app.on_cleanup.append(close)
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(seed=18, count=3000)


@pytest.fixture(scope="module")
def filled(postgres: Any, story: Story) -> str:
    """A database with the whole story."""
    made = asyncio.run(new_database(postgres.dsn))
    asyncio.run(project(made, story.entries, (1000, 2000)))
    return made


@pytest.fixture
async def api(filled: str, story: Story) -> AsyncIterator[Api]:
    client = await serving(story, filled)
    yield Api(client)
    await client.close()


@pytest.fixture
async def bare(story: Story) -> AsyncIterator[Api]:
    """The same without a database."""
    client = await serving(story, None)
    yield Api(client)
    await client.close()


async def test_all_orders_are_listed_newest_first(api: Api, story: Story) -> None:
    orders = await api.pages("/v1/orders", "orders", limit=101)

    assert [order["order_id"] for order in orders] == sorted(story.orders, reverse=True)
    statuses = {"open": 1, "filled": 2, "cancelled": 3}
    assert {
        each["order_id"]: (each["account"], each["symbol"], statuses[each["status"]]) for each in orders
    } == {order_id: (order[0], order[1], order[-1]) for order_id, order in story.orders.items()}


async def test_filters_narrow_a_list_together(api: Api, story: Story) -> None:
    orders = await api.pages("/v1/orders?account=2&symbol=XYZ&status=filled&side=sell", "orders")

    wanted = [
        order_id for order_id, (account, symbol, is_sell, *_, status) in story.orders.items()
        if (account, symbol, is_sell, status) == (2, "XYZ", True, 2)
    ]  # fmt: skip
    assert len(wanted) > 7
    assert [order["order_id"] for order in orders] == sorted(wanted, reverse=True)


async def test_a_time_range_holds_its_beginning_and_not_its_end(api: Api, story: Story) -> None:
    times = sorted({trade[1] for trade in story.trades})
    begin, end = times[len(times) // 4], times[3 * len(times) // 4]

    trades = await api.pages(f"/v1/trades?from={begin}&to={end}", "trades")
    fills = await api.pages(f"/v1/fills?account=3&from={begin}&to={end}", "fills")

    within = [trade for trade in story.trades if begin <= trade[1] < end]
    assert 0 < len(within) < len(story.trades)
    assert [trade["seq"] for trade in trades] == [trade[0] for trade in reversed(within)]
    assert len(fills) == sum((trade[7] == 3) + (trade[8] == 3) for trade in within)


async def test_orders_entered_in_a_time_range(api: Api, story: Story) -> None:
    entered = {order_id: int(story.entries["eng_ts"][order_id - 1]) for order_id in story.orders}
    times = sorted(set(entered.values()))
    begin, end = times[len(times) // 3], times[len(times) // 2]

    orders = await api.pages(f"/v1/orders?from={begin}&to={end}", "orders", limit=50)

    wanted = [order_id for order_id, at in entered.items() if begin <= at < end]
    assert wanted
    assert [order["order_id"] for order in orders] == sorted(wanted, reverse=True)


async def test_fills_of_an_account_are_all_there_once(api: Api, story: Story) -> None:
    fills = await api.pages("/v1/fills?account=1", "fills")

    expected = []
    for seq, _, _, _, _, taker, maker, taker_account, maker_account, *_ in story.trades:
        expected += [(seq, taker, "taker")] if taker_account == 1 else []
        expected += [(seq, maker, "maker")] if maker_account == 1 else []
    assert [(fill["seq"], fill["order_id"], fill["liquidity"]) for fill in fills] == expected[::-1]


async def test_trades_name_nobody(api: Api) -> None:
    status, page = await api.get("/v1/trades?symbol=XYZ&limit=3", ONE)

    assert status == 200
    assert {trade["symbol"] for trade in page["trades"]} == {"XYZ"}
    assert set(page["trades"][0]) == {
        *("id", "seq", "eng_ts", "md_seq", "symbol", "price", "quantity", "aggressor_side"),
    }


async def test_paging_neither_skips_nor_repeats_while_history_grows(dsn: str, story: Story) -> None:
    await project(dsn, story.entries[:1000], ())
    projection, replica = TradingProjection(), MemoryReplica()
    replica.apply(story.entries[:1000])
    projection.open(replica.state)
    client = await serving(story, dsn)
    api, found, cursor = Api(client), [], ""
    try:
        async with await History.connect(dsn) as history:
            await history.migrate(projection.migrations, projection.session)
            for first in range(1000, len(story.entries), 50):
                status, page = await api.get(f"/v1/trades?limit=5{cursor}")
                assert status == 200
                assert page["as_of_seq"] == first
                found += [trade["seq"] for trade in page["trades"]]
                cursor = f"&cursor={page['next_cursor']}"
                if page["next_cursor"] is None:
                    break
                part = story.entries[first : first + 50]
                await history.project(projection.batch(part, replica.apply(part), replica.state), b"")
    finally:
        await client.close()

    before = [trade[0] for trade in story.trades if trade[0] <= 1000]
    assert len(before) > 50
    assert found == before[::-1]


async def test_a_key_sees_its_own_orders_only(api: Api, story: Story) -> None:
    status, page = await api.get("/v1/orders?limit=1000", ONE)
    foreign, _ = await api.get("/v1/orders?account=2", ONE)

    assert status == 200
    assert [order["order_id"] for order in page["orders"]] == sorted(
        (order_id for order_id, order in story.orders.items() if order[0] == 1), reverse=True
    )
    assert foreign == 403


async def test_an_ended_order_is_found_by_its_id(api: Api, story: Story) -> None:
    ended = next(order_id for order_id, order in story.orders.items() if order[0] == 2 and order[-1] == 2)

    status, order = await api.get(f"/v1/orders/{ended}")
    hidden, _ = await api.get(f"/v1/orders/{ended}", ONE)

    assert (status, order["status"], order["leaves_quantity"]) == (200, "filled", "0")
    assert hidden == 404


async def test_open_orders_are_live(api: Api, bare: Api) -> None:
    live = await api.pages("/v1/orders?status=open", "orders")

    assert live == await bare.pages("/v1/orders", "orders")
    assert live == await bare.pages("/v1/orders?status=open", "orders")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/trades",
        "/v1/orders?status=filled",
        f"/v1/orders?from={10**18}",
        f"/v1/fills?account=1&to={10**18}",
    ],
)
async def test_without_history_what_needs_it_says_so(bare: Api, path: str) -> None:
    status, problem = await bare.get(path)

    assert (status, problem["reason"]) == (503, "no_history")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/orders?status=done", "status"),
        ("/v1/trades?from=yesterday", "from"),
        ("/v1/trades?to=2026-01-31T12:00:00", "to"),
        ("/v1/trades?cursor=x", "cursor"),
        ("/v1/trades?acount=1", "acount"),
        ("/v1/trades?symbol=", "symbol"),
        ("/v1/fills?account=1&side=buy&side=sell", "side"),
        (f"/v1/orders?status=open&from={10**18}", "from"),
        ("/v1/trades?to=2026-01-31T12:00:00+00:00", "to"),  # a plus that is not escaped is a blank
        ("/v1/trades?to=2026-W05-6T12:00:00Z", "to"),
        ("/v1/trades?to=20260131T120000Z", "to"),
        ("/v1/trades?to=2026-01-31T12:00:00.1234567Z", "to"),
        ("/v1/trades?to=2026-02-30T12:00:00Z", "to"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused(api: Api, path: str, field: str) -> None:
    status, problem = await api.get(path)

    assert (status, problem["field"]) == (400, field)


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("time", [1, 1_767_225_600, 1_767_225_600_000, 1_767_225_600_000_000, 10**17])
async def test_a_time_in_another_unit_is_refused(api: Api, bare: Api, name: str, time: int) -> None:
    for place in (api, bare):
        for path in ("/v1/trades", "/v1/orders", "/v1/fills?account=1"):
            status, problem = await place.get(f"{path}{'&' if '?' in path else '?'}{name}={time}")

            assert (status, problem["field"]) == (400, name)
            assert (
                f"{name} '{time}': is before April 1973 in nanoseconds: give nanoseconds" in problem["detail"]
            )


async def test_the_beginning_and_nanoseconds_of_this_age_are_times(api: Api) -> None:
    _, from_the_beginning = await api.get("/v1/trades?from=0&limit=1000")
    status, _ = await api.get(f"/v1/trades?to={10**17 + 1}")

    assert len(from_the_beginning["trades"]) > 0
    assert status == 200


async def test_times_may_be_written_as_dates(api: Api, story: Story) -> None:
    _, none = await api.get("/v1/trades?from=2026-01-31T12:00:00Z")
    _, all_of_them = await api.get("/v1/trades?from=1970-01-01T01:00:00%2B01:00&limit=1000")

    assert none["trades"] == []
    assert len(all_of_them["trades"]) == len(story.trades)


async def test_a_database_that_is_down_is_a_problem_and_live_orders_go_on(
    tmp_path: Path, story: Story
) -> None:
    server = private_server(tmp_path / "data")
    client = await serving(story, server.dsn)
    api = Api(client)
    try:
        down = await api.get("/v1/orders")
        live, _ = await api.get("/v1/orders?status=open")
        server.start()
        empty = await api.get("/v1/orders")
        await project(server.dsn, story.entries, ())
        up, page = await api.get("/v1/orders")
        server.stop()
        again = await api.get("/v1/orders")
    finally:
        server.stop()
        await client.close()

    assert [status for status, _ in (down, empty, again)] == [503, 503, 503]
    assert {problem["reason"] for _, problem in (down, empty, again)} == {"history_unavailable"}
    assert (live, up, page["as_of_seq"]) == (200, 200, len(story.entries))


async def test_who_asks_is_kept_waiting_only_while_history_lacks_an_event() -> None:
    asked: list[int] = []

    def complete_seq() -> int:
        asked.append(7)
        return 7

    past = Past("postgresql://never.asked", complete_seq)
    await past.until_followed(7)
    at_once = len(asked)
    await past.until_followed(8)

    assert at_once == 1
    assert len(asked) > 2


async def test_a_page_reads_no_more_than_it_shows(filled: str) -> None:
    await rows_of(filled, "ANALYZE")

    plan = await rows_of(
        filled,
        "EXPLAIN SELECT * FROM fills WHERE account = 1 AND fill_id < 5000 ORDER BY fill_id DESC LIMIT 5",
    )

    assert "Sort" not in str(plan)
