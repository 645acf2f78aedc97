"""Limits of a connection, on a simulated socket and a clock of the test's own."""

import asyncio
import logging
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from aiohttp import WSMsgType, web

from engine.settings.door_settings import DoorLimits
from gateways.process.answers import Reply
from gateways.process.connections import ConnectionServer
from gateways.process.guard import Guard
from tests.gateways.process.test_frames import BAD, frame
from tests.gateways.process.wire import Wire, converse, settle

LIMITS = DoorLimits(
    keyless_connections=4,
    keyless_connections_per_address=2,
    head_timeout_s=5,
    unread_timeout_s=7,
    idle_timeout_s=60,
)
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = (
    b"GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def handle(request: Any) -> Any:
    """Echo the body of a POST and the messages of a WebSocket; /late waits for its event."""
    if request.path == "/socket":
        socket = web.WebSocketResponse(max_msg_size=1024)
        await socket.prepare(request)
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket
    if request.path == "/late":
        await request.protocol.server.late.wait()
    if request.path == "/expect":
        raise web.HTTPExpectationFailed
    body = await request.read() if request.method == "POST" else b"{}"
    return Reply(200, body)


def new_server(limits: Any = LIMITS, connections_max: Any = 100) -> Any:
    guard = Guard("orders", "127.0.0.1", (), (), lambda: 8000)
    server: Any = ConnectionServer(handle, guard, limits, connections_max=connections_max)
    server.late = asyncio.Event()
    return server


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """Let no test of this file put anything into the log above debug."""
    caplog.set_level(logging.DEBUG)
    yield
    assert [each.getMessage() for each in caplog.records if each.levelno > logging.DEBUG] == []
    assert [each for each in caplog.records if each.exc_info] == []


def connect(server: Any, peer: Any = ("127.0.0.1", 40_000)) -> Any:
    connection, wire = server(), Wire(peer)
    connection.connection_made(wire)
    return connection, wire


def hang_up(*connections: Any) -> None:
    for connection in connections:
        connection.connection_lost(None)


def document(answer: Any) -> Any:
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head
    found = msgspec.json.decode(body)
    assert found["status"] == int(head.split()[1])
    return found


@pytest.mark.parametrize("beginning", [b"G", GET[:-2], b"\r\n", GET + b"GET /"])
async def test_head_that_does_not_end_is_answered_408_and_closed(beginning: Any) -> None:
    server = new_server()
    server.sweep(100.0)
    connection, wire = connect(server)
    connection.data_received(beginning[:-1])
    await settle()
    connection.data_received(beginning[-1:])
    await settle()
    wire.sent.clear()

    server.sweep(104.0)
    assert not wire.is_closing()
    server.sweep(105.0)

    assert document(wire.sent)["reason"] == "request_timeout"
    assert wire.is_closing()
    hang_up(connection)


async def test_connection_at_rest_between_two_requests_is_no_half_request() -> None:
    server = new_server()
    server.sweep(100.0)
    connection, wire = connect(server)
    for size in range(len(GET)):  # one byte at a time, but in time
        connection.data_received(GET[size : size + 1])
    await settle()
    assert wire.sent.startswith(b"HTTP/1.1 200")

    server.sweep(150.0)

    assert not wire.is_closing()
    hang_up(connection)


async def test_no_408_comes_between_a_request_and_its_late_answer() -> None:
    server = new_server()
    server.sweep(100.0)
    connection, wire = connect(server)
    connection.data_received(GET.replace(b"/ ", b"/late ") + b"GET / HT")
    await settle()
    connection.data_received(b"T")
    server.sweep(120.0)
    assert not wire.sent

    server.late.set()
    await settle()
    assert wire.sent.startswith(b"HTTP/1.1 200")
    server.sweep(121.0)

    assert wire.sent.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 408" in wire.sent
    hang_up(connection)


async def test_client_that_does_not_read_is_cut_off() -> None:
    server = new_server()
    server.sweep(100.0)
    connection, wire = connect(server)
    connection.pause_writing()

    server.sweep(106.0)
    assert not wire.was_aborted
    server.sweep(108.0)

    assert wire.was_aborted
    hang_up(connection)


async def test_door_that_stops_waits_for_no_client_that_does_not_read() -> None:
    server = new_server()
    stuck, stuck_wire = connect(server)
    reading, reading_wire = connect(server)
    stuck.pause_writing()

    server.cut_off_unread()

    assert (stuck_wire.was_aborted, reading_wire.was_aborted) == (True, False)
    hang_up(stuck, reading)


async def test_client_that_reads_again_in_time_is_kept() -> None:
    server = new_server()
    server.sweep(100.0)
    connection, wire = connect(server)
    connection.pause_writing()
    server.sweep(106.0)
    connection.resume_writing()
    server.sweep(120.0)

    assert not wire.was_aborted
    hang_up(connection)


async def test_closing_connection_whose_last_answer_nobody_reads_is_cut_off() -> None:
    server = new_server()
    connection, wire = connect(server)
    wire.close()

    server.sweep(100.0)
    server.sweep(108.0)

    assert wire.was_aborted
    hang_up(connection)


async def test_answers_that_pile_up_unread_end_the_connection() -> None:
    server = new_server()
    connection, wire = connect(server)
    wire.is_reading_client = False
    body = b"x" * 300_000
    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    for _ in range(10):
        if not wire.is_closing():
            connection.data_received(post)
            await settle()

    assert wire.was_aborted
    assert len(wire.sent) < 2**21
    hang_up(connection)


async def test_one_connection_more_than_the_limit_is_answered_503() -> None:
    server = new_server(DoorLimits(), connections_max=2)
    held = [connect(server) for _ in range(2)]
    held[0][0].show_key()

    surplus, wire = connect(server)

    assert document(wire.sent)["reason"] == "too_many_connections"
    assert wire.is_closing()
    hang_up(surplus, *(each for each, _ in held))
    newcomer, wire = connect(server)
    assert not wire.is_closing()
    hang_up(newcomer)


async def test_oldest_without_a_key_gives_way_and_those_with_one_stay() -> None:
    server = new_server()
    keyed, keyed_wire = connect(server)
    keyed.show_key()
    keyless = [connect(server) for _ in range(6)]

    assert [wire.is_closing() for _, wire in keyless] == [True, True, False, False, False, False]
    assert document(keyless[0][1].sent)["status"] == 503
    assert not keyed_wire.is_closing()
    hang_up(keyed, *(each for each, _ in keyless))
    assert (len(server.keyless), len(server.watched)) == (0, 0)


async def test_one_address_has_a_few_connections_without_a_key() -> None:
    server = new_server()
    held = [connect(server, ("192.0.2.1", port)) for port in range(3)]
    held.append(connect(server, ("192.0.2.2", 1)))

    assert [wire.is_closing() for _, wire in held] == [True, False, False, False]
    hang_up(*(each for each, _ in held))


UNREADABLE = {
    "tls": b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
    "no request": b"no request at all\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "version 2": b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "preface of version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no such method": b"FLY / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "space in a name": GET[:-2] + b"X Y: a\r\n\r\n",
    "control character": GET[:-2] + b"X: \x00\r\n\r\n",
    "long header": GET[:-2] + b"X: " + b"y" * 20_000 + b"\r\n\r\n",
    "many headers": GET[:-2] + b"".join(b"X%d: y\r\n" % i for i in range(1000)) + b"\r\n",
    "long target": b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "length twice": GET[:-2] + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "length and chunks": GET[:-2] + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": GET[:-2] + b"Content-Length: -1\r\n\r\n",
    "unknown coding": GET[:-2] + b"Transfer-Encoding: gzip\r\n\r\n",
}


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_not_readable_gets_a_problem_document_and_is_closed(raw: Any) -> None:
    for chunks in ([raw], [raw[:7], raw[7:]], [GET, raw]):
        answer, is_closed = await converse(new_server(), chunks)

        last = re.split(rb"(?=HTTP/1\.1 )", answer)[-1]
        assert document(last)["status"] in (400, 505)
        assert b"Connection: close\r\n" in last
        assert is_closed


@pytest.mark.parametrize(
    "chunk", [b"x\r\n{}\r\n", b"5\r\nabcdefgh\r\n", b"-1\r\n", b"2\r\n{}\n\n", b"f" * 40 + b"\r\n"]
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_bad_chunks_end_the_connection_quietly(method: Any, chunk: Any) -> None:
    head = method + b" / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

    _, is_closed = await converse(new_server(), [head, chunk])

    assert is_closed


@pytest.mark.parametrize("size", range(len(GET)))
async def test_client_that_leaves_in_a_head_is_forgotten_quietly(size: Any) -> None:
    server = new_server()

    await converse(server, [GET[:size]])

    assert not server.watched


@pytest.mark.parametrize(
    "fault", [None, ConnectionResetError(), BrokenPipeError(), TimeoutError(110, "timed out")]
)
@pytest.mark.parametrize(
    "rest", [b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"]
)
async def test_client_that_leaves_in_mid_body_is_forgotten_quietly(rest: Any, fault: Any) -> None:
    server = new_server()
    connection, _ = connect(server)
    connection.data_received(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + rest)
    await settle()

    connection.connection_lost(fault)
    await settle()

    assert not server.watched


async def test_client_that_leaves_before_its_answer_is_forgotten_quietly() -> None:
    server = new_server()
    connection, _ = connect(server)
    connection.data_received(GET.replace(b"/ ", b"/late ") + GET)
    await settle()

    connection.connection_lost(ConnectionResetError())
    server.late.set()
    await settle()

    assert not server.watched


async def test_refusal_of_aiohttp_itself_is_a_problem_document() -> None:
    answer, _ = await converse(new_server(), [GET.replace(b"/ ", b"/expect ")])

    assert document(answer)["status"] == 417


def frames_of(data: Any) -> Any:
    """Return (opcode, payload) of the server's frames."""
    found = []
    while data:
        assert data[1] < 126
        found.append((data[0] & 15, data[2 : 2 + data[1]]))
        data = data[2 + data[1] :]
    return found


VIOLATIONS = {
    **{name: (raw, 1002) for name, raw in BAD.items()},
    "reserved bit": (frame(0xC1, b"x"), 1002),
    "second reserved bit": (frame(0xA1, b"x"), 1002),
    "unknown opcode": (frame(0x83, b"x"), 1002),
    "unknown control opcode": (frame(0x8B, b"x"), 1002),
    "control frame in parts": (frame(0x09, b"x"), 1002),
    "long control frame": (frame(0x89, b"x" * 126), 1002),
    "close of one byte": (frame(0x88, b"x"), 1002),
    "close with a code that is none": (frame(0x88, b"\x03\xed"), 1002),
    "text that is no text": (frame(0x81, b"\xff\xfe"), 1007),
    "text in parts that is none": (frame(0x01, b"\xc3") + frame(0x80, b"x"), 1007),
    "long message": (frame(0x81, b"x" * 2000), 1009),
    "long message in parts": (frame(0x01, b"x" * 600) + frame(0x80, b"x" * 600), 1009),
    "length that does not end": (b"\x81\xff" + b"\xff" * 8 + b"mask", 1009),
}


@pytest.mark.parametrize(("raw", "code"), VIOLATIONS.values(), ids=VIOLATIONS)
async def test_websocket_that_breaks_the_protocol_is_closed_with_its_code(raw: Any, code: Any) -> None:
    masked = frame(0x81, b"first")
    for chunks in ([UPGRADE + masked + raw], [UPGRADE, masked + raw], [UPGRADE, masked, raw[:1], raw[1:]]):
        answer, is_closed = await converse(new_server(), chunks)

        told = frames_of(answer.partition(b"\r\n\r\n")[2])
        assert told[0] == (1, b"first")
        assert told[1][0] == 8
        assert int.from_bytes(told[1][1][:2], "big") == code
        assert is_closed


async def test_websocket_client_that_offers_protocols_leaves_no_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    offered = UPGRADE[:-2] + b"Sec-WebSocket-Protocol: mine\r\n\r\n"

    answer, _ = await converse(new_server(), [offered])

    assert answer.startswith(b"HTTP/1.1 101")
