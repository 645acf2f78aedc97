"""The HTTP door as a client meets it: real sockets, real processes, the whole engine behind."""

import asyncio
import http.client
import random
import socket
import string
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from perf.live import Live, live

TRADER, OPERATOR, VIEWER, OTHER = (
    "key-of-a-trader-1",
    "key-of-an-operator",
    "key-of-a-viewer-1",
    "key-of-another-1",
)
HEAD_TIMEOUT_S = 4
CONFIG = f"""
[doors]
head_timeout_s = {HEAD_TIMEOUT_S}
[[keys]]
name = "trader"
token = "{TRADER}"
accounts = [1, 2]
[[keys]]
name = "other"
token = "{OTHER}"
accounts = [3]
[[keys]]
name = "operator"
token = "{OPERATOR}"
accounts = "all"
roles = ["operator", "trader"]
[[keys]]
name = "viewer"
token = "{VIEWER}"
accounts = [1]
roles = ["viewer"]
[[currencies]]
currency = "USD"
[[currencies]]
currency = "XYZ"
[[instruments]]
symbol = "XYZ"
base = "XYZ"
quote = "USD"
tick_size = "0.01"
lot_size = "1"
[[accounts]]
account = 1
deposit = {{ USD = "100000000" }}
[[accounts]]
account = 2
deposit = {{ USD = "100000000" }}
[[accounts]]
account = 3
unlimited = true
"""
ORDER = {"account": 1, "symbol": "XYZ", "side": "buy", "price": "10.05", "quantity": "100"}
FUZZ_SEED = 20261121


@pytest.fixture(scope="module")
def pinion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    config: Path = tmp_path_factory.mktemp("config") / "pinion.toml"
    config.write_text(CONFIG)
    with live(config) as instance:
        yield instance


class Client:
    """One keep-alive connection of one key."""

    def __init__(self, port: int, key: str = TRADER) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.key = key
        self.headers: dict[str, str] = {}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        sent = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        self.connection.request(method, path, raw, sent)
        answer = self.connection.getresponse()
        text = answer.read()
        self.headers = dict(answer.getheaders())
        return answer.status, msgspec.json.decode(text)


@pytest.fixture
def client(pinion: Live) -> Iterator[Client]:
    client = Client(pinion.order_port)
    with closing(client.connection):
        yield client
        client.call("DELETE", "/v1/orders?account=1")
        client.call("DELETE", "/v1/orders?account=2")


def test_life_of_an_order(client: Client) -> None:
    status, resting = client.call("POST", "/v1/orders", {**ORDER, "client_order_id": "life"})
    assert (status, resting["status"], resting["leaves_quantity"]) == (200, "open", "100")

    status, amended = client.call(
        "PATCH", f"/v1/orders/{resting['order_id']}", {"quantity": "80", "price": "10.06"}
    )
    assert (status, amended["leaves_quantity"]) == (200, "80")

    sell = {**ORDER, "account": 2, "side": "sell", "price": "10", "quantity": "30", "time_in_force": "ioc"}
    status, taken = client.call("POST", "/v1/orders", sell)
    assert (status, taken["status"], taken["fills"][0]["price"]) == (200, "filled", "10.06")
    assert taken["fills"][0]["maker_client_order_id"] == "life"

    status, gone = client.call("DELETE", "/v1/orders/client:life?account=1")
    assert (status, gone["status"], gone["cum_quantity"], gone["leaves_quantity"]) == (
        200,
        "cancelled",
        "30",
        "0",
    )

    status, unknown = client.call("DELETE", "/v1/orders/client:life?account=1")
    assert (status, unknown["reason"]) == (404, "unknown_order")


def test_idempotency_key_is_the_client_order_id(client: Client) -> None:
    first = client.call("POST", "/v1/orders", ORDER, Idempotency_Key="once")[1]

    status, same = client.call("POST", "/v1/orders", ORDER, Idempotency_Key="once")
    _, other = client.call("POST", "/v1/orders", {**ORDER, "quantity": "1"}, Idempotency_Key="once")

    assert (status, same["reason"], same["order_id"]) == (409, "duplicate", first["order_id"])
    assert (other["status"], other["order_id"], other["order_status"]) == (409, first["order_id"], "open")
    assert other["detail"] != same["detail"]


def test_batch_answers_each_order_in_its_place(client: Client) -> None:
    orders = [
        ORDER,
        {**ORDER, "price": "10.055"},
        {**ORDER, "account": 3},
        {**ORDER, "side": "sell", "price": "11"},
    ]

    status, answer = client.call("POST", "/v1/orders/batch", orders)

    assert status == 200
    assert [each["status"] for each in answer["results"]] == ["open", 422, 403, "open"]


def test_mass_cancel_takes_the_orders_of_one_side(client: Client) -> None:
    for side, price in (("buy", "10"), ("buy", "9"), ("sell", "11")):
        client.call("POST", "/v1/orders", {**ORDER, "side": side, "price": price})

    status, answer = client.call("DELETE", "/v1/orders?account=1&symbol=XYZ&side=buy")

    assert (status, answer["cancelled_count"]) == (200, 2)


def test_keys_bind_accounts_and_roles(pinion: Live, client: Client) -> None:
    assert client.call("POST", "/v1/orders", {**ORDER, "account": 3})[0] == 403
    assert client.call("POST", "/v1/admin", {"op": "session_end"})[0] == 403
    for key, expected in ((VIEWER, 403), ("nobody-has-this-key", 401)):
        stranger = Client(pinion.order_port, key)
        with closing(stranger.connection):
            assert stranger.call("POST", "/v1/orders", ORDER)[0] == expected
    assert stranger.headers["WWW-Authenticate"] == 'Bearer realm="pinion"'


def test_foreign_order_is_answered_as_one_that_does_not_exist(pinion: Live, client: Client) -> None:
    foreign = client.call("POST", "/v1/orders", ORDER)[1]["order_id"]
    stranger = Client(pinion.order_port, OTHER)
    asked = [
        (method, body, query)
        for method, body in (("DELETE", None), ("PATCH", {"price": "10.06"}), ("PATCH", {"price": "10.055"}))
        for query in ("", "?account=3")
    ]

    with closing(stranger.connection):
        answers = [
            [stranger.call(method, f"/v1/orders/{order_id}{query}", body) for order_id in (foreign, 10**15)]
            for method, body, query in asked
        ]

    for there, nowhere in answers:
        assert (there[0], there[1]["reason"]) == (404, "unknown_order")
        assert without_seq(there) == without_seq(nowhere)
    assert client.call("DELETE", f"/v1/orders/{foreign}")[1]["status"] == "cancelled"


def without_seq(answer: tuple[int, Any]) -> Any:
    """Return an answer without the number of its command, which counts what everybody does."""
    return answer[0], {name: value for name, value in answer[1].items() if name != "seq"}


def test_operator_defines_an_instrument_and_halts_it(pinion: Live, client: Client) -> None:
    boss = Client(pinion.order_port, OPERATOR)
    lines = (
        b'{"op":"instrument","symbol":"NEW","base":"NEW","quote":"EUR","tick_size":"0.5","lot_size":"1"}\n'
        b'{"op":"account","account":1,"deposit":{"EUR":"1000000"}}\n'
        b'{"op":"phase","symbol":"NEW","phase":"halted"}\n'
    )

    with closing(boss.connection):
        status, answer = boss.call("POST", "/v1/admin", lines)
        halted = client.call("POST", "/v1/orders", {**ORDER, "symbol": "NEW", "price": "10"})
        boss.call("POST", "/v1/admin", {"op": "phase", "symbol": "NEW", "phase": "continuous"})
        running = client.call("POST", "/v1/orders", {**ORDER, "symbol": "NEW", "price": "10"})

    assert status == 200
    assert [each["op"] for each in answer["results"]] == ["instrument", "account", "phase"]
    assert (halted[0], halted[1]["reason"]) == (422, "not_allowed_in_phase")
    assert running[0] == 200


async def test_session_is_pipelined_and_reports_fills_of_makers(pinion: Live) -> None:
    url = f"http://127.0.0.1:{pinion.order_port}/v1/session"
    headers = {"Authorization": f"Bearer {TRADER}"}
    async with aiohttp.ClientSession(headers=headers) as http_client, http_client.ws_connect(url) as session:
        for number in range(50):
            price = f"{20 + number}.00"
            await session.send_json({"id": number, "op": "new", **ORDER, "side": "sell", "price": price})
        replies = [await session.receive_json(timeout=10) for _ in range(50)]
        await session.send_json(
            {"id": "taker", "op": "new", **ORDER, "account": 2, "price": "20", "quantity": "7"}
        )
        told = [await session.receive_json(timeout=10) for _ in range(2)]
        await session.send_json({"id": "all", "op": "mass_cancel", "account": 1})
        cancels = [await session.receive_json(timeout=10) for _ in range(51)]

    assert [each["id"] for each in replies] == list(range(50))
    assert {each["reply"]["status"] for each in replies} == {"open"}
    report = next(each["report"] for each in told if "report" in each)
    reply = next(each["reply"] for each in told if each.get("id") == "taker")
    assert report == reply["fills"][0]
    assert report["maker_order_id"] == replies[0]["reply"]["order_id"]
    assert sum(each.get("report", {}).get("reason") == "mass" for each in cancels) == 50
    assert next(each["reply"]["cancelled_count"] for each in cancels if "reply" in each) == 50


async def test_bad_messages_leave_the_session_alive(pinion: Live) -> None:
    url = f"http://127.0.0.1:{pinion.order_port}/v1/session"
    headers = {"Authorization": f"Bearer {TRADER}"}
    async with aiohttp.ClientSession(headers=headers) as http_client, http_client.ws_connect(url) as session:
        for text in (
            "{",
            "[]]",
            '{"op":"fly"}',
            '{"id":[],"op":"new"}',
            '"x"',
            '{"id":1,"op":"new","account":3}',
        ):
            await session.send_str(text)
            answer = await session.receive_json(timeout=10)
            assert 400 <= answer["problem"]["status"] < 500
        await session.send_json({"id": 1, "op": "new", **ORDER, "price": "1"})
        assert (await session.receive_json(timeout=10))["reply"]["status"] == "open"


@pytest.mark.parametrize("paths", [["/v1/orders"], ["/v1/orders", "/v1/orders/batch", "/v1/admin"]])
def test_no_body_whatever_makes_the_door_fail(client: Client, paths: list[str]) -> None:
    chance = random.Random(FUZZ_SEED)  # the first paths are all plain requests, the second all aiohttp's
    good = msgspec.json.encode({**ORDER, "price": "1", "time_in_force": "ioc"})
    junk: list[Any] = [
        None,
        True,
        -1,
        0,
        2**63,
        10**400,
        1.5,
        "",
        "x" * 500,
        "1e5",
        "NaN",
        "-0",
        "\ud7ff",
        [],
        [[]],
        {},
        {"a": 1},
    ]
    names = [
        *ORDER,
        "client_order_id",
        "type",
        "time_in_force",
        "post_only",
        "stop_price",
        "expires_at",
        "trail",
        "op",
    ]
    for number in range(300):
        if number % 2:
            body = bytearray(good)
            for _ in range(chance.randint(1, 4)):
                body[chance.randrange(len(body))] = chance.randrange(256)
            raw = bytes(body)
        else:
            fields = {**ORDER, "time_in_force": "ioc", chance.choice(names): chance.choice(junk)}
            raw = (
                msgspec.json.encode(fields)
                if chance.random() < 0.9
                else chance.choice(string.printable).encode()
            )
        path = chance.choice(paths)

        status, answer = client.call("POST", path, raw)

        assert status < 500, f"seed {FUZZ_SEED}, body {raw!r}: {answer}"
        if status != 200:
            assert {"type", "title", "status", "detail", "reason", "field"} <= set(answer), answer
            assert answer["status"] == status


def test_what_is_not_http_is_answered_and_closed(pinion: Live) -> None:
    for raw in (
        b"\x16\x03\x01\x02\x00\x01",
        b"no request at all",
        b"POST /v1/orders HTTP/1.1\r\nX: " + b"y" * 20_000,
    ):
        with socket.create_connection(("127.0.0.1", pinion.order_port), timeout=20) as sock:
            sock.sendall(raw + b"\r\n\r\n")
            answer = sock.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 400"), raw
        assert b"application/problem+json" in answer


def test_too_large_body_is_413(client: Client) -> None:
    status, answer = client.call("POST", "/v1/orders", b" " * (2**20 + 1))

    assert (status, answer["reason"]) == (413, "too_large")


def test_client_that_sends_half_a_request_is_answered_and_closed(pinion: Live) -> None:
    whole = b"POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + TRADER.encode()
    halves = [whole, whole + b"\r\nContent-Length: 100\r\n\r\n{"]
    sockets = [
        socket.create_connection(("127.0.0.1", pinion.order_port), HEAD_TIMEOUT_S + 10) for _ in halves
    ]
    try:
        for sock, half in zip(sockets, halves, strict=True):
            sock.sendall(half)

        answers = [sock.makefile("rb").read() for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()

    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 408"), answer
        assert b"request_timeout" in answer
        assert b"\r\nConnection: close\r\n" in answer


async def test_hundreds_of_connections_at_once_are_served(pinion: Live) -> None:
    body = msgspec.json.encode({**ORDER, "price": "1", "time_in_force": "ioc"})
    request = (
        f"POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TRADER}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    streams = [await asyncio.open_connection("127.0.0.1", pinion.order_port) for _ in range(500)]

    for _, writer in streams:
        writer.write(request)
    heads = [await asyncio.wait_for(reader.readline(), 20) for reader, _ in streams]

    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    assert set(heads) == {b"HTTP/1.1 200 OK\r\n"}


def test_requests_pipelined_on_one_connection_are_answered_in_order(pinion: Live) -> None:
    body = msgspec.json.encode({**ORDER, "price": "1", "time_in_force": "ioc"})
    head = f"POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TRADER}\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    last = request.replace(b"Host: localhost", b"Host: localhost\r\nConnection: close")
    with socket.create_connection(("127.0.0.1", pinion.order_port), timeout=20) as sock:
        sock.sendall(request * 4 + last)
        answers = sock.makefile("rb").read().split(b"HTTP/1.1 200 OK\r\n")[1:]

    order_ids = [msgspec.json.decode(each.partition(b"\r\n\r\n")[2])["order_id"] for each in answers]
    assert len(order_ids) == 5
    assert order_ids == sorted(order_ids)
