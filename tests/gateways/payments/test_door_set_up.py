"""Set-up through the door: what becomes of each line, in batches, and when the ring is full."""

import asyncio
import json
from typing import Any

import pytest

from engine.contract.port import Closed
from engine.payments.codes import Code
from engine.payments.command_words import KEYS_MAX
from engine.payments.records import Op
from gateways.payments.door.keys import key_ring
from gateways.payments.door.set_up import BATCH, SetupSender
from gateways.payments.setup_lines import setup_lines
from tests.gateways.payments.bodies_of_payments import HASHER, PAN
from tests.gateways.payments.wired_door import KEYS, TOKENS, WiredDoor
from tests.gateways.process.wire import settle

ADMIN = "/v1/payments/admin"
LINES: list[dict[str, Any]] = [
    {"op": "merchant", "merchant": "m1", "currencies": ["EUR"], "limits": {"EUR": {"max": 5}}},
    {"op": "account", "account": 1, "balances": {"EUR": 5}},
    {"op": "list", "list": "block_card", "add": [PAN]},
    {"op": "deposit", "account": 1, "currency": "EUR", "amount": 5, "id": "d1"},
]


def text_of(lines: list[dict[str, Any]]) -> bytes:
    return b"\n\n".join(json.dumps(line).encode() for line in lines)


@pytest.fixture
def door() -> WiredDoor:
    return WiredDoor()


async def sent(door: WiredDoor, lines: list[dict[str, Any]]) -> Any:
    """Send lines while the pump turns; return what became of them."""
    owner = key_ring(KEYS, range(1, len(KEYS) + 1)).of_token(TOKENS["risk"])
    assert owner is not None
    sender = SetupSender(door.dispatcher, lambda: door.now, retry_s=0.0)
    task = asyncio.create_task(sender.send(setup_lines(text_of(lines), HASHER), owner))
    while not task.done():
        await settle(door.turn)
    return task.result()


async def test_each_line_is_answered(door: WiredDoor) -> None:
    status, reply, _ = await door.ask("POST", ADMIN, text_of(LINES), "risk")

    assert status == 200
    assert reply == {
        "lines": 4,
        "results": [
            {"line": 1, "op": "merchant", "code": "OK", "iso": "00", "replayed": False, "seq": 103},
            {"line": 3, "op": "account", "code": "OK", "iso": "00", "replayed": False, "seq": 105},
            {"line": 5, "op": "list", "code": "OK", "iso": "00", "replayed": False, "seq": 106},
            {"line": 7, "op": "deposit", "code": "OK", "iso": "00", "replayed": False, "seq": 107},
        ],
        "warnings": [],
    }
    assert [int(command["op"]) for command in door.gate.submitted] == [
        *(Op.MERCHANT_LIMITS, Op.MERCHANT_PERMITS, Op.MERCHANT, Op.ACCOUNT_BALANCES, Op.ACCOUNT),
        *(Op.LIST, Op.DEPOSIT),
    ]
    assert {int(command["session"]) for command in door.gate.submitted} == {3}


async def test_a_faulty_line_keeps_the_whole_file_back(door: WiredDoor) -> None:
    wrong = [*LINES, {"op": "list", "list": "lost", "add": [PAN, 5]}]

    status, reply, content = await door.ask("POST", ADMIN, text_of(wrong), "risk")

    assert (status, content) == (422, "application/problem+json")
    assert (reply["field"], reply["reason"]) == ("add[1]", "format")
    assert reply["detail"].startswith("line 9: add[1]: ")
    assert PAN not in json.dumps(reply)
    assert not door.gate.submitted


async def test_an_empty_file_has_no_lines(door: WiredDoor) -> None:
    assert await sent(door, []) == {"lines": 0, "results": []}


async def test_many_commands_go_out_in_batches_and_in_order(door: WiredDoor) -> None:
    accounts = list(range(1, (2 * BATCH + 5) * KEYS_MAX))

    reply = await sent(door, [{"op": "list", "list": "block_account", "add": accounts}])

    assert [each["code"] for each in reply["results"]] == ["OK"]
    keys = [int(key) for command in door.gate.submitted for key in command["words"][: 2 * KEYS_MAX : 2]]
    assert [key for key in keys if key] == accounts


async def test_what_a_full_ring_did_not_take_is_sent_again_in_order(door: WiredDoor) -> None:
    door.gate.room = 3
    taken = door.gate.submit

    def with_room(commands: Any) -> int:
        count = taken(commands)
        door.gate.room = 3
        return count

    door.gate.submit = with_room  # type: ignore[method-assign]  # a ring that is emptied again and again

    reply = await sent(door, LINES * 3)

    assert {each["code"] for each in reply["results"]} == {"OK"}
    ops = [int(command["op"]) for command in door.gate.submitted]
    assert ops == ops[: len(ops) // 3] * 3


async def test_behind_what_was_not_answered_nothing_is_sent(door: WiredDoor) -> None:
    door.gate.closed = Closed.RECOVERING

    reply = await sent(door, LINES)

    assert {(each["code"], each["seq"]) for each in reply["results"]} == {("BUSY", None)}
    assert not door.gate.submitted


async def test_a_line_has_the_code_of_its_first_command_that_was_refused(door: WiredDoor) -> None:
    door.gate.changes = {"code": Code["CAPACITY"]}

    reply = await sent(door, LINES[:1])

    assert reply["results"][0]["code"] == "CAPACITY"
