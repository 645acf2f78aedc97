"""Data folders of an earlier commit: today's code verifies, replays and starts them."""

import json
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.runtime.replay.snapshot import snapshot_paths
from engine.trading.digest import digest
from pinion.cli.instance.digest import asked_of
from pinion.cli.journal.data import application_of
from pinion.cli.journal.migrate import state_at_end
from pinion.cli.main import main
from tests.recorded.reading import FOLDER, RECORDED, Decided, hash_of, replayed
from tests.system.running import Running

CONFIGURATION = FOLDER / "pinion.toml"
KEY = "kept-data-folder"
NAMES = tuple(RECORDED["folders"])
DIGEST_WAIT_S = 30.0


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def data_dir(name: str, tmp_path: Path) -> Path:
    """Unpack a folder; the holes of its snapshot stay holes."""
    folder = tmp_path / "data"
    with tarfile.open(FOLDER / f"{name}.tar.xz") as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture
def start(data_dir: Path) -> Iterator[Callable[[], Running]]:
    """Start instances on the folder; none outlives the test."""
    started: list[Running] = []

    def begin() -> Running:
        started.append(Running(data_dir, "--config", str(CONFIGURATION)))
        return started[-1]

    yield begin
    for each in started:
        each.clean_up()


def test_a_journal_of_then_is_verified(name: str, data_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "verify", str(data_dir)]) == 0

    said = capfd.readouterr().out
    assert f"seq 1 to {RECORDED['folders'][name]['commands']:,}" in said
    assert "all whole and chained" in said
    assert "snapshot       seq 1,496, whole" in said


def test_a_journal_of_then_is_replayed_to_the_same_events_and_digests(
    name: str, data_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert replayed(data_dir, capfd=capfd) == Decided(**RECORDED["folders"][name])


def test_a_snapshot_of_then_and_the_journal_behind_it_give_the_same_state(name: str, data_dir: Path) -> None:
    replica, _ = state_at_end(data_dir, application_of(data_dir))

    assert digest(replica.state) == RECORDED["folders"][name]["state"]


def test_a_folder_of_then_starts_and_takes_orders_and_forgets_nothing(
    name: str, data_dir: Path, start: Callable[[], Running], capfd: pytest.CaptureFixture[str]
) -> None:
    recorded = Decided(**RECORDED["folders"][name])
    before, after = data_dir.parent / "before", data_dir.parent / "after"
    assert main(["replay", str(data_dir), "--events", str(before)]) == 0
    running = start()
    ready = running.await_ready()

    outcome = entered(ready["orders"])

    asked_of(data_dir, DIGEST_WAIT_S)  # raises where worker and shadow differ
    assert running.stop() == 0
    assert (outcome["status"], outcome["leaves_quantity"]) == ("open", "3")
    assert outcome["order_id"] > recorded.commands
    assert main(["replay", str(data_dir), "--events", str(after)]) == 0
    assert hash_of(before.read_bytes()) == recorded.events_file_hash
    assert after.read_bytes().startswith(before.read_bytes())
    assert main(["journal", "verify", str(data_dir)]) == 0
    at_the_stop = np.load(snapshot_paths(data_dir)[0], mmap_mode="r")["state"]
    assert replayed(data_dir, capfd=capfd).state == digest(at_the_stop)


def entered(orders: str) -> dict[str, Any]:
    """Enter an order that rests and return the answer."""
    order = {"account": 1, "symbol": "XYZ", "side": "buy", "price": "50", "quantity": 3}
    request = urllib.request.Request(
        f"{orders}/v1/orders",
        json.dumps({**order, "client_order_id": 777_777}).encode(),
        {"Authorization": f"Bearer {KEY}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
