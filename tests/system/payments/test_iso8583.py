"""A whole instance with both doors: one payment through either, kills with messages in flight, its end."""

import os
import random
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from engine.contract import instance
from engine.payments.view.live_view import LiveView
from tests.gateways.iso8583.client import IsoClient, encoded, payment, reversal
from tests.system.payments.iso_running import (
    BALANCE,
    DOOR,
    LOCAL,
    PEER,
    IsoPlayer,
    iso_address,
    pan_of,
    set_up_of,
)
from tests.system.payments.running import Body, Caller, RunningPayments, write_settings
from tests.system.payments.tools import pinion, state_at
from tests.system.running import await_true, is_running

PAYMENTS = "/v1/payments"
PATIENT = {"Pinion-Deadline-Ms": "60000"}
KEY = "the-key-of-every-merchant"
KEYS = f"""
[[keys]]
name = "all"
token = "{KEY}"
roles = ["acquirer", "risk", "viewer"]
[[keys]]
name = "shop"
token = "the-key-of-another-shop"
roles = ["acquirer"]
merchants = ["m2"]
"""
PLAYERS = 3
WAIT_S = 120.0
SEED = 5
Start = Callable[..., RunningPayments]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPayments]:
    """An instance that serves two peers; each test has cards and accounts of its own there."""
    folder = tmp_path_factory.mktemp("iso8583")
    doors = DOOR + PEER.format("127.0.0.1", "all") + PEER.format("127.0.0.3", "shop") + KEYS
    found = RunningPayments(folder / "data", *write_settings(folder, set_up_of(PLAYERS), doors))
    found.await_ready()
    yield found
    found.clean_up()


def ask(running: RunningPayments, path: str, body: Body | None = None) -> Body:
    with closing(Caller(running.data_dir, KEY)) as caller:
        return caller.ask("POST" if body else "GET", f"{PAYMENTS}{path}", body, PATIENT).reply


def account(running: RunningPayments, number: int) -> tuple[int, int]:
    """Return total and held of an account."""
    with closing(Caller(running.data_dir, running.key)) as caller:
        found = caller.ask("GET", f"{PAYMENTS}/accounts/{number}").reply["balances"]["EUR"]
    return found["total"], found["held"]


def test_a_payment_of_one_door_is_known_at_the_other(running: RunningPayments) -> None:
    over_http = {
        "request_id": "TILL-04.1129120000.000001", "merchant": "m1", "terminal": "TILL-04",
        "op": "authorise", "channel": "pos", "amount": 1000, "currency": "EUR", "account": 1,
        "card": {"pan": pan_of(1), "expiry": "9912"},
    }  # fmt: skip
    with IsoClient(iso_address(running.data_dir)) as client:
        paid = client.ask(payment(1, de_2=pan_of(1)))
        again = ask(running, "", over_http)
        name = again["payment"]
        captured = ask(running, f"/{name}/capture", {"request_id": "c", "amount": 400})
        voided = client.ask(reversal(payment(1), 2))
        shown = ask(running, f"/{name}")

    assert (paid["39"], again["replayed"], again["approval"]) == ("00", True, paid["38"])
    assert name == f"a-{int(paid['37'])}"
    assert (captured["code"], voided["39"]) == ("OK", "00")
    assert (shown["captured"], shown["held"], shown["state"]) == (400, 0, "captured")


def test_the_door_is_seen_by_status_and_metrics(running: RunningPayments) -> None:
    with IsoClient(iso_address(running.data_dir)) as client:
        assert client.ask(payment(11, de_2=pan_of(11)))["39"] == "00"
    status = pinion("payments", "status", "--data", str(running.data_dir))
    request = urllib.request.Request(
        f"{instance.read(running.data_dir).doors['api']}/metrics", headers={"Authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        metrics = answer.read().decode()

    assert running.ready["payments.iso8583"].startswith("tcp://127.0.0.1:")
    assert running.ready["payments.iso8583"] in status
    assert f"iso8583 {running.pid_of('iso8583'):>12}  yes" in status
    assert 'pinion_ring_depth{ring="iso8583"}' in metrics
    assert 'process="iso8583"' in metrics
    assert 'pinion_decisions_total{code="OK"' in metrics


def test_a_peer_has_its_key_and_a_stranger_nothing(running: RunningPayments) -> None:
    address = iso_address(running.data_dir)
    with IsoClient(address, source="127.0.0.3") as client:
        assert client.ask(payment(21))["39"] == "03"
        assert client.ask(payment(21, de_42="m2".ljust(15)))["39"] == "03"
    with IsoClient(address, source="127.0.0.2") as client:
        assert client.is_closed()

    assert "a stranger at 127.0.0.2 was ended" in running.errors.read_text()


def test_many_connections_have_their_answers(running: RunningPayments) -> None:
    with ExitStack() as stack:
        address = iso_address(running.data_dir)
        clients = [stack.enter_context(IsoClient(address, 60.0)) for _ in range(200)]
        for number, client in enumerate(clients):
            stan = 1000 + number
            first = encoded(payment(stan, de_2=pan_of(stan), de_102="2"))
            client.send(first + encoded({"t": "0800", "7": "1129120000", "11": f"{stan:06}", "70": "301"}))
        for number, client in enumerate(clients):
            replies = [client.reply(), client.reply()]
            assert {(each["t"], each["11"]) for each in replies} == {
                (kind, f"{1000 + number:06}") for kind in ("0110", "0810")
            }


def kill(running: RunningPayments, names: tuple[str, ...]) -> None:
    """Kill processes; wait until those that follow them live."""
    before = {name: running.pid_of(name) for name in names}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def are_new() -> bool:
        return all(
            running.pid_of(name) != pid and is_running(running.pid_of(name)) for name, pid in before.items()
        )

    await_true(are_new, f"all live again behind {names}", WAIT_S)


def test_kills_lose_and_double_nothing(start: Start, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    running = start(*write_settings(tmp_path, set_up_of(PLAYERS), LOCAL), "--lean")
    running.await_ready()
    chance = random.Random(SEED)
    players = [IsoPlayer(running.data_dir, number, SEED) for number in range(1, PLAYERS + 1)]
    for player in players:
        request.addfinalizer(player.close)
    for names in (("iso8583",), ("worker",), ("iso8583", "worker", "journaler"), ("iso8583", "payments")):
        stopping = threading.Event()
        with ThreadPoolExecutor(PLAYERS) as pool:
            playing = [pool.submit(player.play, stopping) for player in players]
            time.sleep(chance.uniform(0.2, 0.6))
            kill(running, names)
            time.sleep(chance.uniform(0.1, 0.3))
            stopping.set()
            for each in playing:
                each.result()
            for each in [pool.submit(player.check) for player in players]:
                each.result()
        assert [fault for player in players for fault in player.faults] == []
        await_true(lambda: _serves(running), "the HTTP door serves", WAIT_S)
        known = {player: (player.total, player.held) for player in players}
        assert [account(running, number) for number in range(1, PLAYERS + 1)] == [*known.values()]
    assert sum(player.counts["lost"] for player in players) >= 3
    assert sum(player.counts["answers"] for player in players) > 100
    assert running.stop() == 0, running.errors.read_text()
    pinion("journal", "verify", str(running.data_dir))
    books = LiveView(state_at(running.data_dir, 2**62))
    for number, player in enumerate(players, 1):
        found = books.account(number)
        assert found is not None
        assert (found.balances[0].total, found.balances[0].held) == (player.total, player.held)


def _serves(running: RunningPayments) -> bool:
    with closing(Caller(running.data_dir, running.key)) as caller:
        return caller.ask("GET", f"{PAYMENTS}/accounts/1").status == 200


def test_a_door_that_is_told_to_stop_answers_what_it_has(start: Start, tmp_path: Path) -> None:
    running = start(*write_settings(tmp_path, set_up_of(1), LOCAL), "--lean")
    running.await_ready()
    stans = range(1, 101)
    with IsoClient(iso_address(running.data_dir)) as client:
        client.send(b"".join(encoded(payment(stan, de_2=pan_of(stan), de_4=f"{stan:012}")) for stan in stans))
        first = client.reply()
        os.kill(running.process.pid, signal.SIGTERM)
        replies = [first, *_rest_of(client)]

    assert running.process.wait(WAIT_S) == 0, running.errors.read_text()
    assert {each["39"] for each in replies} <= {"00", "91", "68"}
    assert len({each["11"] for each in replies}) == len(replies) > 0
    approved, unknown = (
        sum(int(each["4"]) for each in replies if each["39"] == code) for code in ("00", "68")
    )
    found = LiveView(state_at(running.data_dir, 2**62)).account(1)
    assert found is not None
    assert approved <= found.balances[0].held <= approved + unknown
    assert found.balances[0].total == BALANCE


def _rest_of(client: IsoClient) -> list[Any]:
    found = []
    try:
        while True:
            found.append(client.reply())
    except ConnectionError:
        return found
