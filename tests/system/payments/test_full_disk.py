"""A whole instance of payments whose disk is full, or refuses to write: nothing acknowledged is lost."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

from engine.contract.port import claim_spare
from engine.payments.records import COMMAND, COMMAND_VERSION, Op
from tests.system.payments.clients import PAYMENTS, Client, set_up_of
from tests.system.payments.running import PROBLEM, Caller, RunningPayments, write_settings
from tests.system.running import await_true
from tests.system.small_disks import CAUSES, HARMS, fill_up, limit_files, mounted, remount

FULL_MB, ROOMY_MB = 40, 400
"""Two journal segments of these settings and little else; as much as the test needs."""
SETTINGS = """
[history]
enabled = false
[engine]
journal_ring = 8192
journal_segment = 32768
"""
CLIENTS = 2
KEY = "the-key-of-this-test"
PAYMENT = {
    "request_id": "late", "merchant": "shop-0", "channel": "pos", "amount": 100, "currency": "EUR",
    "account": 1, "card": {"token": "late", "expiry": "9912"},
}  # fmt: skip
Start = Callable[..., RunningPayments]


@pytest.fixture
def data_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The data folder, on a file system of its own where the test's harm asks for it."""
    folder = tmp_path / "data"
    if request.param == "limited":
        folder.mkdir()
        yield folder
    else:
        with mounted(folder, FULL_MB):
            yield folder


def check_latched(running: RunningPayments, cause: str) -> None:
    """Whatever is asked for is answered SYSTEM, and the log says why."""
    with closing(Caller(running.data_dir, running.key)) as caller:
        check_answers(caller)
    await_true(lambda: cause in running.errors.read_text(), "the log says why")


def check_answers(caller: Caller) -> None:
    for path, body in (
        (PAYMENTS, PAYMENT),
        (f"{PAYMENTS}/a-1/capture", {"request_id": "c"}),
        (f"{PAYMENTS}/void", {"request_id": "late", "merchant": "shop-0"}),
    ):
        answer = caller.ask("POST", path, body)
        assert (answer.status, answer.code, answer.reply["iso"]) == (503, "SYSTEM", "96")
        assert answer.reply["decision"] is answer.reply["payment"] is answer.reply["state"] is None
    seen = caller.ask("GET", f"{PAYMENTS}/accounts/1")
    assert (seen.status, seen.code) in ((200, ""), (503, "BUSY")), "what is shown is durable"
    assert caller.ask("GET", "/v1/elsewhere").content == PROBLEM


@pytest.mark.parametrize(("data_dir", "harm"), [(each, each) for each in HARMS], indirect=["data_dir"])
def test_a_disk_that_is_full_under_load_answers_system_and_loses_nothing_acknowledged(
    start: Start, data_dir: Path, tmp_path: Path, harm: str
) -> None:
    options = write_settings(tmp_path, set_up_of(CLIENTS), SETTINGS)
    (data_dir / "demo.key").write_text(KEY)
    running = start(*options, data_dir=data_dir)
    running.await_ready()
    clients = [Client(data_dir, KEY, number, seed=3) for number in range(CLIENTS)]
    ticks = np.zeros(1024, COMMAND)
    ticks["op"], ticks["version"] = Op.TICK, COMMAND_VERSION
    stopping = threading.Event()
    with ExitStack() as closed, ThreadPoolExecutor(CLIENTS) as pool:
        for client in clients:
            closed.callback(client.close)
        playing = [pool.submit(client.play, stopping) for client in clients]
        try:
            await_true(
                lambda: all(len(each.ledger.payments) > 5 for each in clients), "payments are answered"
            )
            if harm == "limited":
                limit_files(running.pid_of("journaler"))
            with claim_spare(data_dir) as gate:
                fill_up(gate, ticks)
            check_latched(running, CAUSES[harm])
            await_true(lambda: all(each.counts["SYSTEM"] for each in clients), "clients hear SYSTEM")
            before = [len(each.ledger.payments) for each in clients]
            assert running.stop() == 0
            if harm == "full":
                remount(data_dir, f"size={ROOMY_MB}m")
            start(*options, data_dir=data_dir).await_ready()
            await_true(
                lambda: all(len(c.ledger.payments) > n + 5 for c, n in zip(clients, before, strict=True)),
                "payments are answered again",
            )
        finally:
            stopping.set()
        for each in playing:
            each.result()
        for each in [pool.submit(client.check) for client in clients]:
            each.result()

    assert [fault for client in clients for fault in client.faults] == []
