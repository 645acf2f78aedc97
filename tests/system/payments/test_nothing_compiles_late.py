"""After `ready` no process of payments compiles a kernel, whatever is asked of it, and whichever dies."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from engine.contract import instance
from ringbuf.kernel_cache import ROOT
from tests.gateways.iso8583.client import IsoClient, payment, replacement, reversal
from tests.system.payments.clients import PAYMENTS
from tests.system.payments.iso_running import LOCAL, OPEN_CODES, iso_address, pan_of
from tests.system.payments.running import Body, Caller, write_settings
from tests.system.payments.tools import pinion
from tests.system.running import await_true
from tests.system.test_nothing_compiles_late import SETTINGS, WAIT_S, look_ups

KEY = "the-key-of-this-test"
PATIENT = {"Pinion-Deadline-Ms": "60000"}
SET_UP = """{"op":"merchant","merchant":"m1","currencies":["EUR"],"limits":{"EUR":{"max":900}}}
{"op":"account","account":1,"balances":{"EUR":100000},"limits":{"EUR":{"max":950}}}
{"op":"list","list":"block_card","add":["bad"]}"""


def ask_everything(data_dir: Path, name: str) -> None:
    """Ask the door for all that it does, and the api for all that it shows."""
    with closing(Caller(data_dir, KEY, WAIT_S)) as caller:

        def ask(path: str, body: Body | str) -> Body:
            answer = caller.ask("POST", f"{PAYMENTS}{path}", body, PATIENT)
            assert answer.status in (200, 409), (path, body, answer)
            return answer.reply

        def pay(number: int, **changes: Any) -> str:
            card = {"token": changes.pop("token", f"{name}-{number}"), "expiry": "9912"}
            body = {
                "request_id": f"{name}-{number}", "merchant": "m1", "channel": "pos", "amount": 100,
                "currency": "EUR", "account": 1, "card": card, "device": f"d-{name}", "ip": "192.0.2.1",
                "email": "a@example.com", **changes,
            }  # fmt: skip
            return str(ask("", body)["payment"])

        first = pay(1)
        for operation, amount in (("capture", 60), ("void", 10), ("refund", 5)):
            ask(f"/{first}/{operation}", {"request_id": f"{operation}", "amount": amount})
        pay(11, amount=910)
        pay(12, amount=910, explain=True)
        pay(13, token="bad")
        pay(14, op="sale", amount=101)
        ask(f"/{pay(2, score=800)}/review", {"outcome": "approve"})
        for number in (1, 3):
            ask("/void", {"merchant": "m1", "request_id": f"{name}-{number}"})
        ask("/admin", SET_UP)
        ask("/admin", f'{{"op":"deposit","account":1,"currency":"EUR","amount":5,"id":"{name}"}}')
        for path in (f"/{first}", "/accounts/1", "/accounts/99"):
            assert caller.ask("GET", f"{PAYMENTS}{path}").status in (200, 404)
    for path in ("/v1/payments", "/v1/payments?account=1&code=OK", "/v1/status", "/v1/latency", "/metrics"):
        assert query(data_dir, path) == 200, path


def ask_by_messages(data_dir: Path, stan: int) -> None:
    """Ask the door for ISO 8583 for all that it does."""
    client: list[IsoClient] = []

    def has_connected() -> bool:
        try:
            client.append(IsoClient(iso_address(data_dir), WAIT_S))
        except (OSError, instance.PortError):
            return False
        return True

    await_true(has_connected, "the door for ISO 8583 listens", WAIT_S)
    with client[0] as door:
        held, sold = (
            payment(stan + each, kind, de_2=pan_of(stan + each), de_4=f"{500:012}")
            for each, kind in enumerate(("0100", "0200"))
        )
        for message in (held, sold, reversal(held, stan, de_95=replacement(1)), reversal(sold, stan)):
            while (code := door.ask(message)["39"]) in OPEN_CODES:
                pass
            assert code == "00", message


def query(data_dir: Path, path: str) -> int:
    """Return the status of the api's answer."""
    url = instance.read(data_dir).doors["api"]
    request = urllib.request.Request(f"{url}{path}", headers={"Authorization": f"Bearer {KEY}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def kill(data_dir: Path, name: str) -> None:
    """Kill a process; wait until its successor serves."""

    def pid() -> int:
        return next(each.pid for each in instance.read(data_dir).processes if each.name == name)

    before = pid()
    os.kill(before, signal.SIGKILL)
    await_true(lambda: pid() != before, f"a new {name}", WAIT_S)

    def serves() -> bool:
        with closing(Caller(data_dir, KEY)) as caller:
            seen = caller.ask("GET", f"{PAYMENTS}/accounts/1").status
        try:
            return seen == 200 and query(data_dir, "/readyz") == 200
        except urllib.error.URLError:
            return False

    await_true(serves, f"the new {name} serves", WAIT_S)


def test_no_kernel_is_looked_up_only_behind_the_ready_line(tmp_path: Path) -> None:
    log, data_dir = tmp_path / "log", tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "demo.key").write_text(KEY)
    command = [sys.executable, "-m", "pinion.cli.main", "payments", "up", "--data", str(data_dir)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, *write_settings(tmp_path, SET_UP, LOCAL)],
            cwd=ROOT,
            stdout=file,
            env=os.environ | SETTINGS,
        )
    try:
        await_true(lambda: "\nready " in log.read_text() or process.poll() is not None, "ready", WAIT_S)
        await_true(lambda: query(data_dir, "/v1/payments") == 200, "history", WAIT_S)
        ask_everything(data_dir, "first")
        ask_by_messages(data_dir, 1)
        json.loads(pinion("digest", "--data", str(data_dir), "--wait", "120"))
        for number, name in enumerate(("worker", "journaler", "payments", "iso8583", "api"), 1):
            kill(data_dir, name)
            ask_everything(data_dir, name)
            ask_by_messages(data_dir, 10 * number)
        process.terminate()
        assert process.wait(WAIT_S) == 0
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(WAIT_S)

    before, _, behind = log.read_text().partition("\nready ")
    assert len(look_ups(before)) > 20
    assert look_ups(behind) - look_ups(before) == set()
