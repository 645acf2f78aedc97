"""Connections of the door for ISO 8583: many messages at a time, and what one client may take."""

import logging
import random

import pytest

from engine.contract.port import Closed
from gateways.iso8583.messages import MESSAGE_MAX
from gateways.iso8583.sockets import BUFFER_MAX, IN_FLIGHT_MAX, TURN_MESSAGES, UNREAD_MAX
from tests.gateways.iso8583.client import PAN, Message, encoded, framed, payment
from tests.gateways.iso8583.wired import IDLE_S, IsoDoor, Line
from tests.gateways.payments.wired_door import FakeGate
from tests.gateways.process.wire import settle


class FaultyGate(FakeGate):
    """A port that fails."""

    def closed_because(self) -> Closed | None:
        raise ZeroDivisionError


ECHO: Message = {"t": "0800", "7": "1129120000", "11": "000009", "70": "301"}


def echo(stan: int) -> Message:
    return {**ECHO, "11": f"{stan:06}"}


def stans(replies: list[Message]) -> list[int]:
    return [int(each["11"]) for each in replies]


async def test_messages_that_come_together_are_all_answered() -> None:
    door = IsoDoor()
    line = Line(door, door.server())

    replies = await line.send(*(payment(number, de_2=None) for number in range(5)), payment(5), echo(6))

    assert sorted(stans(replies)) == [*range(7)]
    assert {each["11"]: each["39"] for each in replies}["000005"] == "00"


async def test_a_later_message_may_be_answered_first() -> None:
    door = IsoDoor()
    line = Line(door, door.server())

    assert stans(await line.send(payment(1), echo(2)))[0] == 2
    assert stans(line.replies) == [2, 1]


async def test_a_message_may_come_in_any_pieces() -> None:
    rng = random.Random(7)
    door = IsoDoor()
    line = Line(door, door.server())
    data = b"".join(encoded(echo(number)) for number in range(40))

    while data:
        count = rng.randrange(1, 60)
        await line.raw(data[:count])
        data = data[count:]

    assert stans(line.replies) == [*range(40)]


async def test_a_connection_has_so_many_messages_in_flight_and_no_more() -> None:
    door = IsoDoor(gate=FakeGate())
    door.gate.is_silent = True
    line = Line(door, door.server())

    await line.send(*(payment(number) for number in range(IN_FLIGHT_MAX + 30)))

    assert door.dispatcher.waiting_count == IN_FLIGHT_MAX
    assert line.wire.is_paused
    door.gate.is_silent = False
    await line.settle()
    await line.settle()
    assert sorted(stans(line.replies)) == [*range(IN_FLIGHT_MAX + 30)]
    assert not line.wire.is_paused


async def test_what_is_sent_ahead_is_not_kept_without_bound() -> None:
    door = IsoDoor(gate=FakeGate())
    door.gate.is_silent = True
    line = Line(door, door.server())
    await line.send(*(payment(number) for number in range(IN_FLIGHT_MAX)))

    await line.raw(b"\x10\x00" + b"0" * BUFFER_MAX)

    assert line.wire.is_paused
    assert not line.wire.is_closing()


async def test_a_turn_of_the_loop_takes_some_messages_of_every_connection() -> None:
    door = IsoDoor()
    server = door.server()
    lines = [Line(door, server) for _ in range(2)]
    many = b"".join(encoded(echo(number)) for number in range(TURN_MESSAGES * 2))
    lines[0].connection.data_received(many)
    lines[1].connection.data_received(encoded(echo(1)))

    server._turn()

    assert len(lines[0].replies) == TURN_MESSAGES - 1
    assert len(lines[1].replies) == 1
    await lines[0].settle()
    assert stans(lines[0].replies) == [*range(TURN_MESSAGES * 2)]


@pytest.mark.parametrize("data", [b"\x00\x00", (MESSAGE_MAX + 1).to_bytes(2, "big"), b"\xff\xff" + b"0" * 99])
async def test_a_length_that_no_message_has_ends_the_connection(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    door = IsoDoor()
    line = Line(door, door.server())

    await line.raw(data)

    assert line.wire.is_closing()
    assert "of the peer of key 'acquirer' was ended: a message of" in caplog.text


async def test_what_comes_before_a_broken_length_is_answered() -> None:
    door = IsoDoor()
    line = Line(door, door.server())

    replies = await line.raw(encoded(echo(1)) + b"\x00\x00" + encoded(echo(2)))

    assert stans(replies) == [1]
    assert line.wire.is_closing()


@pytest.mark.parametrize(
    "message",
    [b"GET / HTTP/1.1\r\n\r\n", PAN.encode(), b"0110" + b"0" * 16, f"01{PAN}".encode(), b"\xff" * 40],
)
async def test_to_what_is_no_request_the_connection_ends_and_the_log_has_no_content(
    message: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    door = IsoDoor()
    line = Line(door, door.server())

    assert await line.raw(framed(message)) == []

    assert line.wire.is_closing()
    assert "was ended: a message" in caplog.text
    assert PAN[:12] not in caplog.text


async def test_a_message_that_is_broken_is_answered_and_the_next_one_read() -> None:
    door = IsoDoor()
    line = Line(door, door.server())

    replies = await line.raw(framed(encoded(payment())[2:-1]) + encoded(echo(2)))

    assert [(each["39"], each["11"]) for each in replies] == [("30", "000001"), ("00", "000002")]


async def test_a_stranger_is_refused_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    door = IsoDoor()
    line = Line(door, door.server(), "192.0.2.200")

    assert await line.send(payment()) == []

    assert line.wire.is_closing()
    assert "192.0.2.200" in caplog.text
    assert "payments.iso8583.peers" in caplog.text
    assert door.engine.s["decided"] == 0


@pytest.mark.parametrize(
    ("peer", "iso"), [("127.0.0.1", "00"), ("::ffff:127.0.0.1", "00"), ("192.0.2.9", "03"), ("::1", "58")]
)
async def test_a_peer_has_the_rights_of_its_key(peer: str, iso: str) -> None:
    door = IsoDoor()

    [reply] = await Line(door, door.server(), peer).send(payment())

    assert reply["39"] == iso


async def test_one_connection_too_many_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    door = IsoDoor()
    server = door.server(connections_max=2)
    lines = [Line(door, server) for _ in range(3)]

    assert [line.wire.is_closing() for line in lines] == [False, False, True]
    assert "2 connections are open" in caplog.text
    lines[0].connection.connection_lost(None)
    assert not Line(door, server).wire.is_closing()


async def test_half_a_message_is_waited_for_and_then_given_up(caplog: pytest.LogCaptureFixture) -> None:
    door = IsoDoor()
    server = door.server()
    line = Line(door, server)
    server.sweep(door.now)
    await line.raw(encoded(echo(1))[:-1])

    server.sweep(1.9)
    assert not line.wire.is_closing()
    server.sweep(2.1)

    assert line.wire.is_closing()
    assert "a message did not end within 2 s" in caplog.text


async def test_whole_messages_do_not_count_as_half_ones() -> None:
    door = IsoDoor()
    server = door.server()
    line = Line(door, server)
    half = encoded(echo(1))[:5]
    await line.raw(half)
    server.sweep(1.5)
    await line.raw(encoded(echo(1))[5:] + half)

    server.sweep(3.0)

    assert not line.wire.is_closing()


async def test_a_connection_at_rest_is_closed_after_a_while_and_not_while_it_waits() -> None:
    door = IsoDoor(gate=FakeGate())
    door.gate.is_silent = True
    server = door.server()
    resting, waiting = Line(door, server), Line(door, server)
    await waiting.send(payment())

    server.sweep(IDLE_S - 1)
    assert not resting.wire.is_closing()
    server.sweep(IDLE_S + 1)

    assert [each.wire.is_closing() for each in (resting, waiting)] == [True, False]


async def test_who_reads_nothing_is_not_read_and_then_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    door = IsoDoor()
    server = door.server()
    line = Line(door, server)
    server.sweep(1.0)
    line.connection.pause_writing()

    assert await line.send(echo(1)) == []
    assert line.wire.is_paused
    server.sweep(3.9)
    assert not line.wire.was_aborted
    server.sweep(4.1)

    assert line.wire.was_aborted
    assert "it has read nothing for 3 s" in caplog.text


async def test_who_reads_again_gets_its_answers() -> None:
    door = IsoDoor()
    line = Line(door, door.server())
    line.connection.pause_writing()
    await line.send(echo(1))

    line.connection.resume_writing()
    await line.settle()

    assert stans(line.replies) == [1]
    assert not line.wire.is_paused


async def test_replies_that_pile_up_unread_are_bounded() -> None:
    door = IsoDoor()
    line = Line(door, door.server())
    line.wire.is_reading_client = False
    data = b"".join(encoded(echo(number)) for number in range(500))

    for _ in range(2 * UNREAD_MAX // len(data)):
        line.connection.data_received(data)
        await settle()

    assert line.wire.was_aborted
    assert len(line.wire.sent) < UNREAD_MAX + 1000


async def test_a_client_that_has_ended_is_answered_before_its_connection_is_closed() -> None:
    door = IsoDoor()
    line = Line(door, door.server())
    line.connection.data_received(encoded(payment()))

    assert line.connection.eof_received()
    assert not line.wire.is_closing()
    await line.settle()

    assert [each["39"] for each in line.replies] == ["00"]
    assert line.wire.is_closing()


async def test_a_fault_of_ours_ends_its_connection_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    door = IsoDoor(gate=FaultyGate())
    server = door.server()
    faulty, other = Line(door, server), Line(door, server)
    faulty.connection.data_received(b"".join(encoded(payment(number)) for number in range(8)))
    other.connection.data_received(encoded(echo(1)))

    await settle()

    assert faulty.wire.was_aborted
    assert stans(other.replies) == [1]
    assert "error while handling a message" in caplog.text
    assert PAN not in caplog.text


async def test_an_answer_for_a_connection_that_is_gone_goes_nowhere() -> None:
    door = IsoDoor(gate=FakeGate())
    door.gate.is_silent = True
    line = Line(door, door.server())
    await line.send(payment())

    line.connection.connection_lost(None)
    door.gate.is_silent = False
    await line.settle()

    assert line.replies == []
    assert door.dispatcher.waiting_count == 0


async def test_the_log_says_a_few_reasons_a_second_and_counts_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    door = IsoDoor()
    server = door.server()
    for _ in range(50):
        Line(door, server, "192.0.2.200")
    assert len(caplog.records) == 5

    door.now = 1.5
    Line(door, server, "192.0.2.200")

    assert [each.getMessage() for each in caplog.records[5:6]] == [
        "45 more connections over ISO 8583 ended within 1 s"
    ]


async def test_a_door_that_stops_closes_every_connection() -> None:
    door = IsoDoor()
    server = door.server()
    lines = [Line(door, server) for _ in range(3)]
    lines[0].connection.pause_writing()

    server.cut_off_unread()
    assert lines[0].wire.was_aborted
    lines[0].connection.connection_lost(None)
    await server.shutdown(0.01)

    assert all(line.wire.is_closing() for line in lines)
