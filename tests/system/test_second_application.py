"""A second application lives a whole life in real processes, with the same runtime and the same tools.

The echo application: its capacity grows by a migration, history follows into PostgreSQL, worker and shadow
compare their states, the journal is archived and comes back, a command that kills the worker is left out.
What rows and totals must be is told from the journal's commands alone.
"""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.contract import instance
from engine.contract.instance import HISTORY, counter_name
from engine.contract.port import Closed, EventReader
from engine.runtime.journal.journal import JournalReader
from engine.runtime.journal.quarantine import quarantined
from engine.runtime.shared_memory import segment_names
from pinion.cli.journal.data import application_of, open_journal, read_layout
from pinion.cli.journal.migrate import state_at_end
from tests.engine.runtime.echo import ACCOUNTS, ADD, COMMAND, POISON, REFUSED
from tests.engine.runtime.echo_tools import BOTH
from tests.engine.runtime.history.tables import rows_of
from tests.engine.runtime.replay.test_recovery import EchoInstance
from tests.pinion.cli.journal.subjects import ECHO, pinion
from tests.postgres import dsn, postgres
from tests.system.running import await_true

__all__ = ["dsn", "postgres"]

MORE = 64
BATCHES = 20
Start = Callable[[int], EchoInstance]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def start(data_dir: Path, dsn: str) -> Iterator[Start]:
    """Start instances with so many accounts, whose history goes to a database of the test's own."""
    started: list[EchoInstance] = []

    def begin(accounts: int) -> EchoInstance:
        started.append(EchoInstance(data_dir, arguments=(str(accounts), dsn)))
        return started[-1].enter()

    yield begin
    for each in started:
        each.clean_up()


def add(running: EchoInstance, *accounts: int) -> list[Any]:
    """Send an addition to each account; return the answers, which have one event each."""
    commands = np.zeros(len(accounts), COMMAND)
    commands["op"], commands["mark"] = ADD, 5
    commands["account"], commands["req_seq"] = accounts, 10**6 + np.arange(len(accounts))
    assert running.gate.submit(commands) == len(commands)
    running.until(lambda: running.last_req_seq() == commands["req_seq"][-1], "answers")
    return list(np.concatenate(running.events)[-len(accounts) :])


def rows_told_by_the_journal(data_dir: Path) -> list[tuple[Any, ...]]:
    """Return what the table must hold: seq, account, mark, total of every addition that was taken."""
    layout, left_out = read_layout(data_dir, BOTH), quarantined(data_dir)
    totals: Counter[int] = Counter()
    rows = []
    for frame in JournalReader(data_dir / "journal"):
        for entry in frame.entries:
            seq, command = int(entry["seq"]), entry["command"]
            past = next((each for each in layout.past if seq <= each.last_seq), layout)
            account, mark = int(command["account"]), int(command["mark"])
            if command["op"] == ADD and account < past.capacities["accounts"] and seq not in left_out:
                totals[account] += mark
                rows.append((seq, account, mark, totals[account]))
    return rows


def rows_in(dsn: str) -> list[tuple[Any, ...]]:
    return asyncio.run(rows_of(dsn, "SELECT seq, account, mark, total FROM additions ORDER BY seq"))


def history_pid(data_dir: Path) -> int:
    """Return the pid of the history process, 0 where there is none just now."""
    processes = instance.read(data_dir).processes
    return next((each.pid for each in processes if each.name == HISTORY), 0)


def has_followed(running: EchoInstance) -> bool:
    """Tell whether history is where the last answer came from."""
    with EventReader.attach(running.data_dir) as reader:
        reached = int(reader.counters()[counter_name(HISTORY, "complete_seq")])
    return reached >= int(running.events[-1][-1]["seq"])


def stop(running: EchoInstance) -> None:
    """Stop in order, once history has followed: a stop gives up what it is at. Nothing of it is left."""
    await_true(lambda: has_followed(running), "history follows")
    pids = [each.pid for each in instance.read(running.data_dir).processes]
    assert running.stop() == 0, running.errors.read_text()
    assert not [pid for pid in pids if Path("/proc", str(pid)).exists()]
    assert not [name for name in segment_names(running.data_dir).values() if Path("/dev/shm", name).exists()]


def digest_at(data_dir: Path, seq: int) -> str:
    """Return the digest of the state that the journal gives at seq, from its very beginning."""
    replica, reader = open_journal(data_dir, applications=BOTH)
    for records, epoch, _ in reader.stretches(seq):
        replica.enter_epoch(epoch)
        replica.skip(records[records["seq"] <= seq])
    replica.arrive()
    return application_of(data_dir, BOTH).digest(replica.state)


def test_history_outlives_its_process_and_worker_and_shadow_agree(
    start: Start, data_dir: Path, dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    running = start(ACCOUNTS)
    count = running.play(0, BATCHES)
    pid = history_pid(data_dir)
    os.kill(pid, signal.SIGKILL)
    await_true(lambda: history_pid(data_dir) not in (0, pid), "another history process")
    running.play(count, BATCHES)
    answers = add(running, 1, ACCOUNTS, ACCOUNTS - 1)

    assert pinion(["status", "--data", str(data_dir)]) == 0
    assert f"{ECHO.name} on {data_dir}" in capsys.readouterr().out
    assert pinion(["digest", "--data", str(data_dir)]) == 0
    told = json.loads(capsys.readouterr().out)
    stop(running)

    assert [event["kind"] == REFUSED for event in answers] == [False, True, False]
    assert told["digest"] == digest_at(data_dir, told["seq"])
    assert "the shadow stops" not in running.errors.read_text()
    assert rows_in(dsn) == rows_told_by_the_journal(data_dir)
    assert pinion(["journal", "verify", str(data_dir)]) == 0


def poison(running: EchoInstance) -> int:
    """Send a command that kills the worker; return its seq once the engine is latched by it."""
    command = np.zeros(1, COMMAND)
    command["op"], command["session"], command["account"], command["mark"] = ADD, POISON, 20, 1000
    assert running.gate.submit(command) == 1
    running.until(lambda: "journal quarantine" in running.errors.read_text(), "the latch")
    assert running.gate.closed_because() is Closed.LATCHED
    return int(running.gate.state()[0]["seq"])


def test_it_lives_through_archive_migration_and_quarantine(
    start: Start, data_dir: Path, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        running = start(ACCOUNTS)
        running.play(0, BATCHES)
        assert [event["kind"] == REFUSED for event in add(running, 20)] == [True]
        stop(running)
    archive = ["journal", "archive", str(data_dir), "--without-history"]
    assert pinion(archive) == 0
    assert "archived       " in capsys.readouterr().out
    file = ECHO.write_config(tmp_path / "more.toml", {"accounts": MORE})
    assert pinion(["journal", "migrate", str(data_dir), "--config", str(file)]) == 0
    assert f"accounts       {ACCOUNTS} -> {MORE}" in capsys.readouterr().out

    running = start(MORE)
    assert [event["total"] for event in add(running, 20, 20)] == [5, 10]
    seq = poison(running)
    assert pinion(["journal", "quarantine", str(seq - 1), "--data", str(data_dir)]) == 1
    assert pinion(["journal", "quarantine", str(seq), "--data", str(data_dir)]) == 0
    assert running.stop() == 0

    running = start(MORE)
    assert [event["total"] for event in add(running, 20)] == [15]
    running.play(0, BATCHES)
    stop(running)
    assert pinion(["journal", "restore", str(data_dir)]) == 0
    assert pinion(["journal", "verify", str(data_dir)]) == 0
    application = application_of(data_dir, BOTH)
    end, found = state_at_end(data_dir, application)
    assert application.digest(end.state) == digest_at(data_dir, found.end.seq)
    assert rows_in(dsn) == rows_told_by_the_journal(data_dir)
    assert (seq, 20, 1000) not in [row[:3] for row in rows_in(dsn)]
