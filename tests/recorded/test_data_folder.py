"""Data folders of an earlier commit: brought over, today's code verifies, replays and starts them."""

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

CONFIGURATIONS = {
    "stopped": "pinion.toml",
    "killed": "pinion.toml",
    "whole": "small.toml",
    "archived": "small.toml",
}
SNAPSHOTS = {"stopped": (1496,), "killed": (1496,), "whole": (3184, 1723), "archived": (3184, 1723)}
KEY = "kept-data-folder"
NAMES = tuple(RECORDED["folders"])
READING = (
    *(("journal", each) for each in ("verify", "stats", "dump", "archive")),
    *(("replay",), ("whatif", "--limit", '{"account":1,"max_open_orders":5}')),
)
DIGEST_WAIT_S = 30.0


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def unpacked(name: str, folder: Path) -> Path:
    """Unpack a folder; the holes of its snapshots stay holes."""
    with tarfile.open(FOLDER / f"{name}.tar.xz") as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture
def old(name: str, tmp_path: Path) -> Path:
    """Return a folder as it was left."""
    return unpacked(name, tmp_path / "data")


@pytest.fixture
def data_dir(old: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """Return a folder that is brought over, with all of its journal."""
    assert main(["journal", "migrate", str(old)]) == 0
    if (old / "archive").exists():
        assert main(["journal", "restore", str(old)]) == 0
    return old


@pytest.fixture
def start(name: str, old: Path) -> Iterator[Callable[[], Running]]:
    """Start instances on the folder; none outlives the test."""
    started: list[Running] = []

    def begin() -> Running:
        started.append(Running(old, "--config", str(FOLDER / CONFIGURATIONS[name])))
        return started[-1]

    yield begin
    for each in started:
        each.clean_up()


@pytest.mark.parametrize("name", ["whole", "archived"])
def test_before_it_is_brought_over_every_command_names_the_mend(
    name: str, old: Path, start: Callable[[], Running], capfd: pytest.CaptureFixture[str]
) -> None:
    mend = f"bring it over: pinion journal migrate {old}"
    for word, *options in READING:
        place = [word, options.pop(0), str(old)] if word == "journal" else [word, str(old)]
        assert main([*place, *options]) == 1
        assert mend in capfd.readouterr().err
    running = start()
    assert running.process.wait(60) == 1
    assert mend in running.errors.read_text()


@pytest.mark.parametrize("name", ["whole", "archived"])
def test_a_second_time_there_is_nothing_to_do(
    name: str, old: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["journal", "migrate", str(old)]) == 0
    assert "brought over" in capfd.readouterr().out

    assert main(["journal", "migrate", str(old)]) == 0

    said = capfd.readouterr().out
    assert "nothing to do" in said
    assert "brought over" not in said


def test_a_journal_of_then_is_verified(name: str, data_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "verify", str(data_dir)]) == 0

    said = capfd.readouterr().out
    assert f"seq 1 to {RECORDED['folders'][name]['commands']:,}" in said
    assert "all whole and chained" in said
    assert all(f"snapshot       seq {seq:,}, whole" in said for seq in SNAPSHOTS[name])


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
    order = {"account": 1, "symbol": "XYZ", "side": "buy", "price": "1", "quantity": 3}
    request = urllib.request.Request(
        f"{orders}/v1/orders",
        json.dumps({**order, "client_order_id": 777_777}).encode(),
        {"Authorization": f"Bearer {KEY}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
