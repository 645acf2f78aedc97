import asyncio
import json
from typing import Any

import aiohttp
import pytest
from yarl import URL

from api.streams.requests import REQUEST_BYTES_MAX
from api.streams.session import CloseCode
from tests.api.conftest import EVERY, ONE, Instance, next_message

TIMEOUT_S = 20


async def subscribed(socket: Any, **request: Any) -> dict[str, Any]:
    """Send a subscription and return its answer."""
    await socket.send_json({"op": "subscribe"} | request)
    return await next_message(socket, type="subscribed", channel=request["channel"])


async def test_instruments_list_their_rules(instance: Instance) -> None:
    status, document = await instance.get("/v1/instruments")

    assert status == 200
    assert [each["symbol"] for each in document["instruments"]] == ["BTC-USD", "IDLE"]
    assert document["instruments"][0]["tick_size"] == "0.01"


async def test_instruments_page_by_cursor(instance: Instance) -> None:
    _, first = await instance.get("/v1/instruments?limit=1")
    _, second = await instance.get(f"/v1/instruments?limit=1&cursor={first['next_cursor']}")

    assert [each["symbol"] for each in first["instruments"] + second["instruments"]] == ["BTC-USD", "IDLE"]
    assert second["next_cursor"] is None


async def test_acknowledged_order_stands_in_the_book_at_once(instance: Instance) -> None:
    await instance.order(side="buy", price="100.05", quantity="2")

    status, book = await instance.get("/v1/book/BTC-USD?depth=1")

    assert status == 200
    assert book["bids"] == [["100.05", "2", 1]]


async def test_own_orders_are_listed_and_page_by_cursor(instance: Instance) -> None:
    entered = [
        (await instance.order(side="buy", price=price, quantity="1"))["order_id"]
        for price in ("90", "91", "92")
    ]

    _, first = await instance.get("/v1/orders?limit=2", ONE)
    _, second = await instance.get(f"/v1/orders?limit=2&cursor={first['next_cursor']}", ONE)

    assert [order["order_id"] for order in first["orders"] + second["orders"]] == entered


async def test_order_is_found_by_engine_id_and_by_client_id(instance: Instance) -> None:
    entered = await instance.order(side="buy", price="90", quantity="1", client_order_id="mine-1")

    _, by_engine_id = await instance.get(f"/v1/orders/{entered['order_id']}", ONE)
    _, by_client_id = await instance.get("/v1/orders/client:mine-1", ONE)

    assert by_engine_id == by_client_id
    assert by_engine_id["client_order_id"] == "mine-1"


async def test_foreign_order_is_as_unknown_as_one_that_does_not_exist(instance: Instance) -> None:
    entered = await instance.order(account=2, side="buy", price="90", quantity="1")

    foreign, refused = await instance.get(f"/v1/orders/{entered['order_id']}", ONE)
    missing, _ = await instance.get("/v1/orders/999999999", ONE)

    assert (foreign, missing) == (404, 404)
    assert refused["reason"] == "unknown_order"


@pytest.mark.parametrize("path", ["/v1/accounts/{}", "/v1/orders?account={}", "/v1/fills?account={}"])
async def test_foreign_account_is_refused_alike_whether_it_exists_or_not(
    instance: Instance, path: str
) -> None:
    there, nowhere = [await instance.get(path.format(account), ONE) for account in (2, 12345)]

    assert there[0] == nowhere[0] == 403
    assert {name: str(value).replace("account 2", "account 12345") for name, value in there[1].items()} == {
        name: str(value) for name, value in nowhere[1].items()
    }


async def test_order_is_found_under_the_account_that_is_named_and_no_other(instance: Instance) -> None:
    entered = await instance.order(side="buy", price="90", quantity="1")
    path = f"/v1/orders/{entered['order_id']}"

    own, _ = await instance.get(f"{path}?account=1")
    other, refused = await instance.get(f"{path}?account=2")

    assert (own, other) == (200, 404)
    assert refused["reason"] == "unknown_order"


async def test_account_balances_follow_a_fill(instance: Instance) -> None:
    _, before = await instance.get("/v1/accounts/3")
    await instance.order(account=3, side="buy", price="100", quantity="1")
    await instance.order(account=2, side="sell", price="100", quantity="1")

    _, after = await instance.get("/v1/accounts/3")

    paid = float(before["balances"]["USD"]["total"]) - float(after["balances"]["USD"]["total"])
    assert paid == 100
    assert after["positions"][0]["average_price"] == "100"


async def test_trades_and_fills_page_backwards(instance: Instance) -> None:
    for quantity in ("1", "2", "3"):
        await instance.order(side="buy", price="100", quantity=quantity)
        await instance.order(account=2, side="sell", price="100", quantity=quantity)

    _, newest = await instance.get("/v1/trades/BTC-USD?limit=2")
    _, older = await instance.get(f"/v1/trades/BTC-USD?limit=1&cursor={newest['next_cursor']}")
    _, fills = await instance.get("/v1/fills?limit=3", ONE)

    assert [trade["quantity"] for trade in newest["trades"] + older["trades"]] == ["3", "2", "1"]
    assert [fill["quantity"] for fill in fills["fills"]] == ["3", "2", "1"]
    assert {fill["liquidity"] for fill in fills["fills"]} == {"maker"}


async def test_status_names_processes_and_warns_of_the_durability_mode(instance: Instance) -> None:
    status, document = await instance.get("/v1/status")

    assert status == 200
    assert {"supervisor", "worker", "api"} <= {process["name"] for process in document["processes"]}
    assert all(process["pid"] > 0 for process in document["processes"])
    assert document["durability"] == "none"
    assert "lost" in document["warning"]
    assert [ring["depth"] for ring in document["rings"]] == [0] * len(document["rings"])


async def test_latency_counts_every_stage(instance: Instance) -> None:
    await instance.order(side="buy", price="90", quantity="1")

    _, document = await instance.get("/v1/latency")

    ring_wait = document["stages"]["ring_wait"]
    assert ring_wait["count"] >= 1
    assert sum(bucket["count"] for bucket in ring_wait["buckets"]) == ring_wait["count"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/"])
async def test_open_pages_need_no_key(instance: Instance, path: str) -> None:
    async with instance.client.get(instance.api + path) as answer:
        body = await answer.text()

    assert answer.status == 200
    assert body


async def test_metrics_are_prometheus_text(instance: Instance) -> None:
    async with instance.client.get(instance.api + "/metrics") as answer:
        lines = (await answer.text()).splitlines()

    values = {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line[:1] != "#" and line}
    assert values["pinion_seq"] >= 1
    assert values['pinion_latency_seconds_bucket{le="+Inf",stage="step"}'] >= 1


async def test_dashboard_loads_nothing_from_elsewhere(instance: Instance) -> None:
    async with instance.client.get(instance.api + "/") as answer:
        page = await answer.text()

    assert "http://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_openapi_describes_every_route(instance: Instance) -> None:
    _, document = await instance.get("/openapi.json")

    assert {"/v1/instruments", "/v1/book/{symbol}", "/v1/orders/{order_id}", "/v1/stream"} <= set(
        document["paths"]
    )


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/v1/book/NONE", 404, "symbol"),
        ("/v1/book/%00%ff", 404, "symbol"),
        ("/v1/book/BTC-USD?depth=0", 400, "depth"),
        ("/v1/book/BTC-USD?depth=-1", 400, "depth"),
        ("/v1/book/BTC-USD?depth=1e3", 400, "depth"),
        ("/v1/book/BTC-USD?depth=%C2%B2", 400, "depth"),
        ("/v1/book/BTC-USD?depth=" + "9" * 500, 400, "depth"),
        ("/v1/book/BTC-USD?dept=5", 400, "dept"),
        ("/v1/trades/BTC-USD?limit=1&limit=2", 400, "limit"),
        ("/v1/trades/BTC-USD?cursor=x", 400, "cursor"),
        ("/v1/orders?side=both", 400, "side"),
        ("/v1/orders?symbol=NONE", 404, "symbol"),
        ("/v1/orders/abc", 400, "order_id"),
        ("/v1/orders/0", 400, "order_id"),
        ("/v1/orders/client:1", 400, "account"),
        ("/v1/accounts/0", 400, "account"),
        ("/v1/accounts/12345", 404, "account"),
        ("/v1/accounts/9223372036854775808", 400, "account"),
        ("/v1/fills", 400, "account"),
        ("/nowhere", 404, None),
        ("/v1/stream", 426, None),
    ],
)
async def test_bad_request_is_a_problem_document(
    instance: Instance, path: str, status: int, field: str | None
) -> None:
    url = URL(instance.api + path, encoded=True)

    async with instance.client.get(url, headers=EVERY) as answer:
        problem = json.loads(await answer.read())

    assert answer.status == problem["status"] == status
    assert answer.content_type == "application/problem+json"
    assert problem["field"] == field
    assert problem["detail"]


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({}, "/v1/book/BTC-USD", 401),
        ({"Authorization": "Bearer guess"}, "/v1/status", 401),
        (ONE, "/v1/accounts/2", 403),
        (ONE, "/v1/orders?account=2", 403),
        (ONE, "/v1/fills?account=2", 403),
        (ONE, "/v1/book/BTC-USD", 200),
    ],
)
async def test_keys_open_what_they_are_bound_to(
    instance: Instance, headers: dict[str, str], path: str, status: int
) -> None:
    answered, _ = await instance.get(path, headers)

    assert answered == status


async def test_writing_methods_are_refused(instance: Instance) -> None:
    async with instance.client.post(instance.api + "/v1/orders", headers=EVERY, data="x" * 10_000) as answer:
        problem = json.loads(await answer.read())

    assert answer.status == 405
    assert problem["reason"] == "method_not_allowed"


async def test_book_stream_is_a_snapshot_and_chained_deltas(instance: Instance) -> None:
    async with instance.stream() as socket:
        await subscribed(socket, channel="book", symbol="BTC-USD", depth=5)
        snapshot = await next_message(socket, type="snapshot")
        await instance.order(side="buy", price="80", quantity="2")
        delta = await next_message(socket, type="delta")

    assert delta["prev_md_seq"] == snapshot["md_seq"]
    assert delta["md_seq"] > snapshot["md_seq"]
    assert delta["bids"] == [["80", "2", 1]]


async def test_private_and_public_streams_tell_one_trade_from_their_sides(instance: Instance) -> None:
    async with instance.stream(ONE) as own, instance.stream() as every:
        await subscribed(own, channel="fills")
        await subscribed(own, channel="orders")
        await subscribed(every, channel="trades", symbol="BTC-USD")

        await instance.order(side="buy", price="100", quantity="1", client_order_id="stream-1")
        await instance.order(account=2, side="sell", price="100", quantity="1")
        fills = await next_message(own, channel="fills", type="fills")
        trades = await next_message(every, channel="trades", type="trades")

    assert fills["data"][0]["client_order_id"] == "stream-1"
    assert trades["data"][0]["price"] == "100"
    assert "order_id" not in trades["data"][0]


async def test_status_stream_brings_rates(instance: Instance) -> None:
    async with instance.stream() as socket:
        await subscribed(socket, channel="status")
        status = await next_message(socket, channel="status", type="status")

    assert {"commands_per_s", "events_per_s", "trades_per_s"} == set(status["rates"])


async def test_browser_names_its_key_in_the_first_message(instance: Instance) -> None:
    async with instance.stream({}) as socket:
        await socket.send_json({"op": "auth", "token": "key-of-account-one"})
        answer = await socket.receive_json()

    assert answer == {"type": "authenticated", "name": "one"}


async def test_unknown_key_is_closed_with_its_code(instance: Instance) -> None:
    async with instance.stream({}) as socket:
        await socket.send_json({"op": "auth", "token": "guess"})
        closed = await socket.receive()

    assert closed.data == CloseCode.UNAUTHORISED


async def test_stream_with_a_wrong_header_is_not_upgraded(instance: Instance) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with instance.stream({"Authorization": "Bearer guess"}):
            pass

    assert refused.value.status == 401


async def test_oversized_message_closes_the_stream_and_the_server_lives_on(instance: Instance) -> None:
    async with instance.stream() as socket:
        await socket.send_str("x" * (REQUEST_BYTES_MAX + 1))
        closed = await socket.receive()

    status, _ = await instance.get("/healthz")
    assert closed.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    assert status == 200


async def test_half_a_request_delays_nobody(instance: Instance) -> None:
    host, _, port = instance.api.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /v1/book/BTC-USD HTTP/1.1\r\nHos")
    await writer.drain()

    async with asyncio.timeout(TIMEOUT_S):
        status, _ = await instance.get("/v1/book/BTC-USD")

    writer.close()
    await writer.wait_closed()
    assert status == 200


async def test_reader_that_stops_reading_gets_the_newest_book_when_it_reads_again(instance: Instance) -> None:
    async with instance.stream() as slow:
        await subscribed(slow, channel="book", symbol="BTC-USD", depth=3)
        md_seq = (await next_message(slow, type="snapshot"))["md_seq"]
        for cents in range(30):
            await instance.order(side="buy", price=f"70.{cents:02d}", quantity="1")
        _, book = await instance.get("/v1/book/BTC-USD?depth=3")

        bids: dict[str, list[Any]] = {}
        async with asyncio.timeout(TIMEOUT_S):
            while md_seq < book["md_seq"]:
                delta = await next_message(slow, type="delta")
                assert delta["prev_md_seq"] == md_seq
                md_seq = delta["md_seq"]
                bids |= {row[0]: row for row in delta["bids"]}
                bids = {price: row for price, row in bids.items() if row[1] != "0"}

    assert sorted(bids.values(), reverse=True) == book["bids"]
