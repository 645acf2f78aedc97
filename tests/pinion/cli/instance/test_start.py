"""A second application is started by the code that starts trading, with a door of its own."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.contract import instance
from engine.runtime.shared_memory import segment_names
from tests.engine.runtime.echo import NAME
from tests.pinion.cli.journal.subjects import pinion

COMMAND = [sys.executable, "-m", "tests.pinion.cli.instance.echo_up"]
WAIT_S = 60.0


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def process(data_dir: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start it; what a failed test leaves is removed."""
    command = [*COMMAND, "--data", str(data_dir), "--echo-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        yield started
        started.kill()
    for name in segment_names(data_dir).values():
        Path("/dev/shm", name).unlink(missing_ok=True)


def ready(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return what the ready line says."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready "):
            found: dict[str, Any] = json.loads(line.removeprefix("ready "))
            return found
    assert process.stderr is not None
    raise AssertionError(process.stderr.read())


def ask(url: str) -> int:
    """Add one through the door; return the total."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), WAIT_S) as connection:
        return int(connection.recv(100))


def test_a_second_application_is_started_with_a_door_of_its_own(
    data_dir: Path, process: "subprocess.Popen[str]", capsys: pytest.CaptureFixture[str]
) -> None:
    said = ready(process)

    assert said == {"echoes": said["echoes"], "data": str(data_dir), "pid": process.pid}
    assert said["echoes"].startswith("tcp://127.0.0.1:")
    assert instance.read(data_dir).doors == {"echoes": said["echoes"]}
    assert [ask(said["echoes"]), ask(said["echoes"])] == [1, 2]
    assert pinion(["status", "--data", str(data_dir)]) == 0
    shown = capsys.readouterr().out
    assert f"{NAME} on {data_dir}, epoch 1" in shown
    assert f"\nechoes {said['echoes']}\n" in shown
    assert "\naccounts 1\n" in shown
    assert re.search(r"\nworker: \d+ MiB of shared memory, \d+ MiB of it in huge pages\n", shown)
    assert pinion(["status", "--json", "--data", str(data_dir)]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["echoes"], status["accounts"], "trades" in status) == (said["echoes"], 1, False)
    assert status["memory"]["huge_mib"] <= status["memory"]["shared_mib"]
    process.terminate()
    assert process.wait(WAIT_S) == 0


def test_its_options_and_its_configuration_are_its_own(tmp_path: Path, data_dir: Path) -> None:
    helped = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    config = tmp_path / "echo.toml"
    config.write_text("[orders]\nport = 1\n")
    refused = subprocess.run(
        [*COMMAND, "--data", str(data_dir), "--config", str(config)], capture_output=True, text=True
    )

    assert "--echo-port N" in helped.stdout
    assert "order" not in helped.stdout
    assert refused.returncode == 2
    assert f"echo up: {config}: orders: unknown setting" in refused.stderr
    assert not data_dir.exists()
