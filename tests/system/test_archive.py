"""Archiving beside a running instance: it, its history and its next start lack nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.contract.port import EventReader
from engine.runtime.journal.journal import segment_paths
from pinion.cli.main import main
from tests.system.running import Running, await_true
from tests.system.test_database_killed import lag_of
from tests.system.test_up import order, post


def caught_up(running: Running) -> bool:
    """Tell whether history lacks nothing that was done up to now."""
    with EventReader.attach(running.data_dir) as reader:
        durable_seq = reader.durable_seq()
        return reader.counters()["history.complete_seq"] >= durable_seq


def test_ticks_that_are_held_back_are_no_lag(start: Callable[..., Running]) -> None:
    running = start()
    url = running.await_ready()["api"]
    with EventReader.attach(running.data_dir) as reader:
        counters = reader.counters()

        await_true(
            lambda: 0 < counters["history.seq"] < reader.durable_seq() and lag_of(running, url) == 0,
            "a tick is durable, not written, and not owed",
        )

    assert running.stop() == 0


def test_segments_go_while_it_runs_and_everything_goes_on(
    start: Callable[..., Running], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2, 3):
        running = start()
        ready = running.await_ready()
        post(running, "/v1/orders", order(number), ready["orders"])
        if number < 3:
            assert running.stop() == 0  # each stop takes a snapshot, each start a new segment
    await_true(lambda: caught_up(running), "history reaches what is durable")
    folder = running.data_dir / "journal"
    names = [path.name for path in segment_paths(folder)]

    assert main(["journal", "archive", str(running.data_dir)]) == 0
    first = post(running, "/v1/orders", order(4), ready["orders"])
    sold = post(running, "/v1/orders", order(5, "sell"), ready["orders"])
    await_true(lambda: caught_up(running), "history goes on")
    assert running.stop() == 0
    again = start()
    ready = again.await_ready()
    resold = post(again, "/v1/orders", order(6, "sell"), ready["orders"])
    await_true(lambda: caught_up(again), "history after a start")
    assert main(["journal", "restore", str(again.data_dir)]) == 0

    assert (first["status"], sold["status"], resold["status"]) == ("open", "filled", "filled")
    assert [path.name for path in sorted((again.data_dir / "archive").iterdir())] == [f"{names[0]}.zst"]
    assert again.stop() == 0
    assert [path.name for path in segment_paths(folder)][: len(names)] == names
    assert main(["journal", "verify", str(again.data_dir)]) == 0
    assert main(["replay", str(Path(again.data_dir)), "--stats"]) == 0
