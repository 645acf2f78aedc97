"""Orders by their own ids, through the sockets of both doors: asked for, amended and cancelled."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.trading.client_ids import address_of
from tests.api.conftest import EVERY, ONE, Instance

UUID = "8e03978e-40d5-43dd-bc93-6894a57f9324"
IDS: tuple[int | str, ...] = (
    *(7, 2**63 - 1, 1234567890123456789),
    *("7", "007", "0", "-5", "+7", "99999999999999999999"),
    *('"', '""', '"7"', '""7""', "it's"),
    *("a/b", "/", "%", "100%", "%2F", "%252F", "a b", "a+b", "a?b", "a#b", "a&b=c", "a;b", "..", "{a}"),
    *("client:", "client:7", "grüße", "日本語", "𝒳", "batch", UUID, "00000000-0000-0000-0000-000000000000"),
)
BUY = {"account": 1, "symbol": "BTC-USD", "side": "buy", "price": "90", "quantity": "1"}


class Raw:
    """One connection to a door, whose addresses are sent as they are."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        self.headers = headers

    def call(self, method: str, path: str, fields: Any = None, **headers: str) -> tuple[int, Any]:
        body = None if fields is None else json.dumps(fields).encode()
        self.connection.request(method, path, body, self.headers | headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture
def doors(ready: dict[str, Any]) -> Iterator[tuple[Raw, Raw]]:
    """Connections to the query door and the order door; orders of account 1 are taken out afterwards."""
    queries, orders = Raw(str(ready["api"]), EVERY), Raw(str(ready["orders"]), EVERY)
    with closing(queries.connection), closing(orders.connection):
        yield queries, orders
        orders.call("DELETE", "/v1/orders?account=1")


@pytest.mark.parametrize("general", [False, True], ids=["plain", "aiohttp"])
@pytest.mark.parametrize("given", IDS, ids=repr)
def test_every_id_is_asked_for_amended_and_cancelled(
    doors: tuple[Raw, Raw], given: int | str, general: bool
) -> None:
    # A used id stays used, so each road to the door has an account of its own.
    account = 3 if general else 1
    queries, orders = doors
    address = f"/v1/orders/{address_of(given)}?account={account}"
    # Whatever is unusual in a head makes the order door take the general road.
    road = {"Expect": "100-continue"} if general else {}

    entered = orders.call("POST", "/v1/orders", BUY | {"account": account, "client_order_id": given})
    asked = queries.call("GET", address)
    amended = orders.call("PATCH", address, {"price": "91"}, **road)
    cancelled = orders.call("DELETE", address, **road)
    ended = queries.call("GET", address)

    for status, answer in (entered, asked, amended, cancelled, ended):
        assert (status, answer["client_order_id"], answer["order_id"]) == (200, given, entered[1]["order_id"])
    assert (asked[1]["status"], cancelled[1]["status"], ended[1]["status"]) == (
        "open",
        "cancelled",
        "cancelled",
    )
    assert (ended[1]["symbol"], ended[1]["cum_quantity"], ended[1]["leaves_quantity"]) == (
        "BTC-USD",
        "0",
        "0",
    )
    assert "cum_lots" not in ended[1]


async def test_ids_are_named_in_a_session_as_they_were_given(instance: Instance) -> None:
    url = instance.orders.replace("http", "ws") + "/v1/session"
    async with instance.client.ws_connect(url, headers=EVERY) as session:
        for given in ("ws-007", 'ws"7"', "ws/%2F", "ws client:7", UUID.replace("8e", "8F", 1)):
            named = {"account": 2, "client_order_id": given}
            await session.send_json({"id": 1, "op": "new", **BUY, **named})
            await session.send_json({"id": 2, "op": "replace", "price": "91", **named})
            await session.send_json({"id": 3, "op": "cancel", **named})
            replies = [(await session.receive_json(timeout=20))["reply"] for _ in range(3)]

            told = given.lower() if len(given) == 36 else given
            assert [reply["client_order_id"] for reply in replies] == [told] * 3
            assert [reply["status"] for reply in replies] == ["open", "open", "cancelled"]


def test_text_that_looks_like_a_number_is_another_order(doors: tuple[Raw, Raw]) -> None:
    queries, orders = doors
    number = orders.call("POST", "/v1/orders", BUY | {"account": 2, "client_order_id": 70})[1]
    text = orders.call("POST", "/v1/orders", BUY | {"account": 2, "client_order_id": "70"})[1]

    found = [queries.call("GET", f"/v1/orders/client:{end}?account=2") for end in ("70", "%2270%22", "070")]

    assert [status for status, _ in found] == [200, 200, 404]
    assert [answer["order_id"] for _, answer in found[:2]] == [number["order_id"], text["order_id"]]
    orders.call("DELETE", "/v1/orders?account=2")


def test_uuid_is_one_id_in_either_case(doors: tuple[Raw, Raw]) -> None:
    queries, orders = doors
    upper = "ABCDEF00-0000-4000-8000-00000000FF00"
    first = orders.call("POST", "/v1/orders", BUY | {"client_order_id": upper})
    again = orders.call("POST", "/v1/orders", BUY, **{"Idempotency-Key": upper.lower()})
    other = orders.call("POST", "/v1/orders", BUY | {"quantity": "2"}, **{"Idempotency-Key": upper})
    live = [queries.call("GET", f"/v1/orders/client:{each}?account=1") for each in (upper, upper.lower())]
    amended = orders.call(
        "PATCH", f"/v1/orders/client:{upper}?account=1", {"price": "91", "client_order_id": upper.lower()}
    )

    assert first[1]["client_order_id"] == upper.lower()
    assert [(status, answer["client_order_id"]) for status, answer in (again, other)] == [
        (409, upper.lower())
    ] * 2
    assert [answer["order_id"] for _, answer in live] == [first[1]["order_id"]] * 2
    assert {answer["client_order_id"] for _, answer in (*live, amended)} == {upper.lower()}


def test_idempotency_key_is_compared_in_lower_case_with_the_body(doors: tuple[Raw, Raw]) -> None:
    upper = "ABCDEF00-0000-4000-8000-0000000000A1"

    status, reply = doors[1].call(
        "POST", "/v1/orders", BUY | {"client_order_id": upper}, **{"Idempotency-Key": upper.lower()}
    )

    assert (status, reply["client_order_id"]) == (200, upper.lower())


@pytest.mark.parametrize("given", [0, -1, -(2**63), -(2**70)])
@pytest.mark.parametrize("op", ["new", "cancel", "replace"])
async def test_number_below_one_is_refused_by_both_roads(instance: Instance, op: str, given: int) -> None:
    url = instance.orders.replace("http", "ws") + "/v1/session"
    more: dict[str, dict[str, Any]] = {"new": BUY, "cancel": {}, "replace": {"price": "91"}}
    fields = {"op": op, "account": 1, "client_order_id": given, **more[op]}
    async with instance.client.ws_connect(url, headers=EVERY) as session:
        await session.send_json({"id": 1} | fields)
        refused = (await session.receive_json(timeout=20))["problem"]

    named = (refused["status"], refused["reason"], refused["field"], refused["seq"])
    assert named == (422, "invalid_client_order_id", "client_order_id", None)


def test_number_below_one_is_refused_by_rest(doors: tuple[Raw, Raw]) -> None:
    queries, orders = doors
    twice = [orders.call("POST", "/v1/orders", BUY | {"client_order_id": 0}) for _ in range(2)]
    batch = orders.call("POST", "/v1/orders/batch", [BUY | {"client_order_id": each} for each in (0, -7)])
    body = orders.call("PATCH", "/v1/orders/client:0?account=1", {"price": "91"})
    cancel = orders.call("DELETE", "/v1/orders/client:0?account=1")
    query = queries.call("GET", "/v1/orders/client:0?account=1")

    answers = [*twice, *((each["status"], each) for each in batch[1]["results"]), body, cancel, query]
    assert [(status, answer["reason"]) for status, answer in answers] == [
        (422, "invalid_client_order_id")
    ] * 7


@pytest.mark.parametrize(
    ("segment", "status", "field"),
    [
        ("client:%ff", 400, "order_id"),
        ("client:%zz", 400, "order_id"),
        ("client:100%", 400, "order_id"),
        ("client:", 400, "client_order_id"),
        ("client:%22%22", 400, "client_order_id"),
        ("client:" + "x" * 25, 400, "client_order_id"),
        ("client:a%00b", 400, "client_order_id"),
        ("client:a%0Ab", 400, "client_order_id"),
        ("client:" + "9" * 20, 422, "client_order_id"),
        ("client:" + "9" * 4400, 422, "client_order_id"),
        ("0", 400, "order_id"),
        ("x%2Fy", 400, "order_id"),
        ("19%00", 400, "order_id"),
    ],
)
def test_address_that_no_order_can_have_is_refused_alike(
    doors: tuple[Raw, Raw], segment: str, status: int, field: str
) -> None:
    queries, orders = doors
    path = f"/v1/orders/{segment}?account=1"

    answers = [
        queries.call("GET", path),
        orders.call("DELETE", path),
        orders.call("DELETE", path, Expect="100-continue"),
        orders.call("PATCH", path, {"price": "91"}),
    ]

    assert [(each, answer["status"], answer["field"]) for each, answer in answers] == [
        (status, status, field)
    ] * 4
    assert len({answer["detail"] for _, answer in answers}) == 1


def test_idempotency_key_that_is_no_text_is_refused(doors: tuple[Raw, Raw]) -> None:
    orders = doors[1]
    orders.connection.putrequest("POST", "/v1/orders")
    heads: list[tuple[str, str | bytes]] = [("Content-Length", "2"), ("Idempotency-Key", b"\xff")]
    for name, value in (*EVERY.items(), *heads):
        orders.connection.putheader(name, value)
    orders.connection.endheaders(b"{}")
    answer = orders.connection.getresponse()
    problem = json.loads(answer.read())

    assert answer.status == 400, problem


async def test_text_of_another_key_is_found_behind_the_own(instance: Instance) -> None:
    one = Raw(instance.api, ONE)
    theirs = await instance.order(side="buy", price="90", quantity="1", client_order_id="by-every")
    with closing(one.connection):
        live = one.call("GET", "/v1/orders/client:by-every?account=1")
        await instance.cancel_all()
        ended = one.call("GET", "/v1/orders/client:by-every?account=1")
        unknown = one.call("GET", "/v1/orders/client:by-nobody?account=1")

    assert (live[0], live[1]["order_id"]) == (200, theirs["order_id"])
    assert (ended[0], ended[1]["order_id"], ended[1]["status"]) == (200, theirs["order_id"], "cancelled")
    assert (unknown[0], unknown[1]["reason"]) == (404, "unknown_order")


async def test_ended_order_tells_what_was_filled(instance: Instance) -> None:
    await instance.order(account=2, side="sell", price="95", quantity="0.25")
    taken = await instance.order(
        side="buy", price="95", quantity="0.25", client_order_id="filled-1", time_in_force="ioc"
    )

    status, found = await instance.get("/v1/orders/client:filled-1?account=1")

    assert status == 200
    assert found == {
        "order_id": taken["order_id"],
        "client_order_id": "filled-1",
        "account": 1,
        "symbol": "BTC-USD",
        "status": "filled",
        "cum_quantity": "0.25",
        "leaves_quantity": "0",
    }
