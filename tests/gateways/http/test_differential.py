"""The plain way and aiohttp's answer the same to the same bytes, in whatever chunks they come."""

import random
import re
from typing import Any

import pytest

from engine.settings.door_settings import DoorLimits
from engine.trading.records import Role
from gateways.http.connections import OrderServer
from gateways.http.idempotency import REUSED
from gateways.http.keys import key_ring
from gateways.http.sockets import Sockets
from gateways.process.guard import Guard
from tests.gateways.process.wire import converse

KEY = "key-of-a-trader-1"
SEED = 20261128
ORDER = b'{"account":1,"symbol":"XYZ","side":"buy","price":"1","quantity":"1","time_in_force":"ioc"}'
NUMBERS = re.compile(rb'"(order_id|seq|eng_ts)":\d+')
LENGTH = re.compile(rb"(?<=200 OK\r\nContent-Type: application/json\r\nContent-Length: )\d+")
"""What differs between two answers to the same order."""
HEAD = b"Host: localhost:8001\r\nAuthorization: Bearer " + KEY.encode()


class Trader:
    name, token, accounts, roles = "tess", KEY, (1, 2), Role.TRADER


def request(
    line: Any = b"POST /v1/orders",
    body: Any = ORDER,
    head: Any = HEAD,
    version: Any = b"HTTP/1.1",
    length: Any = None,
) -> Any:
    size = b"" if length == b"none" else b"\r\nContent-Length: " + (length or b"%d" % len(body))
    return line + b" " + version + b"\r\n" + head + size + b"\r\n\r\n" + body


LINES = [
    *(
        method + b" /v1/orders"
        for method in (b"POST", b"GET", b"HEAD", b"PUT", b"PATCH", b"OPTIONS", b"TRACE")
    ),
    *(b"POST /v1/" + path for path in (b"orders/batch", b"admin", b"session", b"orders/1", b"nothing", b"")),
    *(
        b"DELETE /v1/orders" + path
        for path in (b"?account=1", b"?account=x", b"?a=1&a=2", b"?account=3", b"")
    ),
    *(b"DELETE /v1/orders/" + path for path in (b"7?account=1", b"client:a?account=1", b"x", b"", b"1/2")),
    *(b"PATCH /v1/orders/" + path for path in (b"7", b"7?account=1", b"client:a%20b?account=1")),
    *(b"HEAD /v1/" + path for path in (b"orders/7", b"session", b"nothing")),
    b"GET /v1/session",
    b"OPTIONS /v1/orders/7",
    b"POST http://localhost:8001/v1/orders",
    b"POST http://evil.example/v1/orders",
    b"POST /v1/orders#here",
    b"POST /v1/orders?x=1",
    b"DELETE /v1/orders?account=1#&symbol=XYZ",
    b"DELETE /v1/orders/client:nope#b?account=1",
    b"GET /v1/session#a",
    b"POST  /v1/orders",
    b"post /v1/orders",
    b"FLY /v1/orders",
    b"POST /v1/orders\xc3\xa9",
    b"CONNECT localhost:8001",
    b"OPTIONS *",
]
HEADS = [
    HEAD,
    HEAD.replace(b"localhost:8001", b"evil.example"),
    HEAD.replace(b"localhost:8001", b"LOCALHOST."),
    HEAD.replace(b"localhost:8001", b"127.0.0.1:8001"),
    HEAD.replace(b"localhost:8001", b""),
    HEAD.replace(b"localhost:8001", b"[::1]:8001"),
    HEAD.replace(b"Host: localhost:8001\r\n", b""),
    HEAD.replace(KEY.encode(), b"another-key"),
    HEAD.replace(b"Bearer", b"Basic"),
    HEAD.replace(b"Bearer ", b"bearer  "),
    HEAD.partition(b"\r\nAuthorization")[0],
    *(
        HEAD + b"\r\n" + line
        for line in (
            b"Host: localhost:8001",
            b"Authorization: Bearer " + KEY.encode(),
            b"Authorization: Bearer other",
            b"Content-Encoding: gzip",
            b"Content-Encoding: identity",
            b"Content-Encoding: x, gzip",
            b"Origin: http://localhost:8000",
            b"Origin: http://evil.example",
            b"Origin: null",
            b"Connection: close",
            b"Connection: keep-alive",
            b"Connection: upgrade\r\nUpgrade: websocket",
            b"Upgrade: h2c",
            b"Content-Encoding: identity\r\nContent-Encoding: gzip",
            b"Origin: http://localhost:8000\r\nOrigin: http://evil.example",
            b"Idempotency-Key:",
            b"Idempotency-Key: a\r\nIdempotency-Key: b",
            b"Idempotency-Key: a\r\nidempotency-key: a",
            b"Expect: nothing",
            b"Expect: 100-continue, nothing",
            b"Expect: 100-continue",
            b"X-Odd: \x01",
            b"X-Odd: \xff",
            b"X Odd: a",
            b"X-Odd",
            b" folded",
            b": nameless",
            b"X-Tab:\ta\t",
            b"X-Long: " + b"y" * 9000,
            b"TE: trailers",
            b"Cookie: a=b",
        )
    ),
]
BODIES = [ORDER, b"", b"{", b"[]", b"null", b'{"op":"cancel"}', b"\xff", ORDER.replace(b'"1"', b"1.5")]
LENGTHS = [b"005", b"+5", b"-1", b"0x5", b"", b"5, 5", b"99999999999999999999", b"5\r\nContent-Length: 6"]


@pytest.fixture
def server(door: Any) -> Any:
    limits = DoorLimits()
    sockets = Sockets(key_ring([Trader], [2]), door.desk, lambda: 9, limits)
    guard = Guard("orders", "127.0.0.1", (), (), lambda: 8000)
    return lambda: OrderServer(sockets.handle, sockets.plain, guard, limits, connections_max=100)


def told(answer: Any) -> Any:
    data, is_closed = answer
    return LENGTH.sub(b"0", NUMBERS.sub(rb'"\1":0', data)), is_closed


CASES = [
    *(
        request(line=line, body=b"" if line[:4] in (b"DELE", b"HEAD", b"GET ", b"OPTI") else ORDER)
        for line in LINES
    ),
    *(request(head=head) for head in HEADS),
    *(request(body=body) for body in BODIES),
    *(request(body=ORDER[:5], length=length) for length in LENGTHS),
    *(
        request(version=version)
        for version in (b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2", b"HTTP/0.9", b"HTTP", b"")
    ),
    request(length=b"none"),
    request(length=b"none", body=b"", head=HEAD + b"\r\nTransfer-Encoding: chunked")
    + b"5\r\n{    \r\n0\r\n\r\n",
    request(length=b"none", body=b"", head=HEAD + b"\r\nTransfer-Encoding: chunked") + b"x\r\n{\r\n",
    request(head=HEAD + b"\r\nTransfer-Encoding: chunked"),
    request(length=b"none", body=b"", head=HEAD + b"\r\nTransfer-Encoding: gzip, chunked")
    + b"5\r\n{    \r\n0\r\n\r\n",
    request().replace(b"\r\n", b"\n"),
    b"\r\n" + request(),
]


@pytest.mark.parametrize("data", CASES, ids=lambda data: str(data[:40]))
async def test_both_ways_answer_the_same(door: Any, server: Any, data: Any) -> None:
    whole = told(await converse(server(), [data], door.turn))
    through_aiohttp = told(await converse(server(), [data[:1], data[1:]], door.turn))

    assert whole == through_aiohttp
    assert whole[0].startswith(b"HTTP/1.1 "), whole
    status = int(whole[0].split()[1])
    assert status != 500
    if status >= 400:
        assert b"Content-Type: application/problem+json\r\n" in whole[0]
    if status == 405:
        assert re.search(rb"\r\nAllow: [A-Z, ]+\r\n", whole[0])


async def test_filter_behind_a_fragment_is_never_dropped(door: Any, server: Any) -> None:
    line = b"DELETE /v1/orders?account=1#&symbol=ABC"
    await converse(server(), [request(body=ORDER.replace(b"ioc", b"gtc"))], door.turn)

    answer, _ = await converse(server(), [request(line=line, body=b"")], door.turn)

    assert answer.startswith(b"HTTP/1.1 400 ")
    kept, _ = await converse(server(), [request(line=b"DELETE /v1/orders?account=1", body=b"")], door.turn)
    assert b'"cancelled_count":1' in kept, "the order of the other instrument is still there"


@pytest.mark.parametrize(
    "data",
    [
        request(),
        request(body=b"{"),
        request(line=b"DELETE /v1/orders?account=1", body=b""),
        request(line=b"HEAD /v1/orders", body=b""),
        request(head=HEAD + b"\r\nContent-Encoding: gzip"),
        request(head=HEAD.replace(b"localhost", b"evil")),
    ],
    ids=lambda data: str(data[:40]),
)
async def test_every_split_is_answered_the_same(door: Any, server: Any, data: Any) -> None:
    data += request(line=b"GET /v1/nothing", body=b"")
    expected = told(await converse(server(), [data], door.turn))

    assert expected[0].count(b"HTTP/1.1 ") == 2
    for size in range(1, len(data)):
        assert told(await converse(server(), [data[:size], data[size:]], door.turn)) == expected, data[:size]


async def test_random_pipelines_are_answered_the_same_in_any_chunks(door: Any, server: Any) -> None:
    chance = random.Random(SEED)
    lines = [line for line in LINES if b"  " not in line and line.split()[0].isalpha() and line[:1].isupper()]
    good = [request(line=line, body=b"" if line[:4] == b"HEAD" else b"{}") for line in lines]
    good = [data for data in good if b"FLY" not in data and b"CONNECT" not in data and b"\xc3" not in data]
    for _ in range(60):
        data = b"".join(chance.choice([request(), *good]) for _ in range(4))
        expected = told(await converse(server(), [data], door.turn))
        cuts = sorted(chance.randrange(len(data)) for _ in range(chance.randrange(1, 8)))
        chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if b > a]

        assert told(await converse(server(), chunks, door.turn)) == expected, f"seed {SEED}, {data!r}"
        assert len(re.findall(rb"HTTP/1.1 [2-5]", expected[0])) == 4, data


async def test_answer_to_head_has_no_body_and_the_next_one_follows(door: Any, server: Any) -> None:
    data = request(line=b"HEAD /v1/orders", body=b"") + request(line=b"GET /v1/nothing", body=b"")

    answer, is_closed = await converse(server(), [data], door.turn)

    first, _, rest = answer.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: POST, DELETE\r\n" in first
    assert rest.startswith(b"HTTP/1.1 404 "), rest
    assert not is_closed


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        (b"/v1/orders", b"POST, DELETE"),
        (b"/v1/orders/batch", b"POST"),
        (b"/v1/orders/7", b"PATCH, DELETE"),
        (b"/v1/admin", b"POST"),
        (b"/v1/session", b"GET"),
    ],
)
async def test_options_and_405_tell_the_methods(door: Any, server: Any, path: Any, allow: Any) -> None:
    asked = request(line=b"OPTIONS " + path, body=b"") + request(line=b"PUT " + path, body=b"{}")

    answer, _ = await converse(server(), [asked], door.turn)

    options, refused = re.split(rb"(?<=\r\n\r\n)(?=HTTP)", answer)
    assert options == b"HTTP/1.1 204 No Content\r\nAllow: " + allow + b"\r\n\r\n"
    assert refused.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: " + allow + b"\r\n" in refused


@pytest.mark.parametrize("is_split", [False, True])
async def test_idempotency_key_belongs_to_the_account(door: Any, server: Any, is_split: Any) -> None:
    async def answer(account: Any, quantity: Any = b"1") -> Any:
        body = ORDER.replace(b'"account":1', b'"account":%d' % account).replace(
            b'"quantity":"1"', b'"quantity":"%b"' % quantity
        )
        data = request(head=HEAD + b"\r\nIdempotency-Key: K", body=body)
        sent, _ = await converse(server(), [data[:1], data[1:]] if is_split else [data], door.turn)
        return int(sent.split()[1]), sent

    assert [(await answer(account))[0] for account in (1, 2)] == [200, 200]

    for account in (1, 2):
        status, same = await answer(account)
        assert (status, REUSED.encode() in same) == (409, False), same
        status, other = await answer(account, b"2")
        assert (status, REUSED.encode() in other) == (409, True), other


@pytest.mark.parametrize(
    "body", [ORDER[:-1] + b',"op":"new"}', b'{"op":"cancel","account":1,"order_id":1}', b"{"]
)
async def test_administration_is_for_operators_whatever_the_operation(
    door: Any, server: Any, body: Any
) -> None:
    for sent in (body, b"[" + body + b"]", body + b"\n" + body):
        answer, _ = await converse(server(), [request(line=b"POST /v1/admin", body=sent)], door.turn)

        assert answer.startswith(b"HTTP/1.1 403 "), answer
        assert b"lacks the role operator" in answer


@pytest.mark.parametrize(
    "line",
    [
        *(b"POST /v1/orders/batch", b"PATCH /v1/orders/7", b"DELETE /v1/orders/7?account=1"),
        *(b"DELETE /v1/orders?account=1", b"GET /v1/session"),
    ],
)
async def test_idempotency_key_is_refused_by_name_where_none_is_taken(
    door: Any, server: Any, line: Any
) -> None:
    data = request(line=line, head=HEAD + b"\r\nIdempotency-Key: k", body=b"")
    for chunks in ([data], [data[:1], data[1:]]):
        answer, _ = await converse(server(), chunks, door.turn)

        assert answer.startswith(b"HTTP/1.1 400 "), answer
        assert b'"field":"Idempotency-Key"' in answer


@pytest.mark.parametrize("second", [b"k", b"l"])
async def test_two_idempotency_keys_are_refused(door: Any, server: Any, second: Any) -> None:
    data = request(head=HEAD + b"\r\nIdempotency-Key: k\r\nidempotency-key: " + second)

    answer, _ = await converse(server(), [data], door.turn)

    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b'"field":"Idempotency-Key"' in answer
