import asyncio
import itertools
from typing import Any

import msgspec
import pytest
from aiohttp import WSMessage, WSMsgType

from api.process.access import Access
from api.streams.outbox import Outbox
from api.streams.requests import REQUEST_BYTES_MAX
from api.streams.session import FAULTS_MAX, SUBSCRIPTIONS_MAX, CloseCode, StreamClosed, StreamSession
from api.streams.socket import REQUESTS_PER_TURN, _Connection
from engine.settings.config import Key
from engine.trading.records import Role
from gateways.process.turns import Turns
from tests.api.exchange import Exchange

OWN = Key(token="o" * 20, name="own", accounts=(1,), roles=Role.TRADER)
EVERY = Key(token="e" * 20, name="every", accounts=None, roles=Role.ALL)


class Reader:
    """One stream reader, without a socket."""

    def __init__(self, exchange: Exchange, key: Key | None = OWN, *, is_ready: bool = True) -> None:
        self.outbox = Outbox(lambda: None)
        access = Access([OWN, EVERY])
        self.session = StreamSession(exchange.hub, access, self.outbox, key, is_ready)

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return its answer."""
        await self.session.handle(msgspec.json.encode(request))
        return self.next()

    def next(self) -> dict[str, Any]:
        """Return the next message."""
        message = self.outbox.take()
        assert message is not None
        decoded: dict[str, Any] = msgspec.json.decode(message)
        return decoded


async def test_book_subscription_answers_then_sends_a_snapshot() -> None:
    exchange = Exchange()
    exchange.order(1, "buy", "100", "1")
    reader = Reader(exchange)

    answer = await reader.ask(op="subscribe", channel="book", symbol="BTC-USD", depth=5, id=1)

    assert answer == {"type": "subscribed", "channel": "book", "symbol": "BTC-USD", "depth": 5, "id": 1}
    assert reader.next()["bids"] == [["100", "1", 1]]


async def test_trades_are_sent_one_entry_each() -> None:
    exchange, reader = Exchange(), None
    reader = Reader(exchange)
    await reader.ask(op="subscribe", channel="trades", symbol="BTC-USD")

    exchange.order(1, "buy", "100", "2")
    exchange.order(2, "sell", "100", "0.5")
    exchange.order(2, "sell", "100", "0.25")

    assert [trade["quantity"] for trade in reader.next()["data"]] == ["0.5", "0.25"]


async def test_fills_show_the_own_side_only() -> None:
    exchange = Exchange()
    reader = Reader(exchange)
    await reader.ask(op="subscribe", channel="fills")

    exchange.order(1, "buy", "100", "2", client_order_id=11)
    exchange.order(2, "sell", "100", "2", client_order_id=12)

    (fill,) = reader.next()["data"]
    assert fill["client_order_id"] == 11
    assert fill["liquidity"] == "maker"
    assert fill["status"] == "filled"
    assert 12 not in fill.values()


@pytest.mark.parametrize("own_side", ["buy", "sell"])
async def test_no_channel_names_the_other_side_of_a_trade(own_side: str) -> None:
    exchange = Exchange()
    reader = Reader(exchange)
    await reader.ask(op="subscribe", channel="fills")
    await reader.ask(op="subscribe", channel="orders")
    await reader.ask(op="subscribe", channel="trades", symbol="BTC-USD")

    account = {own_side: 1, ({"buy", "sell"} - {own_side}).pop(): 2}
    exchange.order(account["buy"], "buy", "100", "2", client_order_id=f"of-{account['buy']}")
    exchange.order(account["sell"], "sell", "100", "2", client_order_id=f"of-{account['sell']}")

    told = []
    while (message := reader.outbox.take()) is not None:
        told += [(entry, message) for entry in msgspec.json.decode(message)["data"]]
    assert {"trade", "accepted", None} <= {entry.get("event") for entry, _ in told}
    for entry, message in told:
        assert entry.get("account", 1) == 1
        assert b"of-2" not in message


async def test_foreign_account_is_refused_alike_whether_it_exists_or_not() -> None:
    reader = Reader(Exchange())

    there, nowhere = [
        await reader.ask(op="subscribe", channel="fills", account=account) for account in (2, 999)
    ]

    assert there["reason"] == nowhere["reason"] == "not_permitted"
    assert there["detail"].replace("2", "999") == nowhere["detail"]


async def test_orders_channel_tells_the_life_of_an_order() -> None:
    exchange = Exchange()
    reader = Reader(exchange)
    await reader.ask(op="subscribe", channel="orders", account=1)

    exchange.order(1, "buy", "100", "2", client_order_id=11)
    exchange.order(2, "sell", "100", "0.5")
    exchange.hub.take_events(exchange.submit({"op": "cancel", "account": 1, "client_order_id": 11}))
    exchange.hub.take_events(exchange.submit({"op": "cancel", "account": 1, "client_order_id": 11}))

    life = reader.next()["data"]
    assert [report["event"] for report in life] == ["accepted", "trade", "cancelled", "rejected"]
    assert [report.get("leaves_quantity") for report in life] == ["2", "1.5", "1.5", None]
    assert life[3]["reason"] == "unknown_order"


async def test_key_of_every_account_hears_both_sides() -> None:
    exchange = Exchange()
    reader = Reader(exchange, EVERY)
    await reader.ask(op="subscribe", channel="fills")

    exchange.order(1, "buy", "100", "2")
    exchange.order(2, "sell", "100", "2")

    assert [(fill["account"], fill["liquidity"]) for fill in reader.next()["data"]] == [
        (2, "taker"),
        (1, "maker"),
    ]


async def test_resumed_reader_gets_what_it_missed_and_nothing_twice() -> None:
    exchange = Exchange()
    exchange.order(1, "buy", "100", "3")
    first = Reader(exchange)
    await first.ask(op="subscribe", channel="fills")
    exchange.order(2, "sell", "100", "1")
    seen = first.next()["data"]
    exchange.order(2, "sell", "100", "0.5")

    second = Reader(exchange)
    await second.ask(op="subscribe", channel="fills", after_seq=first.outbox.resume_seq)
    seen += second.next()["data"]

    assert [fill["quantity"] for fill in seen] == ["1", "0.5"]


async def test_resume_from_before_our_memory_is_refused() -> None:
    answer = await Reader(Exchange()).ask(op="subscribe", channel="fills", after_seq=0)

    assert answer["reason"] == "resume_too_old"
    assert answer["field"] == "after_seq"


async def test_foreign_account_is_refused() -> None:
    answer = await Reader(Exchange()).ask(op="subscribe", channel="orders", account=2)

    assert answer["reason"] == "not_permitted"


async def test_new_connection_must_name_its_key_first() -> None:
    reader = Reader(Exchange(), key=None, is_ready=False)

    refused = await reader.ask(op="subscribe", channel="status")
    accepted = await reader.ask(op="auth", token=OWN.token)
    subscribed = await reader.ask(op="subscribe", channel="status")

    assert [refused["reason"], accepted["type"], subscribed["type"]] == [
        "unauthorized",
        "authenticated",
        "subscribed",
    ]


async def test_unknown_key_closes_the_connection() -> None:
    reader = Reader(Exchange(), key=None, is_ready=False)

    with pytest.raises(StreamClosed) as closed:
        await reader.ask(op="auth", token="guess")

    assert closed.value.code is CloseCode.UNAUTHORISED


@pytest.mark.parametrize(
    ("request_fields", "field"),
    [
        ({"op": "subscribe", "channel": "book"}, "symbol"),
        ({"op": "subscribe", "channel": "book", "symbol": "NONE"}, "symbol"),
        ({"op": "unsubscribe", "channel": "status"}, "channel"),
        ({"op": "auth", "token": "x"}, "op"),
    ],
)
async def test_refusal_names_the_field(request_fields: dict[str, Any], field: str) -> None:
    answer = await Reader(Exchange()).ask(**request_fields)

    assert answer["type"] == "error"
    assert answer["field"] == field


async def test_too_many_refusals_close_the_connection() -> None:
    reader = Reader(Exchange())
    for _ in range(FAULTS_MAX):
        await reader.session.handle("nonsense")

    with pytest.raises(StreamClosed) as closed:
        await reader.session.handle("nonsense")

    assert closed.value.code is CloseCode.FAULTS


async def test_subscriptions_are_bounded_and_leaving_empties_the_hub() -> None:
    exchange = Exchange()
    reader = Reader(exchange)
    for depth in range(1, SUBSCRIPTIONS_MAX + 1):
        await reader.session.handle(
            msgspec.json.encode({"op": "subscribe", "channel": "book", "symbol": "BTC-USD", "depth": depth})
        )

    await reader.session.handle(b'{"op":"subscribe","channel":"status"}')
    reasons = [message.get("reason") for message in (reader.next() for _ in range(SUBSCRIPTIONS_MAX + 1))]
    reader.session.leave()

    assert reasons[-1] == "too_many_subscriptions"
    assert exchange.hub.is_idle()
    assert not exchange.hub.status.readers


@pytest.mark.parametrize("channel", ["book", "ticker", "trades", "fills", "orders", "status"])
async def test_a_subscription_hurries_the_pump_once_somebody_listens(channel: str) -> None:
    exchange, found = Exchange(), []
    hub = exchange.hub
    exchange.source.hurry = lambda: found.append(not hub.is_idle() or bool(hub.status.readers))
    about = {"symbol": "BTC-USD"} if channel in ("book", "ticker", "trades") else {}

    await Reader(exchange).ask(op="subscribe", channel=channel, **about)

    assert found == [True]


class FullSocket:
    """A WebSocket whose messages have all come before anybody reads one."""

    def __init__(self, messages: list[bytes]) -> None:
        self._messages = messages

    def __aiter__(self) -> "FullSocket":
        return self

    async def __anext__(self) -> WSMessage:
        if not self._messages:
            raise StopAsyncIteration
        return WSMessage(WSMsgType.BINARY, self._messages.pop(), None)


async def test_loop_turns_while_readers_pipeline_requests() -> None:
    exchange, count = Exchange(), 40
    turns = Turns(REQUESTS_PER_TURN * REQUEST_BYTES_MAX)
    readers = [Reader(exchange) for _ in range(8)]
    told = [0]

    async def heartbeat() -> None:
        while True:
            told.append(sum(reader.outbox.reply_count for reader in readers))
            await asyncio.sleep(0)

    async def read(reader: Reader) -> None:
        socket: Any = FullSocket([b'{"op":"ping"}'] * count)
        request: Any = None
        await _Connection(socket, request, 1.0, lambda _: None, turns)._read(reader.session)

    beating = asyncio.create_task(heartbeat())
    await asyncio.gather(*(read(reader) for reader in readers))
    await asyncio.sleep(0)
    beating.cancel()

    assert told[-1] == len(readers) * count
    in_one_turn = max(after - before for before, after in itertools.pairwise(told))
    assert in_one_turn <= 2 * (REQUESTS_PER_TURN + 1)
