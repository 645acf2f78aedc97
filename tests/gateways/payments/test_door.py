"""The payments door: what it answers, in which order it refuses, and who may do what."""

import json
from typing import Any

import pytest

from engine.contract.port import Closed
from engine.payments.codes import ISO_CODES, Code
from engine.payments.records import Decision, EventKind, Op, Role
from tests.gateways.payments.bodies_of_payments import PAN, body
from tests.gateways.payments.wired_door import TOKENS, WiredDoor

PAYMENTS = "/v1/payments"
JSON, PROBLEM = "application/json", "application/problem+json"
WAYS = pytest.mark.parametrize("is_plain", [True, False], ids=["plain", "aiohttp"])


@pytest.fixture
def door() -> WiredDoor:
    return WiredDoor()


@WAYS
async def test_a_payment_is_answered_with_its_decision(door: WiredDoor, is_plain: bool) -> None:
    status, reply, content = await door.ask("POST", PAYMENTS, body(), is_plain=is_plain)

    (command,) = door.gate.submitted
    assert (status, content) == (200, JSON)
    assert (reply["payment"], reply["request_id"], reply["code"]) == ("a-101", "r-1:a", "OK")
    assert (command["op"], command["session"], command["roles"]) == (Op.PAY, 1, Role.ACQUIRER)


@WAYS
@pytest.mark.parametrize(
    ("name", "op", "given", "key"),
    [
        ("capture", Op.CAPTURE, {"request_id": "c"}, "acquirer"),
        ("void", Op.VOID, {"request_id": "v"}, "acquirer"),
        ("refund", Op.REFUND, {"request_id": "f"}, "acquirer"),
        ("review", Op.REVIEW, {"outcome": "approve"}, "risk"),
    ],
)
async def test_operations_are_answered(
    door: WiredDoor, name: str, op: Op, given: dict[str, Any], key: str, is_plain: bool
) -> None:
    status, reply, _ = await door.ask("POST", f"{PAYMENTS}/a-17/{name}", given, key, is_plain)

    assert (status, reply["payment"], reply["request_id"]) == (200, "a-17", given.get("request_id"))
    assert {"captured", "refunded", "held"} < set(reply)
    assert (door.gate.submitted[0]["op"], door.gate.submitted[0]["payment"]) == (op, 17)


@WAYS
async def test_a_void_may_name_a_request(door: WiredDoor, is_plain: bool) -> None:
    given = {"merchant": "m1", "request_id": "r1"}

    status, _, _ = await door.ask("POST", f"{PAYMENTS}/void", given, is_plain=is_plain)

    assert (status, door.gate.submitted[0]["op"]) == (200, Op.REVERSE)


@WAYS
@pytest.mark.parametrize(
    ("changes", "status"), [({"code": Code["DUPLICATE"]}, 409), ({"code": Code["FUNDS"]}, 200)]
)
async def test_a_code_has_its_status_and_is_no_problem(
    door: WiredDoor, changes: dict[str, Any], status: int, is_plain: bool
) -> None:
    door.gate.changes = changes

    assert (await door.ask("POST", PAYMENTS, body(), is_plain=is_plain))[::2] == (status, JSON)


@WAYS
async def test_refusals_come_in_their_order(door: WiredDoor, is_plain: bool) -> None:
    wrong, bad, foreign = "/v1/payment", body(score=-1), body(merchant="m9")

    async def status(method: str, path: str, given: Any, key: str = "acquirer", **headers: str) -> Any:
        return (await door.ask(method, path, given, key, is_plain, **headers))[0]

    assert await status("PUT", wrong, bad, "nobody") == 401
    assert await status("PUT", wrong, bad, "") == 401
    assert await status("PUT", wrong, bad) == 404
    assert await status("PUT", PAYMENTS, bad, Pinion_Deadline_Ms="x") == 405
    assert await status("POST", PAYMENTS, bad, Pinion_Deadline_Ms="x") == 400
    assert await status("POST", PAYMENTS, b" " * 2**16 + b"{}") == 413
    assert await status("POST", PAYMENTS, bad | {"merchant": "m9"}) == 422
    assert await status("POST", PAYMENTS, foreign, Pinion_Account="5") == 403
    assert await status("POST", PAYMENTS, body(), Pinion_Account="5") == 421
    assert await status("POST", PAYMENTS, body(), Pinion_Account="17") == 200
    assert len(door.gate.submitted) == 1


@WAYS
async def test_a_refusal_for_form_is_a_document(door: WiredDoor, is_plain: bool) -> None:
    status, reply, content = await door.ask("POST", PAYMENTS, body(amount=0), is_plain=is_plain)

    assert (status, content) == (422, JSON)
    assert (reply["code"], reply["field"], reply["request_id"]) == ("BAD_AMOUNT", "amount", "r-1:a")
    status, reply, _ = await door.ask("POST", f"{PAYMENTS}/a-17/void", {"a": 1}, is_plain=is_plain)
    assert (status, reply["code"], reply["field"], reply["held"]) == (422, "FORMAT", "a", None)
    assert not door.gate.submitted


@pytest.mark.parametrize(
    ("method", "path", "given", "key", "status"),
    [
        *(("POST", PAYMENTS, body(), key, 403) for key in ("risk", "viewer")),
        ("POST", PAYMENTS, body(), "all", 200),
        ("POST", f"{PAYMENTS}/void", {"merchant": "m9", "request_id": "r"}, "acquirer", 403),
        ("POST", f"{PAYMENTS}/a-17/capture", {"request_id": "c"}, "risk", 403),
        ("POST", f"{PAYMENTS}/a-17/review", {"outcome": "decline"}, "acquirer", 403),
        ("POST", f"{PAYMENTS}/a-17/review", {"outcome": "decline"}, "viewer", 403),
        *(("POST", f"{PAYMENTS}/admin", b"", key, 403) for key in ("acquirer", "viewer")),
        *(("GET", f"{PAYMENTS}/a-17", b"", key, 200) for key in ("acquirer", "risk", "viewer", "all")),
        ("GET", f"{PAYMENTS}/a-17", b"", "other", 404),
        *(("GET", f"{PAYMENTS}/accounts/1", b"", key, 200) for key in ("risk", "viewer", "all")),
        ("GET", f"{PAYMENTS}/accounts/1", b"", "acquirer", 403),
    ],
)  # fmt: skip
async def test_who_may_do_what(
    door: WiredDoor, method: str, path: str, given: Any, key: str, status: int
) -> None:
    found, _, content = await door.ask(method, path, given, key)

    assert (found, content) == (status, PROBLEM if status == 403 else JSON)


async def test_a_foreign_payment_is_not_found_as_one_that_there_is_not(door: WiredDoor) -> None:
    given = {"request_id": "c"}

    foreign = await door.ask("POST", f"{PAYMENTS}/a-17/capture", given, "other")
    none = await door.ask("POST", f"{PAYMENTS}/a-18/capture", given, "other")

    assert foreign[1] | {"payment": "a-18", "seq": none[1]["seq"]} == none[1]
    assert (foreign[0], foreign[1]["code"], foreign[1]["payment"]) == (404, "NOT_FOUND", "a-17")
    assert [int(command["payment"]) for command in door.gate.submitted] == [0, 18]
    read = await door.ask("GET", f"{PAYMENTS}/a-17", key="other")
    assert read[1] | {"payment": "a-18"} == (await door.ask("GET", f"{PAYMENTS}/a-18", key="other"))[1]


@pytest.mark.parametrize("name", ["b-17", "x", "a-017", f"a-{PAN}", "a%2D17"])
async def test_what_is_no_payment_of_this_instance_is_not_found(door: WiredDoor, name: str) -> None:
    for method, path in (("GET", name), ("POST", f"{name}/void")):
        status, reply, _ = await door.ask(method, f"{PAYMENTS}/{path}", {"request_id": "v"})

        assert (status, reply["code"], reply["seq"]) == (404, "NOT_FOUND", None)
        assert PAN not in json.dumps(reply)
    assert not door.gate.submitted


async def test_a_payment_is_shown_as_it_stands(door: WiredDoor) -> None:
    status, reply, _ = await door.ask("GET", f"{PAYMENTS}/a-17")

    assert (status, reply["payment"], reply["state"], reply["held"], reply["seq"]) == (
        200,
        "a-17",
        "open",
        1000,
        17,
    )


async def test_an_account_is_shown_with_its_balances(door: WiredDoor) -> None:
    expected = {"EUR": {"total": 900, "held": 100, "available": 800}}

    status, reply, _ = await door.ask("GET", f"{PAYMENTS}/accounts/1", key="viewer")

    assert (status, reply) == (200, {"account": 1, "status": "open", "balances": expected})
    assert (await door.ask("GET", f"{PAYMENTS}/accounts/2", key="viewer"))[0] == 404
    assert (await door.ask("GET", f"{PAYMENTS}/accounts/x", key="viewer"))[0] == 404


@WAYS
@pytest.mark.parametrize(
    ("closed", "room", "status", "code"),
    [(None, 0, 503, "BUSY"), (Closed.RECOVERING, 9, 503, "BUSY"), (Closed.LATCHED, 9, 503, "SYSTEM")],
)
async def test_what_was_not_published_is_said_to_be_so(
    door: WiredDoor, closed: Closed | None, room: int, status: int, code: str, is_plain: bool
) -> None:
    door.gate.closed, door.gate.room = closed, room

    found, reply, content = await door.ask("POST", PAYMENTS, body(), is_plain=is_plain)

    assert (found, reply["code"], reply["decision"], content) == (status, code, None, JSON)
    assert (reply["request_id"], reply["amount"], reply["currency"]) == ("r-1:a", 1000, "EUR")


async def test_a_quarantined_command_is_a_fault_of_the_system(door: WiredDoor) -> None:
    door.gate.changes = {"kind": EventKind.REJECTED, "code": Code["SYSTEM"]}

    status, reply, _ = await door.ask("POST", PAYMENTS, body())

    assert (status, reply["code"], reply["decision"]) == (503, "SYSTEM", None)


@WAYS
@pytest.mark.parametrize(("header", "seconds"), [({}, 1.0), ({"Pinion_Deadline_Ms": "60"}, 0.06)])
async def test_an_answer_that_does_not_come_in_time_is_a_timeout(
    door: WiredDoor, header: dict[str, str], seconds: float, is_plain: bool
) -> None:
    door.gate.is_silent = True
    turn = door.turn

    def later() -> None:
        turn()
        if door.gate.submitted:
            assert door.dispatcher.next_deadline == pytest.approx(seconds) or door.now >= seconds
            door.now = seconds

    door.turn = later  # type: ignore[method-assign]  # time passes once the command is out

    status, reply, _ = await door.ask("POST", PAYMENTS, body(), is_plain=is_plain, **header)

    assert (status, reply["code"], reply["request_id"]) == (504, "TIMEOUT", "r-1:a")
    door.gate.is_silent = False
    door.turn()  # the answer that comes late goes to nobody
    assert door.dispatcher.waiting_count == 0


@pytest.mark.parametrize("value", ["0", "60001", "-1", "1.5", "", "x", PAN])
async def test_a_deadline_is_a_number_of_milliseconds(door: WiredDoor, value: str) -> None:
    status, reply, _ = await door.ask("POST", PAYMENTS, body(), Pinion_Deadline_Ms=value)

    assert (status, reply["field"]) == (400, "Pinion-Deadline-Ms")
    assert PAN not in json.dumps(reply)


@pytest.mark.parametrize("name", ["Pinion-Deadline-Ms", "Pinion-Account"])
async def test_a_header_that_decides_is_given_once(door: WiredDoor, name: str) -> None:
    head = f"GET {PAYMENTS}/a-17 HTTP/1.1\r\nHost: localhost\r\n{name}: 1\r\n{name}: 2\r\n\r\n"

    assert (await door.raw(head.encode())).startswith(b"HTTP/1.1 400 ")


@WAYS
async def test_no_query_is_taken_and_none_is_repeated(door: WiredDoor, is_plain: bool) -> None:
    status, reply, _ = await door.ask("POST", f"{PAYMENTS}?pan={PAN}", body(), is_plain=is_plain)

    assert (status, reply["field"]) == (400, "query")
    assert PAN not in json.dumps(reply)


@pytest.mark.parametrize("path", ["", "/x/y/z", "/a-17/close", "//", "/accounts", "/accounts/"])
async def test_an_unknown_path_names_the_known_ones(door: WiredDoor, path: str) -> None:
    status, reply, _ = await door.ask("GET", f"/v1/payments{path}" if path else "/v1")

    assert (status, reply["reason"]) == (404, "unknown_path")


async def test_a_wrong_method_is_told_the_right_one(door: WiredDoor) -> None:
    head = f"HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKENS['all']}"
    for method, path, allowed in (("GET", "", "POST"), ("POST", "/a-17", "GET"), ("PUT", "/void", "POST")):
        answer = await door.raw(f"{method} {PAYMENTS}{path} {head}\r\nContent-Length: 0\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 405 ")
        assert f"\r\nAllow: {allowed}\r\n".encode() in answer


async def test_an_acquirer_alone_reads_what_is_disclosed(door: WiredDoor) -> None:
    door.gate.changes = {
        "code": Code["AMOUNT_LIMIT"],
        "decision": Decision.DECLINE,
        "disclosed": ISO_CODES.index("05") + 1,
    }

    hidden = (await door.ask("POST", PAYMENTS, body()))[1]
    whole = (await door.ask("POST", PAYMENTS, body(), "all"))[1]

    assert (hidden["code"], hidden["iso"]) == ("DECLINED", "05")
    assert (whole["code"], whole["iso"]) == ("AMOUNT_LIMIT", "61")


async def test_a_door_that_stops_takes_nothing(door: WiredDoor) -> None:
    await door.sockets.close()

    for is_plain in (True, False):
        status, reply, _ = await door.ask("POST", PAYMENTS, body(), is_plain=is_plain)
        assert (status, reply["code"]) == (503, "BUSY")
    assert not door.gate.submitted


async def test_a_state_that_is_being_rebuilt_is_busy(door: WiredDoor) -> None:
    door.view.is_torn = True

    for method, path in (("GET", "/a-17"), ("POST", "/a-17/void")):
        status, reply, _ = await door.ask(method, f"{PAYMENTS}{path}", {"request_id": "v"})
        assert (status, reply["code"]) == (503, "BUSY")


async def test_what_is_not_durable_is_not_shown(door: WiredDoor) -> None:
    door.durable = 39

    status, reply, _ = await door.ask("GET", f"{PAYMENTS}/a-17")

    assert (status, reply["code"]) == (503, "BUSY")
