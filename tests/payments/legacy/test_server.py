import json
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from tests.payments.legacy.server import application
from tests.payments.legacy.service import Legacy
from tests.payments.legacy.usual import payment

SETUP = b"""
{"op":"merchant","merchant":"m1"}

{"op":"account","account":1,"balances":{"EUR":10000}}
"""
KEY = {"Authorization": "Bearer secret"}


def client() -> TestClient[Request, Application]:
    return TestClient(TestServer(application(Legacy(), "secret")), headers=KEY)


async def test_a_payment_goes_all_its_way_over_http() -> None:
    async with client() as http:
        lines = await (await http.post("/v1/payments/admin", data=SETUP)).text()
        paid = await http.post("/v1/payments", json=payment())
        captured = await http.post("/v1/payments/a-3/capture", json={"request_id": "o", "amount": 400})
        voided = await http.post("/v1/payments/void", json={"merchant": "m1", "request_id": "r1"})
        again = await http.post("/v1/payments/a-3/void", json={"request_id": "p"})
        shown = await http.get("/v1/payments/a-3")
        account = await http.get("/v1/payments/accounts/1")

        assert [json.loads(line)["code"] for line in lines.splitlines()] == ["OK", "OK"]
        assert (paid.status, (await paid.json())["payment"]) == (200, "a-3")
        assert (await captured.json())["held"] == 600
        assert (await voided.json())["amount"] == 600
        assert (again.status, (await again.json())["code"]) == (409, "NOT_OPEN")
        assert (await shown.json())["state"] == "captured"
        assert (await account.json())["balances"] == {"EUR": {"total": 9600, "held": 0, "available": 9600}}


async def test_what_cannot_be_answered_says_so() -> None:
    async with client() as http:
        without_key = await http.post("/v1/payments", json=payment(), headers={"Authorization": ""})
        wrong = await http.post("/v1/payments", data=b"{")
        large = await http.post("/v1/payments", data=b" " * (64 << 10) + b"{")
        unknown = await http.get("/v1/payments/a-9")
        no_account = await http.get("/v1/payments/accounts/9")
        method = await http.get("/v1/payments")
        line = await http.post("/v1/payments/admin", data=SETUP + b'{"op":"list","list":"x"}')
        not_set_up = await http.get("/v1/payments/accounts/1")

        assert without_key.status == 401
        assert (wrong.status, (await wrong.json())["field"]) == (422, "body")
        assert large.status == 413
        assert (unknown.status, (await unknown.json())["code"]) == (404, "NOT_FOUND")
        assert no_account.status == 404
        assert method.status == 405
        assert (line.status, (await line.json())["line"]) == (422, 3)
        assert not_set_up.status == 404


async def test_it_runs_as_a_program(tmp_path: Path) -> None:
    setup, key = tmp_path / "setup.jsonl", tmp_path / "key"
    setup.write_bytes(SETUP)
    key.write_text("secret\n")
    options = ["--port", "0", "--setup", str(setup), "--key-file", str(key), "--fault", "luhn_skipped"]
    module = [sys.executable, "-m", "tests.payments.legacy"]
    process = await create_subprocess_exec(*module, *options, stdout=PIPE)
    assert process.stdout is not None
    word, ready = (await process.stdout.readline()).split(b" ", 1)
    body = payment(card={"pan": "4111111111111112", "expiry": "3012"})
    address = json.loads(ready)["payments"] + "/v1/payments"
    async with ClientSession(headers=KEY) as http, http.post(address, json=body) as answer:
        paid = await answer.json()
    process.terminate()

    assert word == b"ready"
    assert paid["code"] == "OK"
    assert await process.wait() == 0


@pytest.mark.parametrize("line", ["{", '{"op":"merchant"}'])
async def test_a_wrong_set_up_stops_the_start(tmp_path: Path, line: str) -> None:
    setup = tmp_path / "setup.jsonl"
    setup.write_text(line)
    options = ["--port", "0", "--setup", str(setup)]

    process = await create_subprocess_exec(
        sys.executable, "-m", "tests.payments.legacy", *options, stderr=PIPE
    )
    _, said = await process.communicate()

    assert process.returncode == 1
    assert b"line 1: FORMAT of" in said
