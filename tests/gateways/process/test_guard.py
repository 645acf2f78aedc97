"""For which hosts a door answers, and which pages may speak to it."""

from typing import Any

import msgspec
import pytest

from engine.settings.door_settings import DoorLimits
from gateways.process.answers import Reply
from gateways.process.connections import ConnectionServer
from gateways.process.guard import Guard
from tests.gateways.process.wire import converse

API_PORT = 8000


def server_of(guard: Any) -> ConnectionServer:
    """Return a door that answers 200 whatever its guard lets in."""

    async def handle(request: Any) -> Any:
        return Reply(200, b"{}")

    return ConnectionServer(handle, guard, DoorLimits(), connections_max=9)


async def answered(guard: Any, head: Any, line: Any = b"GET / HTTP/1.1") -> Any:
    """Return the status of a request with these headers, and its document."""

    answer, _ = await converse(server_of(guard), [line + b"\r\n" + head + b"\r\n\r\n"])
    return int(answer.split()[1]), msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])


def guard(bound: Any = "127.0.0.1", hosts: Any = (), origins: Any = (), port: Any = API_PORT) -> Any:
    return Guard("orders", bound, hosts, origins, lambda: port)


@pytest.mark.parametrize(
    ("bound", "hosts", "host", "status"),
    [
        ("127.0.0.1", (), "127.0.0.1:8001", 200),
        ("127.0.0.1", (), "localhost", 200),
        ("127.0.0.1", (), "LOCALHOST.:9000", 200),
        ("127.0.0.1", (), "[::1]:8001", 200),
        ("127.0.0.1", (), "evil.example:8001", 421),
        ("127.0.0.1", (), "localhost.evil.example", 421),
        ("127.0.0.1", (), "127.0.0.1.evil.example", 421),
        ("127.0.0.1", (), "192.0.2.1", 421),
        ("127.0.0.1", (), "", 421),
        ("127.0.0.1", (), "localhost:x", 421),
        ("127.0.0.1", (), "user@localhost", 421),
        ("192.0.2.1", (), "192.0.2.1:8001", 200),
        ("box.lan", (), "BOX.lan", 200),
        ("0.0.0.0", (), "192.0.2.1", 200),
        ("::", (), "[2001:db8::1]:8001", 200),
        ("::", (), "evil.example", 421),
        ("127.0.0.1", ("a.example",), "A.example:1234", 200),
        ("127.0.0.1", ("a.example",), "localhost", 421),
        ("127.0.0.1", ("a.example:8443",), "a.example:8443", 200),
        ("127.0.0.1", ("a.example:8443",), "a.example:8444", 421),
        ("127.0.0.1", ("a.example:8443",), "a.example", 421),
        ("127.0.0.1", ("a.example:443",), "a.example", 200),
        ("127.0.0.1", ("*",), "whatever.example", 200),
    ],
)
async def test_hosts(bound: Any, hosts: Any, host: Any, status: Any) -> None:
    found, document = await answered(guard(bound, hosts), b"Host: " + host.encode())

    assert found == status
    if status != 200:
        assert (document["reason"], document["field"]) == ("unknown_host", "Host")
        assert "orders.hosts" in document["detail"]
        assert repr(host) in document["detail"]


async def test_host_of_the_long_form_is_looked_at_too() -> None:
    for target, status in (
        (b"http://localhost/", 200),
        (b"http://evil.example/", 421),
        (b"http://a@evil.example", 421),
    ):
        found, _ = await answered(guard(), b"Host: localhost", b"GET " + target + b" HTTP/1.1")
        assert found == status


async def test_http_1_0_needs_no_host() -> None:
    assert (await answered(guard(), b"X: y", b"GET / HTTP/1.0"))[0] == 200


@pytest.mark.parametrize(
    ("origins", "origin", "status"),
    [
        ((), "http://localhost:8000", 200),
        ((), "http://127.0.0.1:8000", 200),
        ((), "HTTP://LocalHost.:8000", 200),
        ((), "http://localhost:8001", 200),  # the very address that is asked
        ((), "http://localhost:3000", 403),
        ((), "http://localhost", 403),
        ((), "http://evil.example:8000", 403),
        ((), "https://evil.example", 403),
        ((), "null", 403),
        ((), "", 403),
        ((), "file://", 403),
        (("https://desk.example",), "https://desk.example", 200),
        (("https://desk.example",), "https://desk.example:443", 200),
        (("https://desk.example",), "http://desk.example", 403),
        (("https://desk.example",), "https://desk.example:8443", 403),
        (("https://desk.example",), "http://localhost:8000", 403),
        (("*",), "null", 200),
    ],
)
async def test_origins(origins: Any, origin: Any, status: Any) -> None:
    head = b"Host: localhost:8001\r\nOrigin: " + origin.encode()
    upgrade = head + b"\r\nConnection: upgrade\r\nUpgrade: websocket"
    body = head + b"\r\nContent-Length: 0"

    for asked, line in ((body, b"POST"), (body, b"DELETE"), (body, b"PATCH"), (upgrade, b"GET")):
        found, document = await answered(guard(origins=origins), asked, line + b" / HTTP/1.1")
        assert found == status, line
        if status != 200:
            assert (document["reason"], document["field"]) == ("unknown_origin", "Origin")
            assert "orders.origins" in document["detail"]
    assert (await answered(guard(origins=origins), head))[0] == 200  # reading changes nothing


async def test_no_origin_passes_and_an_unknown_port_of_the_api_lets_nobody_else_in() -> None:
    no_port = guard(port=None)
    assert (await answered(no_port, b"Host: localhost:8001", b"POST / HTTP/1.1"))[0] == 200
    head = b"Host: localhost:8001\r\nOrigin: http://localhost:8000"
    assert (await answered(no_port, head, b"POST / HTTP/1.1"))[0] == 403


async def test_door_behind_a_proxy_takes_the_pages_of_its_own_name() -> None:
    behind = guard(hosts=("pinion.example",))
    head = b"Host: pinion.example\r\nOrigin: https://pinion.example"
    assert (await answered(behind, head, b"POST / HTTP/1.1"))[0] == 200
    assert (await answered(behind, head.replace(b"https", b"http"), b"POST / HTTP/1.1"))[0] == 200
    assert (await answered(behind, head + b":9999", b"POST / HTTP/1.1"))[0] == 403


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "zstd", "x", "identity, gzip"])
async def test_encoded_bodies_are_415(coding: Any) -> None:
    head = b"Host: localhost\r\nContent-Encoding: " + coding.encode()
    found, document = await answered(guard(), head, b"POST / HTTP/1.1")

    assert (found, document["reason"]) == (415, "unsupported_encoding")


@pytest.mark.parametrize(("first", "second"), [("identity", "gzip"), ("gzip", "identity"), ("", "br")])
async def test_every_content_encoding_counts(first: Any, second: Any) -> None:
    head = f"Host: localhost\r\nContent-Encoding: {first}\r\ncontent-encoding: {second}"
    found, document = await answered(guard(), head.encode(), b"POST / HTTP/1.1")

    assert (found, document["field"]) == (415, "Content-Encoding")


CODINGS = [b"gzip, chunked", b"gzip,chunked", b"identity, chunked", b",chunked", b"x-own, CHUNKED", b""]


@pytest.mark.parametrize("coding", CODINGS, ids=str)
async def test_transfer_coding_that_nobody_undoes_is_501_and_closes(coding: Any) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: " + coding + b"\r\n\r\n"
    body = b"0\r\n\r\n" if coding else b""

    answer, is_closed = await converse(server_of(guard()), [head + body])

    document = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])
    assert answer.startswith(b"HTTP/1.1 501 ")
    assert (document["reason"], document["field"]) == ("unsupported_encoding", "Transfer-Encoding")
    assert repr(coding.decode()) in document["detail"]
    assert "chunked" in document["detail"]
    assert is_closed


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked"])
async def test_chunks_are_taken(coding: Any) -> None:
    head = b"Host: localhost\r\nTransfer-Encoding: " + coding
    assert (await answered(guard(), head, b"POST / HTTP/1.1"))[0] == 200


@pytest.mark.parametrize("method", [b"GET", b"POST"], ids=bytes.decode)
@pytest.mark.parametrize("expectation", [b"foo", b"100-continue, foo", b"100-continued", b"200-ok"], ids=str)
async def test_expectation_that_nobody_meets_is_417(method: Any, expectation: Any) -> None:
    head = b"Host: localhost\r\nExpect: " + expectation

    found, document = await answered(guard(), head, method + b" / HTTP/1.1")

    assert (found, document["reason"], document["field"]) == (417, "expectation_failed", "Expect")
    assert repr(expectation.decode()) in document["detail"]
    assert "100-continue" in document["detail"]


@pytest.mark.parametrize("expectation", [b"100-continue", b"100-Continue", b""])
async def test_expectation_that_is_met_passes(expectation: Any) -> None:
    head = b"Host: localhost\r\nContent-Length: 0\r\nExpect: " + expectation
    assert (await answered(guard(), head, b"POST / HTTP/1.1"))[0] == 200


async def test_http_1_0_knows_no_expectations() -> None:
    assert (await answered(guard(), b"Host: localhost\r\nExpect: foo", b"GET / HTTP/1.0"))[0] == 200


FRAGMENTS = [
    b"/#",
    b"/v1/orders?account=1#&symbol=XYZ",
    b"/v1/orders/client:nope#b?account=1",
    b"http://localhost/v1/orders?account=1#",
]


@pytest.mark.parametrize("target", FRAGMENTS, ids=str)
@pytest.mark.parametrize("method", [b"GET", b"POST", b"DELETE"], ids=bytes.decode)
async def test_fragment_is_refused_for_what_stands_behind_it_would_be_dropped(
    method: Any, target: Any
) -> None:
    line = method + b" " + target + b" HTTP/1.1"
    upgrade = b"Host: localhost\r\nConnection: upgrade\r\nUpgrade: websocket"

    for head in (b"Host: localhost", upgrade):
        found, document = await answered(guard(), head, line)
        assert (found, document["reason"]) == (400, "malformed")
        assert repr(target[target.index(b"#") :].decode()) in document["detail"]
        assert "write %23 for #" in document["detail"]


async def test_percent_encoded_sign_of_a_fragment_passes() -> None:
    assert (await answered(guard(), b"Host: localhost", b"GET /a%23b?c=%23d HTTP/1.1"))[0] == 200


ONCE = [
    ("Host", "localhost", "evil.example"),
    ("Origin", "http://localhost:8000", "http://evil.example"),
    ("Authorization", "Bearer a", "Bearer b"),
    ("Idempotency-Key", "a", "b"),
    ("Content-Type", "application/json", "text/plain"),
    ("Expect", "100-continue", "nothing"),
    ("Upgrade", "websocket", "h2c"),
    ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==", "BAAAAAAAAAAAAAAAAAAAAA=="),
    ("Sec-WebSocket-Version", "13", "8"),
]


@pytest.mark.parametrize(("name", "good", "other"), ONCE, ids=[name for name, *_ in ONCE])
async def test_header_that_decides_is_refused_when_given_twice(name: Any, good: Any, other: Any) -> None:
    host = "" if name == "Host" else "Host: localhost\r\n"
    for values in ((good, good), (good, other), (other, good)):
        head = f"{host}{name}: {values[0]}\r\n{name.lower()}: {values[1]}"
        for line in (b"GET / HTTP/1.1", b"POST / HTTP/1.1"):
            found, document = await answered(guard(), head.encode(), line)
            assert (found, document["reason"]) == (400, "malformed"), values
            assert name.lower() in document["detail"].lower()


async def test_other_headers_may_come_twice() -> None:
    head = b"Host: localhost\r\nAccept: a\r\nAccept: b\r\nX-Forwarded-For: a\r\nX-Forwarded-For: b"
    assert (await answered(guard(), head))[0] == 200
