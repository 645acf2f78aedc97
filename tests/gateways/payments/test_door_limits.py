"""The limiters at the whole door: where they stand among the refusals, and that every answer makes room."""

import asyncio
from typing import Any

import pytest

from engine.payments.codes import Code
from gateways.payments.door.limiters import NO_LIMITS
from tests.gateways.payments.bodies_of_payments import WHOLE
from tests.gateways.payments.wired_door import TOKENS, FakeGate, WiredDoor
from tests.gateways.process.wire import settle

PAYMENTS = "/v1/payments"
RATE = {"rate": {"per_second": 1, "burst": 1, "log_only": False}}
ONE = {"concurrency": {"per_key": 1, "log_only": False}}
ASKS: list[tuple[str, str, Any, str, int]] = [
    ("POST", PAYMENTS, WHOLE, "acquirer", 200),
    ("POST", PAYMENTS, b"{", "acquirer", 422),
    ("POST", PAYMENTS, WHOLE | {"merchant": "m9"}, "acquirer", 403),
    ("POST", PAYMENTS, b"x" * 70_000, "acquirer", 413),
    ("PUT", PAYMENTS, b"", "acquirer", 405),
    ("GET", "/elsewhere", b"", "acquirer", 404),
    ("GET", f"{PAYMENTS}?a=1", b"", "acquirer", 405),
    ("POST", f"{PAYMENTS}?a=1", b"{}", "acquirer", 400),
    ("POST", f"{PAYMENTS}/a-17/void", {"request_id": "v"}, "acquirer", 200),
    ("GET", f"{PAYMENTS}/a-17", b"", "acquirer", 200),
    ("POST", f"{PAYMENTS}/admin", b"", "viewer", 403),
    ("POST", f"{PAYMENTS}/admin", b"{", "risk", 422),
]


def door_with(limits: dict[str, Any]) -> WiredDoor:
    return WiredDoor(limits={**NO_LIMITS, **limits})


@pytest.mark.parametrize("is_plain", [True, False], ids=["plain", "aiohttp"])
async def test_beyond_its_rate_a_key_gets_rate_and_is_told_when_to_come_again(is_plain: bool) -> None:
    door = door_with(RATE)
    assert (await door.ask("POST", PAYMENTS, WHOLE, is_plain=is_plain))[0] == 200

    status, document, content = await door.ask("POST", PAYMENTS, WHOLE, is_plain=is_plain)

    assert (status, content) == (429, "application/json")
    assert {name: document[name] for name in ("code", "iso", "retry", "decision", "seq")} == {
        "code": "RATE", "iso": None, "retry": "LATER", "decision": None, "seq": None,
    }  # fmt: skip
    raw = await door.raw(
        f"POST {PAYMENTS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
        f"Authorization: Bearer {TOKENS['acquirer']}\r\n\r\n{{}}".encode(),
        is_plain,
    )
    assert b"\r\nRetry-After: 1\r\n" in raw
    assert (await door.ask("POST", PAYMENTS, WHOLE, "other", is_plain))[0] == 403, "another key, not limited"
    door.now += 1.0
    assert (await door.ask("POST", PAYMENTS, WHOLE, is_plain=is_plain))[0] == 200
    assert len(door.gate.submitted) == 2, "what is refused is not sent"


@pytest.mark.parametrize("is_plain", [True, False], ids=["plain", "aiohttp"])
@pytest.mark.parametrize(("method", "path", "body", "key", "status"), ASKS)
async def test_a_rate_is_judged_behind_the_key_and_before_all_else(
    method: str, path: str, body: Any, key: str, status: int, is_plain: bool
) -> None:
    door = door_with(RATE)

    first = await door.ask(method, path, body, key, is_plain)
    again = await door.ask(method, path, body, key, is_plain)
    unknown = await door.ask(method, path, body, "nobody", is_plain)

    assert (first[0], again[0], unknown[0]) == (status, 429, 401)


@pytest.mark.parametrize("is_plain", [True, False], ids=["plain", "aiohttp"])
@pytest.mark.parametrize(("method", "path", "body", "key", "status"), ASKS)
async def test_every_answer_makes_room_for_the_next_request(
    method: str, path: str, body: Any, key: str, status: int, is_plain: bool
) -> None:
    door = door_with(ONE)

    for _ in range(3):
        assert (await door.ask(method, path, body, key, is_plain))[0] == status


async def in_flight(door: WiredDoor, count: int) -> "list[asyncio.Task[tuple[int, Any, str]]]":
    """Return so many payments that wait for an engine which says nothing."""
    door.gate.is_silent = True
    asked = [asyncio.create_task(door.ask("POST", PAYMENTS, WHOLE)) for _ in range(count)]
    for _ in range(1000):
        if len(door.gate.submitted) == count:
            break
        await asyncio.sleep(0)
    assert len(door.gate.submitted) == count
    return asked


async def test_a_request_is_in_flight_until_it_is_answered() -> None:
    door = door_with(ONE)
    (waiting,) = await in_flight(door, 1)

    refused = await door.ask("POST", PAYMENTS, WHOLE)
    other = await door.ask("GET", f"{PAYMENTS}/a-17", key="viewer")
    door.now += 2.0
    late = await waiting
    door.gate.is_silent = False

    assert (refused[0], refused[1]["code"], other[0]) == (429, "RATE", 200)
    assert (late[0], late[1]["code"]) == (504, "TIMEOUT")
    assert (await door.ask("POST", PAYMENTS, WHOLE))[0] == 200


@pytest.mark.parametrize("is_plain", [True, False], ids=["plain", "aiohttp"])
async def test_what_is_in_flight_beyond_four_fifths_leaves_room_for_operations(is_plain: bool) -> None:
    door = door_with({"shedding": {"max_in_flight": 5, "log_only": False}})
    waiting = await in_flight(door, 4)

    shed = await door.ask("POST", PAYMENTS, WHOLE, is_plain=is_plain)
    read = await door.ask("GET", f"{PAYMENTS}/a-17", key="viewer", is_plain=is_plain)
    unknown = await door.ask("GET", "/elsewhere", is_plain=is_plain)
    voiding = asyncio.create_task(
        door.ask("POST", f"{PAYMENTS}/a-17/void", {"request_id": "v"}, is_plain=is_plain)
    )
    await settle(door.turn)
    door.gate.is_silent = False
    void = await voiding

    assert (shed[0], shed[1]["code"], shed[1]["iso"], shed[1]["retry"]) == (503, "BUSY", "91", "LATER")
    assert (read[0], unknown[0], void[0]) == (503, 404, 200)
    assert [each[0] for each in await asyncio.gather(*waiting)] == [200] * 4
    assert (await door.ask("POST", PAYMENTS, WHOLE, is_plain=is_plain))[0] == 200, "all are answered"


async def test_what_only_logs_refuses_nothing() -> None:
    door = door_with({
        "rate": {"per_second": 1, "burst": 1, "log_only": True},
        "concurrency": {"per_key": 1, "log_only": True},
        "shedding": {"max_in_flight": 5, "log_only": True},
    })  # fmt: skip
    counted: dict[str, int] = {}

    told = [(await door.ask("POST", PAYMENTS, WHOLE))[1]["code"] for _ in range(3)]
    door.now += 9.0
    door.limiters.report(lambda name, count: counted.update({name: count}))

    assert (told, counted) == (["OK"] * 3, {"over_rate": 2})


async def test_an_engine_that_takes_nothing_leaves_nothing_in_flight() -> None:
    door = WiredDoor(FakeGate(), limits={**NO_LIMITS, **ONE})
    door.gate.room = 0

    for _ in range(3):
        status, document, _ = await door.ask("POST", PAYMENTS, WHOLE)
        assert (status, document["code"]) == (503, Code["BUSY"].name)
    door.view.is_torn = True
    for _ in range(3):
        assert (await door.ask("POST", f"{PAYMENTS}/a-17/void", {"request_id": "v"}))[0] == 503
    await door.sockets.close()
    for _ in range(3):
        assert (await door.ask("POST", PAYMENTS, WHOLE))[0] == 503


@pytest.mark.parametrize("is_plain", [True, False], ids=["plain", "aiohttp"])
async def test_a_fault_of_ours_takes_no_room_of_the_key(
    is_plain: bool, caplog: pytest.LogCaptureFixture
) -> None:
    door = door_with(ONE)
    door.view.fault = ZeroDivisionError("a fault")
    void = ("POST", f"{PAYMENTS}/a-17/void", {"request_id": "v"}, "acquirer", is_plain)

    for _ in range(3):
        if is_plain:
            with pytest.raises(ZeroDivisionError):
                await door.ask(*void)
        else:
            assert (await door.ask(*void))[0] == 500
    door.view.fault = None

    assert (await door.ask(*void))[0] == 200
