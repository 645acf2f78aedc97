"""Which requests are plain, and that everything else is left to aiohttp."""

from typing import Any

import pytest

from gateways.http.plain import PLAIN_ORDERS
from gateways.process.plain import HEADS_KEPT, PlainRequests, read_head

OWN_HOST = "x"
BODY = b'{"account":1}'
GOOD = b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nContent-Length: 13"


def whole(head: Any, body: Any = BODY) -> Any:
    return head + b"\r\n\r\n" + body


def test_whole_request_is_taken_and_the_rest_left() -> None:
    taken = PlainRequests(PLAIN_ORDERS, OWN_HOST.__eq__).take(whole(GOOD) + b"POST")

    assert taken is not None
    head, body, rest = taken
    assert (head.method, head.path, head.length, head.authorization) == ("POST", "/v1/orders", 13, "Bearer k")
    assert (body, rest) == (BODY, b"POST")


def test_every_split_of_a_request_is_left_alone() -> None:
    data = whole(GOOD)
    for size in range(len(data)):
        assert PlainRequests(PLAIN_ORDERS, OWN_HOST.__eq__).take(data[:size]) is None


def test_query_is_decoded_and_the_address_left_as_it_was_sent() -> None:
    head = read_head(b"DELETE /v1/orders/client:a%20b?account=3&x=%22 HTTP/1.1\r\nHost: x", PLAIN_ORDERS)

    assert (head.path, head.query, head.length) == ("/v1/orders/client:a%20b", {"account": "3", "x": '"'}, 0)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"POST /v1/orders",
        b"POST /v1/orders HTTP/1.1\r\nContent-Length: 0",
        GOOD.replace(b"/v1/orders", b"/v1/orders?a#b"),
        GOOD + b"\r\nHost: x",
        GOOD + b"\r\nOrigin: http://x",
        GOOD + b"\r\nContent-Encoding: gzip",
        b"POST  /v1/orders HTTP/1.1\r\nContent-Length: 0",
        b"POST /v1/orders HTTP/1.0\r\nContent-Length: 0",
        b"post /v1/orders HTTP/1.1\r\nContent-Length: 0",
        b"GET /v1/orders HTTP/1.1",
        b"POST /v1/ordersx HTTP/1.1\r\nContent-Length: 0",
        b"POST /v1/orders/batch HTTP/1.1\r\nContent-Length: 0",
        b"POST http://x/v1/orders HTTP/1.1\r\nContent-Length: 0",
        b"POST /v1/orders HTTP/1.1",
        b"DELETE /v1/orders?a=1&a=2 HTTP/1.1",
        GOOD + b"\r\nContent-Length: 13",
        GOOD + b"\r\nTransfer-Encoding: chunked",
        GOOD + b"\r\ntransfer-encoding : chunked",
        GOOD + b"\r\nExpect: 100-continue",
        GOOD + b"\r\nConnection: close",
        GOOD + b"\r\nConnection: Upgrade",
        GOOD + b"\r\nUpgrade: websocket",
        GOOD + b"\r\nAuthorization: Bearer other",
        GOOD + b"\r\n folded",
        GOOD + b"\r\nX: a\nY: b",
        GOOD + b"\r\nX: a\rY: b",
        GOOD + b"\r\nX: \0",
        GOOD + b"\r\nX: \xc3\xa9",
        GOOD + b"\r\n: x",
        GOOD + b"\r\nno colon",
        GOOD + b"\r\nX: " + b"y" * 10_000,
        GOOD.replace(b"13", b"+13"),
        GOOD.replace(b"13", b"0x13"),
        GOOD.replace(b"13", b""),
        GOOD.replace(b"13", b"1000"),
    ],
)
def test_whatever_is_unusual_is_not_plain(head: Any) -> None:
    assert read_head(head, PLAIN_ORDERS) is None


def test_request_for_a_foreign_host_is_not_plain() -> None:
    requests = PlainRequests(PLAIN_ORDERS, OWN_HOST.__eq__)

    assert requests.take(whole(GOOD)) is not None
    assert requests.take(whole(GOOD.replace(b"Host: x", b"Host: evil.example"))) is None


def test_memory_of_heads_is_bounded() -> None:
    requests = PlainRequests(PLAIN_ORDERS, OWN_HOST.__eq__)
    for number in range(2 * HEADS_KEPT):
        requests.take(whole(GOOD + b"\r\nX: %d" % number))

    assert len(requests._heads) <= HEADS_KEPT


@pytest.mark.parametrize("name", [b"Idempotency-Key", b"idempotency-key"])
def test_the_header_that_is_never_the_same_is_read_beside_a_remembered_head(name: bytes) -> None:
    requests = PlainRequests(PLAIN_ORDERS, OWN_HOST.__eq__)
    found = []
    for value in (b" a", b"\tb ", b""):
        for head in (
            GOOD + b"\r\n" + name + b":" + value,
            GOOD.replace(b"\r\n", b"\r\n%b:%b\r\n" % (name, value), 1),
        ):
            taken = requests.take(whole(head))
            assert taken is not None
            found.append(taken[0].own)
    without = requests.take(whole(GOOD))

    assert found == [("a",), ("a",), ("b",), ("b",), ("",), ("",)]
    assert without is not None
    assert without[0].own == (None,)
    assert len(requests._heads) == 1


@pytest.mark.parametrize(
    "lines",
    [
        b"Idempotency-Key: a\r\nIdempotency-Key: b",
        b"Idempotency-Key: a\r\nIDEMPOTENCY-KEY: a",
        b"Idempotency-Key: a\r\n folded",
        b"Idempotency-Key : a",
        b"Idempotency-Key: \x01",
        b"Idempotency-Key: \xc3\xa9",
        b"Idempotency-Key: " + b"y" * 10_000,
    ],
)
def test_such_a_header_is_plain_only_where_it_is_given_once_and_whole(lines: bytes) -> None:
    requests = PlainRequests(PLAIN_ORDERS, OWN_HOST.__eq__)

    for _ in range(2):
        assert requests.take(whole(GOOD + b"\r\n" + lines)) is None
    assert requests.take(whole(GOOD.replace(b"\r\n", b"\r\n" + lines + b"\r\n", 1))) is None
