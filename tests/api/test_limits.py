"""Both doors as a stranger meets them: real sockets, a real instance, nothing that shuts others out."""

import asyncio
import contextlib
from urllib.parse import urlsplit

import aiohttp
import pytest

from engine.settings.door_settings import DoorLimits
from tests.api.conftest import EVERY, Instance, next_message

TOKEN = EVERY["Authorization"].removeprefix("Bearer ")
HELD = 600
"""More than the streams that are served with a key."""


def ports(instance: Instance) -> list[int]:
    """Return the ports of the query door and of the order door."""
    return [int(urlsplit(each).port or 0) for each in (instance.api, instance.orders)]


def upgrade(path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def talk(port: int, data: bytes) -> bytes:
    """Send bytes, say that no more come, and return everything that is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


async def test_streams_without_a_key_lock_no_reader_with_a_key_out(instance: Instance) -> None:
    port = ports(instance)[0]
    async with contextlib.AsyncExitStack() as held:
        for _ in range(HELD):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            held.callback(writer.close)
            writer.write(upgrade("/v1/stream"))
            assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).startswith(b"HTTP/1.1 101")

        async with instance.stream() as by_header, instance.stream({}) as by_message:
            await by_message.send_json({"op": "auth", "token": TOKEN})
            assert (await next_message(by_message, type="authenticated"))["name"] == "every"
            for each in (by_header, by_message):
                await each.send_json({"op": "ping"})
                await next_message(each, type="pong")


async def test_reader_without_a_key_gives_way_to_the_newest(instance: Instance) -> None:
    async with contextlib.AsyncExitStack() as held:
        first = await held.enter_async_context(instance.stream({}))
        for _ in range(DoorLimits().keyless_streams):
            await held.enter_async_context(instance.stream({}))

        message = await first.receive(timeout=20)

    assert message.type is aiohttp.WSMsgType.CLOSE
    assert (message.data, "name yours" in (message.extra or "")) == (4001, True)


async def test_head_has_no_body_and_the_next_answer_follows(instance: Instance) -> None:
    for port, path in zip(ports(instance), ("/healthz", "/v1/orders"), strict=True):
        key = f"Host: localhost\r\nAuthorization: {EVERY['Authorization']}\r\n"
        asked = f"HEAD {path} HTTP/1.1\r\n{key}\r\nGET /v1/nothing HTTP/1.1\r\n{key}Connection: close\r\n\r\n"

        answer = await talk(port, asked.encode())

        head, _, rest = answer.partition(b"\r\n\r\n")
        assert b"Content-Length: " in head
        assert rest.startswith(b"HTTP/1.1 404 "), rest


@pytest.mark.parametrize(
    ("head", "status", "named"),
    [
        ("FLY / HTTP/1.1\r\nHost: localhost", 400, b"not readable as HTTP"),
        ("GET / HTTP/2.0\r\nHost: localhost", 505, b"HTTP/2.0"),
        ("GET / HTTP/1.1", 400, b"Host"),
        ("GET /v1/orders HTTP/1.1\r\nHost: evil.example", 421, b".hosts"),
        ("POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example", 403, b".origins"),
        ("POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip", 415, b"gzip"),
        (
            "GET /v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: a\r\nAuthorization: b",
            400,
            b"Authorization",
        ),
        (
            "GET / HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: a\r\nIdempotency-Key: b",
            400,
            b"Idempotency-Key",
        ),
    ],
)
async def test_both_doors_refuse_alike(instance: Instance, head: str, status: int, named: bytes) -> None:
    for port in ports(instance):
        answer = await talk(port, f"{head}\r\nConnection: close\r\n\r\n".encode())

        assert answer.startswith(b"HTTP/1.1 %d " % status), answer
        assert b"Content-Type: application/problem+json" in answer
        assert named in answer


async def test_wrong_method_and_options_tell_what_there_is(instance: Instance) -> None:
    for base, path, allow in (
        (instance.api, "/v1/status", {"GET", "HEAD"}),
        (instance.orders, "/v1/orders", {"POST", "DELETE"}),
    ):
        async with instance.client.request("PUT", base + path, headers=EVERY) as wrong:
            assert (wrong.status, wrong.content_type) == (405, "application/problem+json")
            assert set(wrong.headers["Allow"].replace(" ", "").split(",")) == allow
        async with instance.client.options(base + path, headers=EVERY) as options:
            assert (options.status, await options.read()) == (204, b"")
            assert set(options.headers["Allow"].replace(" ", "").split(",")) == allow


async def test_unmasked_frames_close_both_websockets_with_1002(instance: Instance) -> None:
    key = f"Authorization: {EVERY['Authorization']}"
    for port, path in zip(ports(instance), ("/v1/stream", "/v1/session"), strict=True):
        answer = await talk(port, upgrade(path, key) + b"\x81\x02{}")

        frames = answer.partition(b"\r\n\r\n")[2]
        assert (frames[0], int.from_bytes(frames[2:4], "big")) == (0x88, 1002), answer


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
async def test_only_get_opens_a_websocket(instance: Instance, method: str) -> None:
    headers = (f"Authorization: {EVERY['Authorization']}", "Connection: close")
    for port, path in zip(ports(instance), ("/v1/stream", "/v1/session"), strict=True):
        answer = await talk(port, upgrade(path, *headers, method=method))

        assert answer.startswith(b"HTTP/1.1 405 "), answer
        assert b"\r\nAllow: GET\r\n" in answer


async def test_two_origins_open_no_websocket(instance: Instance) -> None:
    own = f"Origin: {instance.api}"
    headers = (f"Authorization: {EVERY['Authorization']}", own, "Origin: http://evil.example")
    for port, path in zip(ports(instance), ("/v1/stream", "/v1/session"), strict=True):
        answer = await talk(port, upgrade(path, *headers, "Connection: close"))

        assert answer.startswith(b"HTTP/1.1 400 "), answer
        assert b'"field":"Origin"' in answer


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/v1/orders?account=1#&symbol=IDLE", "X-Any: thing", 400),
        ("/v1/orders?account=1", "Transfer-Encoding: gzip, chunked", 501),
        ("/v1/orders?account=1", "Expect: foo", 417),
    ],
)
async def test_both_doors_refuse_in_the_same_words(
    instance: Instance, path: str, header: str, status: int
) -> None:
    answers = []
    for port, method in zip(ports(instance), ("GET", "DELETE"), strict=True):
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {EVERY['Authorization']}\r\n"
        body = "0\r\n\r\n" if "chunked" in header else ""
        answers.append(await talk(port, f"{head}{header}\r\nConnection: close\r\n\r\n{body}".encode()))

    assert answers[0].startswith(f"HTTP/1.1 {status} ".encode()), answers
    assert b"\r\nContent-Type: application/problem+json\r\n" in answers[0]
    assert answers[0] == answers[1]


async def test_bare_fragment_opens_no_websocket(instance: Instance) -> None:
    key = f"Authorization: {EVERY['Authorization']}"
    for port, path in zip(ports(instance), ("/v1/stream#a", "/v1/session#a"), strict=True):
        answer = await talk(port, upgrade(path, key, "Connection: close"))

        assert answer.startswith(b"HTTP/1.1 400 "), answer


async def test_odd_request_ids_are_refused_by_name_on_both_websockets(instance: Instance) -> None:
    session = instance.client.ws_connect(instance.orders + "/v1/session", headers=EVERY)
    async with session as orders, instance.stream() as stream:
        for odd in ("1" * 400, "1" * 4000, str(2**63), "-1" + "0" * 19, "1.5", "1e3", "{}", "[[1]]", "true"):
            await orders.send_str(f'{{"id":{odd},"op":"cancel","account":1,"order_id":1}}')
            assert (await orders.receive_json(timeout=20))["problem"]["field"] == "id", odd
        for odd in ("1" * 400, "1" * 3000, str(2**63), "1.5", "{}", "true", '"' + "x" * 65 + '"'):
            await stream.send_str(f'{{"id":{odd},"op":"ping"}}')
            assert (await next_message(stream, type="error"))["field"] == "id", odd
        await orders.send_str(f'{{"id":{2**63 - 1},"op":"cancel","account":1,"order_id":1}}')
        assert (await orders.receive_json(timeout=20))["id"] == 2**63 - 1


async def test_message_of_a_megabyte_closes_both_websockets_with_1009(instance: Instance) -> None:
    session = instance.client.ws_connect(instance.orders + "/v1/session", headers=EVERY)
    async with session as orders, instance.stream() as stream:
        for each in (orders, stream):
            with contextlib.suppress(ConnectionError):  # it may be closed while it still sends
                await each.send_str('{"id":"' + "x" * 2**20 + '"}')
            message = await each.receive(timeout=20)
            assert message.data == 1009 or each.close_code == 1009
