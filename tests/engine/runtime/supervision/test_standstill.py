"""Processes and disks that stand still: one holder of every role, nothing acknowledged, nothing lost.

The echo application in real processes, stopped by SIGSTOP or by a sync that does not return.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.contract import instance
from engine.contract.instance import SUPERVISOR
from engine.contract.port import Closed
from engine.runtime.process import role_lock_path
from ringbuf.kernel_cache import ROOT
from tests.engine.runtime.echo import ADD, COMMAND
from tests.engine.runtime.replay.test_recovery import BATCHES, WAIT_S, EchoInstance, check, journaled
from tests.engine.runtime.supervision.failing_instance import HANG, HANGING, REFUSE
from tests.system.running import await_true, is_running

FEW = 6
IS_LONG = os.environ.get("PINION_LONG") == "1"
STILL = ("disk", "journaler") if IS_LONG else ("disk",)
ENDS = ("it goes on", "the journaler is killed", *(("everything is killed",) if IS_LONG else ()))
Begin = Callable[..., EchoInstance]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begin an instance on the one folder, without waiting until it serves."""
    begun: list[EchoInstance] = []

    def make() -> EchoInstance:
        data_dir = tmp_path / "data"
        data_dir.mkdir(exist_ok=True)
        begun.append(EchoInstance(data_dir, module="supervision.failing_instance"))
        return begun[-1]

    yield make
    for each in begun:
        each.clean_up()


def pid_of(running: EchoInstance, name: str) -> int:
    return next(each.pid for each in instance.read(running.data_dir).processes if each.name == name)


def stand_still(pid: int) -> None:
    """Stop a process and wait until it stands."""
    os.kill(pid, signal.SIGSTOP)
    await_true(
        lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", "it stands"
    )


def refused(running: EchoInstance) -> str:
    """Wait until a start gives up; return why."""
    assert running.process.wait(WAIT_S) == 1
    return running.errors.read_text()


def flood(running: EchoInstance, first: int) -> int:
    """Send until the command ring is full and stays full; return the next req_seq."""
    number = first
    counters = running.gate.counters()
    commands = np.zeros(1, COMMAND)
    commands["op"], commands["mark"] = ADD, 3
    waits = counters["worker.journal_waits"]
    while counters["worker.journal_waits"] < waits + 3 or running.gate.depth() < 256:
        commands["req_seq"], commands["count"], commands["gw_ts"] = number, 1 + number % 3, 0
        number += running.gate.submit(commands)
        running.drain()
    return number


def kill_all(running: EchoInstance) -> None:
    """Kill the supervisor; everything dies with it, whether it stands or runs."""
    pids = [each.pid for each in instance.read(running.data_dir).processes]
    running.gate.close()
    running.process.kill()
    running.process.wait()
    await_true(lambda: not any(map(is_running, pids)), "all processes end")


def test_while_the_supervisor_stands_still_its_folder_is_taken_and_its_worker_not_replaced(
    begin: Begin,
) -> None:
    running = begin().enter()
    count = running.play(0, FEW)

    stand_still(running.process.pid)
    os.kill(pid_of(running, "worker"), signal.SIGKILL)
    said = refused(begin())
    assert f"in use by process {running.process.pid}" in said
    os.kill(running.process.pid, signal.SIGCONT)
    count = running.play(count, FEW)

    assert running.stop() == 0
    check(running, count)


def orphan(data_dir: Path, role: str) -> "subprocess.Popen[str]":
    """Start a process that holds a role, as one would that not even SIGKILL ends."""
    code = (
        "import time; from pathlib import Path; from engine.runtime.process import take_role\n"
        f"take_role(Path({str(data_dir)!r}), {role!r}); print('holds', flush=True); time.sleep(600)"
    )
    held = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert held.stdout is not None
    assert held.stdout.readline() == "holds\n"
    return held


def test_an_orphan_that_holds_a_role_is_awaited_and_then_named(begin: Begin, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()

    with orphan(data_dir, "journaler") as held:
        try:
            said = refused(begin())
            assert f"journaler.lock is held by process {held.pid}; kill it" in said
            again = begin()
            lock = role_lock_path(data_dir, SUPERVISOR)
            await_true(lambda: lock.read_text() == str(again.process.pid), "the start waits for the orphan")
            assert not (data_dir / instance.INSTANCE_FILE).exists()
        finally:
            held.kill()
    again.enter().play(0, FEW)

    assert again.stop() == 0


def test_a_worker_that_stands_still_is_replaced_once_it_is_killed(begin: Begin) -> None:
    running = begin().enter()
    count = running.play(0, FEW)
    worker = pid_of(running, "worker")
    batch = np.zeros(50, COMMAND)
    batch["op"], batch["mark"], batch["req_seq"] = ADD, 3, np.arange(count, count + 50)

    assert running.gate.submit(batch) == 50  # the worker may have any part of them when it stands
    stand_still(worker)
    batch["req_seq"], batch["gw_ts"] = np.arange(count + 50, count + 100), 0
    assert running.gate.submit(batch) == 50
    os.kill(worker, signal.SIGKILL)
    running.until(lambda: running.last_req_seq() == count + 99, "the new worker's answers")
    count = running.play(count + 100, FEW)

    assert running.stop() == 0
    assert running.errors.read_text().count("worker (pid") == 1
    check(running, count)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("what", STILL)
def test_nothing_is_acknowledged_while_the_disk_stands_still_and_nothing_lost_after(
    begin: Begin, what: str, end: str
) -> None:
    running = begin().enter()
    count = running.play(0, BATCHES)  # all of it is answered; nothing behind it may be, before a sync returns
    answered = count - 1
    journaler, hang = pid_of(running, "journaler"), running.data_dir / HANG
    if what == "disk":
        hang.touch()
        count = flood(running, count)
        assert (running.data_dir / HANGING).exists()
    else:
        stand_still(journaler)
        count = flood(running, count)
    durable = running.gate.durable_seq()
    count = flood(running, count)

    assert running.gate.durable_seq() == durable
    assert running.last_req_seq() == answered
    assert running.gate.counters()["worker.commands"] > durable
    assert int(np.concatenate(running.events)["seq"].max()) <= durable

    if end == "everything is killed":
        kill_all(running)
        hang.unlink(missing_ok=True)
        check_next_start(begin().enter(), answered)
        return
    if end == "it goes on":
        os.kill(journaler, signal.SIGCONT)
    else:
        os.kill(journaler, signal.SIGKILL)
    hang.unlink(missing_ok=True)
    running.until(lambda: running.last_req_seq() == count - 1, "every answer")
    count = running.play(count, FEW)
    assert running.stop() == 0
    check(running, count)


def check_next_start(again: EchoInstance, answered: int) -> None:
    """What was acknowledged is there, and whatever else came through lies behind it without a gap."""
    entries = journaled(again)
    kept = entries["command"]["req_seq"][entries["ring"] == 1]
    assert len(kept) > answered
    assert (kept == np.arange(len(kept))).all()
    again.play(len(kept), FEW)
    assert again.stop() == 0


def test_a_disk_that_refuses_latches_and_the_next_start_has_what_was_acknowledged(begin: Begin) -> None:
    running = begin().enter()
    count = running.play(0, FEW)
    (running.data_dir / REFUSE).touch()
    commands = np.zeros(40, COMMAND)
    commands["op"], commands["req_seq"] = ADD, np.arange(count, count + 40)

    assert running.gate.submit(commands) == 40
    running.until(lambda: running.gate.closed_because() is Closed.LATCHED, "the latch")
    assert running.last_req_seq() == count - 1
    assert running.stop() == 0
    assert "the disk refused a write or a sync" in running.errors.read_text()
    (running.data_dir / REFUSE).unlink()
    again = begin().enter()

    check_next_start(again, count - 1)


def test_a_disk_that_refuses_at_the_start_ends_the_start_and_says_so(begin: Begin) -> None:
    first = begin()
    (first.data_dir / REFUSE).touch()

    said = refused(first)

    assert "a sync fails in this test" in said
    assert "start again" in said
    (first.data_dir / REFUSE).unlink()
    again = begin().enter()
    again.play(0, FEW)
    assert again.stop() == 0
