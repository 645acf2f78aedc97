"""Where an order is found: live, in the window of client ids, in history; what is told of an ended one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from api.live import LiveSource
from api.past.pages import Past
from api.past.queries import PastQueries
from api.process.documents import Document
from api.queries.order_lookup import OrderLookup
from api.streams.hub import Hub
from engine.settings.config import Key
from engine.trading.client_ids import client_id
from engine.trading.records import (
    COMMAND,
    JOURNAL_ENTRY,
    Op,
    OrderType,
    Role,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.trading.view.live_view import LiveView
from tests.api.exchange import Exchange
from tests.capacities import SMALL
from tests.engine.runtime.history.story import MemoryReplica, Story
from tests.engine.runtime.history.tables import project
from tests.flow_venue import PREAMBLE
from tests.postgres import dsn, postgres

__all__ = ["dsn", "postgres"]

UUID = "abcdef00-0000-4000-8000-000000000000"
EVERY = Key(name="every", token="e" * 16, roles=Role.ALL, accounts=None)
ONE = Key(name="one", token="o" * 16, roles=Role.VIEWER, accounts=(1,))
NOBODY = "postgresql://nobody@127.0.0.1:1/none"
"""A database that is down."""


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


async def ended(exchange: Exchange, given: int | str, **more: Any) -> None:
    """Enter an order of account 1 that finds half of what it asks for and ends."""
    exchange.order(2, "sell", "10", "0.25", **more)
    exchange.order(1, "buy", "10", "0.5", client_order_id=given, time_in_force="ioc", **more)


def another_instrument(exchange: Exchange) -> None:
    names = {"symbol": "BTC-LOT", "base": "BTC", "quote": "USD"}
    exchange.define({"op": "instrument", **names, "tick_size": "0.01", "lot_size": "1"})


async def test_ended_order_is_told_from_its_last_report(exchange: Exchange) -> None:
    another_instrument(exchange)
    exchange.order(1, "buy", "9", "3", symbol="BTC-LOT")
    await ended(exchange, "mine")
    # A refused repeat names the order, beside an instrument with other lots.
    exchange.order(1, "buy", "9", "3", symbol="BTC-LOT", client_order_id="mine")

    found = await OrderLookup(exchange.hub, None, [EVERY]).by_client_id(EVERY, 1, "mine")

    assert found is not None
    assert (found["symbol"], found["status"], found["cum_quantity"]) == ("BTC-USD", "cancelled", "0.25")


async def test_without_reports_an_ended_order_is_told_as_far_as_it_is_certain(exchange: Exchange) -> None:
    for given in (7, "mine", UUID):
        await ended(exchange, given)
    after_a_start = Hub(exchange.source)
    lookup = OrderLookup(after_a_start, None, [EVERY])

    ids: list[int | str] = [7, "mine", UUID]
    one_instrument = [await lookup.by_client_id(EVERY, 1, given) for given in ids]
    another_instrument(exchange)
    exchange.submit(
        {"op": "new", "account": 1, "symbol": "BTC-LOT", "side": "buy", "price": "9", "quantity": "3"}
    )
    two = await lookup.by_client_id(EVERY, 1, UUID)

    for document, given in zip(one_instrument, ids, strict=True):
        assert document is not None
        assert (document["client_order_id"], document["symbol"]) == (given, "BTC-USD")
        assert (document["cum_quantity"], document["leaves_quantity"]) == ("0.25", "0")
    assert two is not None
    assert (two["symbol"], two["cum_quantity"], two["status"]) == (None, None, "cancelled")


async def test_text_belongs_to_the_asking_key_first(exchange: Exchange) -> None:
    entered = {}
    for owner in ("one", "every", "1"):
        exchange.encoder.owner = owner
        entered[owner] = int(exchange.order(1, "buy", "9", "1", client_order_id="same")[0]["order_id"])
    exchange.encoder.owner = "gone"
    entered["gone"] = int(
        exchange.order(1, "buy", "9", "1", client_order_id="of a key that is gone")[0]["order_id"]
    )
    lookup = OrderLookup(exchange.hub, None, [EVERY, ONE])

    async def order_id(caller: Key, given: str) -> int | None:
        found = await lookup.by_client_id(caller, 1, given)
        return None if found is None else found["order_id"]

    assert await order_id(EVERY, "same") == entered["every"]
    assert await order_id(ONE, "same") == entered["one"]
    exchange.hub.take_events(exchange.submit({"op": "cancel", "account": 1, "order_id": entered["one"]}))
    assert await order_id(ONE, "same") == entered["one"]  # ended, and still the asking key's
    assert await order_id(ONE, "of a key that is gone") == entered["gone"]
    assert await order_id(ONE, "nobody's") is None


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(seed=4, count=1500)


@asynccontextmanager
async def lookup_of(entries: Any, dsn: str) -> AsyncIterator[OrderLookup]:
    """Give a lookup over the state that entries lead to, and a database."""
    replica = MemoryReplica()
    replica.apply(entries)
    past = Past(dsn, lambda: replica.seq)
    source = LiveSource(LiveView(replica.state), lambda: replica.seq, 1)
    try:
        yield OrderLookup(Hub(source), PastQueries(past, source), [EVERY, ONE])
    finally:
        await past.close()


async def test_ended_orders_of_any_id_come_whole_from_history(dsn: str, story: Story) -> None:
    await project(dsn, story.entries, ())
    wanted = {
        order_id: given
        for order_id, given in story.client_ids.items()
        if given is not None and story.orders[order_id][-1] != 1
    }
    kinds = {"number": 0, "text": 0, "uuid": 0}

    async with lookup_of(story.entries, dsn) as lookup:
        for order_id, given in wanted.items():
            account = story.orders[order_id][0]
            found = await lookup.by_client_id(EVERY, account, given)
            assert found is not None
            assert (found["order_id"], found["client_order_id"]) == (order_id, given)
            assert found == await lookup.by_order_id(EVERY, order_id)
            assert "side" in found
            kinds["number" if isinstance(given, int) else "uuid" if len(given) == 36 else "text"] += 1

    assert min(kinds.values()) > 3


async def test_while_the_database_is_down_the_window_tells(story: Story) -> None:
    order_id, given = next(
        (order_id, given)
        for order_id, given in story.client_ids.items()
        if isinstance(given, str) and story.orders[order_id][-1] == 3
    )

    async with lookup_of(story.entries, NOBODY) as lookup:
        found = await lookup.by_client_id(EVERY, story.orders[order_id][0], given)

        assert found is not None
        assert (found["order_id"], found["client_order_id"], found["status"]) == (
            order_id,
            given,
            "cancelled",
        )
        assert await lookup.by_client_id(EVERY, 1, "never used") is None


def more_ids_than_the_window_holds(first: tuple[int | str, ...]) -> Any:
    """Return entries: orders of account 1 that end at once, the first of the given ids."""
    story = Story(seed=1, count=0)
    count = SMALL.client_ids + len(first) + 1
    entries = np.zeros(count, JOURNAL_ENTRY)
    order = np.zeros(count, COMMAND)
    order["op"], order["version"], order["roles"] = Op.NEW, 1, Role.TRADER
    order["account"], order["side"], order["px"], order["qty"] = 1, Side.BUY, 1000, 1
    order["order_type"], order["time_in_force"] = OrderType.LIMIT, TimeInForce.IOC
    order["stp_mode"] = SelfTradePrevention.NONE
    order["client_order_id"] = np.arange(count) + 10**6
    for place, given in enumerate(first):
        order["client_order_id"][place], order["text"][place] = client_id(given, "every")
    entries["command"] = order
    entries = np.concatenate((story.entries, entries))
    entries["seq"] = np.arange(1, len(entries) + 1)
    entries["ring_seq"], entries["eng_ts"] = entries["seq"] - 1, entries["seq"]
    return entries


async def test_id_that_the_window_has_forgotten_is_found_in_history(dsn: str) -> None:
    ids: tuple[int | str, ...] = (7, "7", UUID)
    entries = more_ids_than_the_window_holds(ids)
    await project(dsn, entries, ())
    found: list[Document | None] = []
    async with lookup_of(entries, dsn) as lookup:
        used, capacity = lookup._source.view.capacity_use()["client_ids"]
        assert used == capacity
        found = [await lookup.by_client_id(ONE, 1, given) for given in (*ids, "never used")]

    assert found[-1] is None
    assert [each and each["client_order_id"] for each in found[:-1]] == list(ids)
    assert [each and each["order_id"] for each in found[:-1]] == [
        len(PREAMBLE) + 1 + place for place in range(3)
    ]
