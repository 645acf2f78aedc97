"""`pinion up` from start to stop, and what survives when a part of it dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.contract import instance
from engine.contract.port import claim_spare
from engine.runtime.shared_memory import segment_names
from engine.trading.records import ALL_INSTRUMENTS, COMMAND, COMMAND_VERSION, EventKind, Op, Role
from ringbuf.kernel_cache import ROOT
from tests.system.running import Running, await_true, is_running

Start = Callable[..., Running]
PROCESSES = ("supervisor", "journaler", "worker", "shadow", "http", "api", "database", "history")


def post(running: Running, path: str, body: dict[str, Any], url: str) -> dict[str, Any]:
    """Send one request through the order door."""
    request = urllib.request.Request(
        url + path,
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {running.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def order(number: int, side: str = "buy") -> dict[str, Any]:
    return {
        "client_order_id": number, "account": 1 if side == "buy" else 2, "symbol": "BTC-USD",
        "side": side, "price": "100.00", "quantity": "1",
    }  # fmt: skip


def test_up_prints_its_processes_and_the_ready_line_then_stops_in_order(start: Start, tmp_path: Path) -> None:
    running = start()
    ready = running.await_ready()

    assert [line.split()[0] for line in running.lines] == [*PROCESSES, "ready"]
    assert set(ready) == {"api", "orders", "data", "pid"}
    assert ready["pid"] == running.process.pid
    bought = post(running, "/v1/orders", order(1), ready["orders"])
    sold = post(running, "/v1/orders", order(2, "sell"), ready["orders"])
    assert (bought["status"], sold["status"]) == ("open", "filled")
    pids = [each.pid for each in instance.read(running.data_dir).processes]

    assert running.stop(signal.SIGINT) == 0
    assert not any(is_running(pid) for pid in pids)
    assert not any(Path("/dev/shm", name).exists() for name in segment_names(running.data_dir).values())
    assert (running.data_dir / "demo.key").stat().st_mode & 0o777 == 0o600


def test_a_second_start_on_the_folder_is_refused_with_the_holders_pid(start: Start) -> None:
    first = start()
    first.await_ready()

    second = start()

    assert second.process.wait(60) == 1
    assert f"in use by process {first.process.pid}" in second.errors.read_text()
    assert first.stop() == 0


def test_a_killed_door_comes_back_and_the_books_stay(start: Start) -> None:
    running = start()
    ready = running.await_ready()
    post(running, "/v1/orders", order(1), ready["orders"])
    killed = running.pid_of("http")

    os.kill(killed, signal.SIGKILL)
    await_true(lambda: running.pid_of("http") != killed, "a new http process")
    pid = running.pid_of("http")
    await_true(lambda: instance.read_ready(running.data_dir, "http", pid) is not None, "http is ready")
    sold = post(running, "/v1/orders", order(2, "sell"), ready["orders"])

    assert sold["status"] == "filled"
    assert running.stop() == 0


def test_without_a_journal_the_death_of_the_worker_stops_everything_with_exit_1(start: Start) -> None:
    running = start("--durability", "none")
    running.await_ready()
    pids = [each.pid for each in instance.read(running.data_dir).processes]

    os.kill(running.pid_of("worker"), signal.SIGKILL)

    assert running.process.wait(30) == 1
    assert "the worker" in running.errors.read_text()
    assert not any(is_running(pid) for pid in pids)


def test_children_die_with_the_supervisor_and_the_next_start_reclaims_all(start: Start) -> None:
    running = start()
    running.await_ready()
    pids = [each.pid for each in instance.read(running.data_dir).processes]
    epoch = instance.read(running.data_dir).epoch

    running.process.kill()
    running.process.wait()
    await_true(lambda: not any(is_running(pid) for pid in pids), "the children end")
    again = start()
    again.await_ready()

    assert instance.read(again.data_dir).epoch == epoch + 1
    assert again.stop() == 0


@pytest.mark.parametrize(("setting", "option"), [("orders.port", "--order-port"), ("api.port", "--api-port")])
def test_a_taken_port_is_told_once_with_its_setting_and_option(
    start: Start, setting: str, option: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = start(option, str(port))

        assert running.process.wait(600) == 1

    said = [line for line in running.errors.read_text().splitlines() if "compil" not in line]
    assert said == [
        f"pinion up: {setting} = {port}: address already in use on 127.0.0.1; give another port "
        f"({option} N), or 0 for any free one"
    ]


def test_of_two_taken_ports_no_process_ends_without_its_reason(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [str(each.getsockname()[1]) for each in (one, other)]
        running = start("--order-port", ports[0], "--api-port", ports[1])

        assert running.process.wait(600) == 1

    said = running.errors.read_text()
    assert any(f"port = {port}: address already in use" in said for port in ports)
    assert "exit code" not in said


def test_a_host_that_is_not_ours_is_told_with_its_setting(start: Start, tmp_path: Path) -> None:
    for section, host in (("orders", "192.0.2.1"), ("api", "nowhere.invalid")):
        config = tmp_path / "pinion.toml"
        config.write_text(
            f'[{section}]\nhost = "{host}"\n[[keys]]\nname = "a"\ntoken = "{"k" * 32}"\n'
            'roles = ["viewer"]\naccounts = "all"\n'
        )
        running = start("--config", str(config), data_dir=tmp_path / section)

        assert running.process.wait(600) == 1
        assert f"pinion up: {section}.host = '{host}': " in running.errors.read_text()
        assert "Traceback" not in running.errors.read_text()


def test_a_feeder_trades_through_a_spare_ring(shared: Running) -> None:
    commands = np.zeros(3, COMMAND)
    commands["op"], commands["version"], commands["roles"] = Op.MASS_CANCEL, COMMAND_VERSION, Role.ALL
    commands["instrument"], commands["account"] = ALL_INSTRUMENTS, 1

    with claim_spare(shared.data_dir) as gate:
        assert gate.submit(commands) == 3
        kinds: list[int] = []

        def answered() -> bool:
            kinds.extend(gate.drain()["kind"].tolist())
            return len(kinds) == 3

        await_true(answered, "three answers")

    assert set(kinds) == {EventKind.DONE}


def test_history_holds_what_was_traded(shared: Running) -> None:
    ready = shared.ready
    post(shared, "/v1/orders", order(1), ready["orders"])
    sold = post(shared, "/v1/orders", order(2, "sell"), ready["orders"])

    def fills() -> list[dict[str, Any]]:
        request = urllib.request.Request(
            f"{ready['api']}/v1/fills?account=2", headers={"Authorization": f"Bearer {shared.key}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)["fills"]
        except urllib.error.HTTPError as error:
            if error.code != 503:  # the database has not started yet
                raise
            return []

    await_true(lambda: len(fills()) > 0, "the fill in the database")
    [fill] = fills()

    assert (fill["order_id"], fill["price"], fill["liquidity"]) == (sold["order_id"], "100", "taker")


def test_status_shows_what_runs(shared: Running) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "pinion.cli.main", "status", "--data", str(shared.data_dir), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    status = json.loads(shown.stdout)
    assert [each["name"] for each in status["processes"]] == list(PROCESSES)
    assert all(each["alive"] for each in status["processes"])
    assert status["durability"] == "sync"
    assert 0 <= status["memory"]["huge_mib"] <= status["memory"]["shared_mib"]
    assert status["memory"]["shared_mib"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["status", "--data", "/nonexistent"], 1, "no instance runs on"),
        (["up", "--config", "/nonexistent.toml"], 2, "cannot be read"),
        (["up", "--api-port", "70000"], 2, "--api-port: '70000'"),
        (["frobnicate"], 2, "invalid choice"),
    ],
)
def test_wrong_usage_has_its_exit_code_and_says_why(
    arguments: list[str], code: int, said: str, tmp_path: Path
) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pinion.cli.main", *arguments], capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert result.returncode == code
    assert said in result.stderr
