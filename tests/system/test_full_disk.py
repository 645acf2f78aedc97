"""A whole instance whose disk is full under load, or cannot be written at all (small_disks.py)."""

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.contract import instance
from engine.contract.latch import LATCH_REASONS, LATCH_TEXTS
from engine.contract.port import EventReader, claim_spare
from engine.trading.records import COMMAND, COMMAND_VERSION, Op
from tests.engine.trading.comparison import standing_of_state
from tests.system.clients import Client
from tests.system.record import Record
from tests.system.running import Running, await_true, is_running
from tests.system.small_disks import CAUSES, HARMS, MAY_MOUNT, fill_up, limit_files, mounted, remount

FULL_MB, ROOMY_MB = 100, 400
"""Two journal segments and little else; as much as the test needs."""
CLIENTS = 2
TOKEN = "the-key-of-this-test"
CONFIG = f"""
[history]
enabled = false
[[keys]]
name = "test"
token = "{TOKEN}"
roles = ["trader", "operator", "viewer"]
accounts = "all"
[[currencies]]
currency = "USD"
[[currencies]]
currency = "BTC"
[[instruments]]
symbol = "BTC-USD"
base = "BTC"
quote = "USD"
tick_size = "0.01"
lot_size = "0.0001"
[[accounts]]
account = 1
deposit = {{ USD = "100000000" }}
[[accounts]]
account = 2
deposit = {{ USD = "100000000" }}
"""
Start = Callable[..., Running]


@pytest.fixture
def data_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The data folder, on a file system of its own where the test's harm asks for it."""
    (tmp_path / "pinion.toml").write_text(CONFIG)
    folder = tmp_path / "data"
    if request.param == "limited":
        folder.mkdir()
        yield folder
    else:
        with mounted(folder, FULL_MB):
            yield folder


def begin(start: Start, data_dir: Path) -> Running:
    """Start on the folder; the clients find their key where the demo has its own."""
    (data_dir / "demo.key").write_text(TOKEN)
    return start("--config", str(data_dir.parent / "pinion.toml"), data_dir=data_dir)


def refused_order(running: Running) -> tuple[int, dict[str, Any]]:
    """Post one order; return status and problem."""
    address = json.loads((running.data_dir / "instance.json").read_text())["doors"]["orders"].removeprefix(
        "http://"
    )
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        order = {"account": 1, "symbol": "BTC-USD", "side": "buy", "price": "1", "quantity": "1"}
        connection.request("POST", "/v1/orders", json.dumps(order), {"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def status_of(running: Running, *options: str) -> str:
    command = [sys.executable, "-m", "pinion.cli.main", "status", "--data", str(running.data_dir), *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def api_status(url: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{url}/v1/status", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def check_latched(running: Running, url: str, cause: str) -> None:
    """Doors refuse with a reason, every status says why, and so did the log."""
    status, problem = refused_order(running)
    assert (status, problem["reason"]) == (503, "latched")
    assert "latched" in problem["detail"]
    assert json.loads(status_of(running, "--json"))["latched"] == cause
    assert status_of(running).startswith(f"LATCHED: {cause}")
    document = api_status(url)
    assert document["latched"] == cause
    assert cause in document["warning"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/readyz", timeout=20)
    with refused.value as answer:
        problem = json.load(answer)
    assert (answer.code, problem["reason"]) == (503, "not_ready")
    assert cause in problem["detail"]
    assert "latched" in [each["reason"] for each in problem["troubles"]]
    with urllib.request.urlopen(f"{url}/metrics", timeout=20) as answer:
        metrics = answer.read().decode()
    assert "pinion_ready 0.0" in metrics
    [reason] = [LATCH_REASONS[value] for value, text in LATCH_TEXTS.items() if text == cause]
    assert f'pinion_latched{{reason="{reason}"}} 1.0' in metrics
    await_true(lambda: cause in running.errors.read_text(), "the log says why")


def is_door_serving(running: Running) -> bool:
    doors = [each.pid for each in instance.read(running.data_dir).processes if each.name == "http"]
    return any(
        is_running(pid) and instance.read_ready(running.data_dir, "http", pid) is not None for pid in doors
    )


def check_door_without_room(running: Running) -> None:
    """Not one byte is free and a door dies: it comes back when there is room, all others stay."""
    filler, killed = running.data_dir / "filler", running.pid_of("http")
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(2**12))
    with EventReader.attach(running.data_dir) as reader:
        restarts = reader.counters()["supervisor.restarts"]
        os.kill(killed, signal.SIGKILL)
        await_true(
            lambda: reader.counters()["supervisor.restarts"] > restarts + 1, "it is tried again and again"
        )
    assert running.pid_of("http") == killed, "the instance file could be written: the disk was not full"
    filler.unlink()
    await_true(lambda: is_door_serving(running), "the new door is announced, and serves")
    assert refused_order(running)[1]["reason"] == "latched"


@pytest.mark.parametrize(("data_dir", "harm"), [(each, each) for each in HARMS], indirect=["data_dir"])
def test_a_disk_that_is_full_under_load_latches_and_loses_nothing_acknowledged(
    start: Start, data_dir: Path, harm: str
) -> None:
    running = begin(start, data_dir)
    ready = running.await_ready()
    clients = [Client(running, number, seed=1) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    await_true(lambda: all(len(client.told.accepted) > 5 for client in clients), "orders are answered")

    if harm == "limited":
        limit_files(running.pid_of("journaler"))
    ticks = np.zeros(4096, COMMAND)
    ticks["op"], ticks["version"] = Op.TICK, COMMAND_VERSION
    with claim_spare(data_dir) as gate:
        fill_up(gate, ticks)
    check_latched(running, ready["api"], CAUSES[harm])
    if harm == "full":
        check_door_without_room(running)
    answered = [len(client.told.accepted) for client in clients]
    assert running.stop() == 0

    if harm == "full":
        remount(data_dir, f"size={ROOMY_MB}m")
    again = begin(start, data_dir)
    again.await_ready()
    for client in clients:
        client.follow(again)
    await_true(
        lambda: all(len(c.told.accepted) > n + 5 for c, n in zip(clients, answered, strict=True)), "more"
    )
    for client in clients:
        client.stop()
    for client in clients:
        client.join(60)
    with EventReader.attach(data_dir) as reader:
        standing = standing_of_state(reader.state())
    assert again.stop() == 0
    record = Record(data_dir)
    record.check_order()
    record.check_oracle(standing)
    assert record.check_told([client.told for client in clients]) > sum(answered)


@pytest.mark.parametrize("data_dir", ["read-only"] if MAY_MOUNT else [], indirect=True)
def test_a_disk_that_cannot_be_written_ends_the_start_and_is_named(data_dir: Path) -> None:
    errors = data_dir.parent / "stderr.txt"
    remount(data_dir, "ro")

    with errors.open("w") as output:
        started = subprocess.run(
            [sys.executable, "-m", "pinion.cli.main", "up", "--data", str(data_dir), "--config",
             str(data_dir.parent / "pinion.toml"), "--order-port", "0", "--api-port", "0"],
            stderr=output, check=False,
        )  # fmt: skip

    assert started.returncode == 1
    said = errors.read_text()
    assert "Read-only file system" in said
    assert str(data_dir) in said
    assert "Traceback" not in said
