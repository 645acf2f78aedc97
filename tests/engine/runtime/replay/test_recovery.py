"""A worker or a journaler dies between two stores of the protocol: nothing lost, doubled or taken back.

The echo application in real processes (echo_instance.py). What the events say is told from the
commands alone, so the oracle is three lines of Python.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.contract import instance, port
from engine.runtime.crash_points import VARIABLE, LoopPoint
from engine.runtime.journal import journal
from engine.runtime.journal.journal import JournalError
from engine.runtime.shared_memory import segment_names
from pinion.cli.journal.quarantine import raise_unless_latched_at
from ringbuf.kernel_cache import ROOT
from tests.engine.runtime.echo import ADD, COMMAND, POISON

IS_LONG = os.environ.get("PINION_LONG") == "1"
PASSES = (0, 2, 7) if IS_LONG else (2,)
FIRST_DEATHS = ("loop.published:5", "loop.applied:40", "loop.announced:5")[0 if IS_LONG else 2 :]
WAIT_S = 30.0
BATCHES = 30
JOURNALER = ("sealed", "written", "synced", "durable", "segment_written", "segment_synced", "segment_named",
             "folder_synced")  # fmt: skip
RECOVERY = ("restored", "replayed", "rings", "events_written", "events")


class EchoInstance:
    """The process, a feeder on its spare ring, and what the feeder was told."""

    def __init__(
        self, data_dir: Path, crash_at: str = "", module: str = "echo_instance", arguments: Sequence[str] = ()
    ) -> None:
        self.data_dir = data_dir
        self.errors = data_dir.parent / "stderr.txt"
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"tests.engine.runtime.{module}", str(data_dir), *arguments], cwd=ROOT,
                env={**os.environ, VARIABLE: crash_at}, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
        self.events: list[Any] = []

    def enter(self) -> "EchoInstance":
        """Wait until it serves and take its spare ring."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", self.errors.read_text()
        self.gate = port.claim_spare(self.data_dir)
        return self

    def drain(self) -> None:
        """Take what is visible."""
        while len(events := self.gate.drain()):
            self.events.append(events)
        assert self.gate.laps == 0

    def last_req_seq(self) -> int:
        return int(self.events[-1][-1]["req_seq"]) if self.events else -1

    def play(self, first: int, batches: int) -> int:
        """Send batches of commands until all are answered; return the next req_seq."""
        number = first
        for batch in range(batches):
            commands = np.zeros(1 + batch % 12, COMMAND)
            commands["op"] = ADD
            commands["req_seq"] = np.arange(number, number + len(commands))
            commands["mark"] = 3
            commands["count"] = 1 + batch % 5
            self.until(partial(self._submit, commands), "room in the ring")
            number += len(commands)
            self.until(partial(self._has_answered, number - 1 - 40), "answers")
        self.until(partial(self._has_answered, number - 1), "the last answer")
        return number

    def _has_answered(self, req_seq: int) -> bool:
        return self.last_req_seq() >= req_seq

    def _submit(self, commands: Any) -> bool:
        return self.gate.depth() < 200 and self.gate.submit(commands) == len(commands)

    def until(self, question: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not question():
            self.drain()
            assert self.process.poll() is None, self.errors.read_text()
            assert time.monotonic() < deadline, f"{what}: in vain\n{self.errors.read_text()}"
            time.sleep(0.0005)

    def stop(self) -> int:
        self.gate.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)

    def clean_up(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        with suppress(instance.PortError):  # it stopped in order: nothing can be left of it
            for each in instance.read(self.data_dir).processes:
                with suppress(OSError):  # dead with its supervisor, as it should be
                    if Path(f"/proc/{each.pid}/comm").read_text().startswith("pinion-"):
                        os.kill(each.pid, signal.SIGKILL)
        for name in segment_names(self.data_dir).values():
            Path("/dev/shm", name).unlink(missing_ok=True)


Start = Callable[..., EchoInstance]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[EchoInstance] = []

    def begin(crash_at: str = "") -> EchoInstance:
        data_dir = tmp_path / "data"
        data_dir.mkdir(exist_ok=True)
        started.append(EchoInstance(data_dir, crash_at))
        return started[-1].enter()

    yield begin
    for each in started:
        each.clean_up()


def journaled(running: EchoInstance) -> Any:
    """Return every entry of the journal."""
    reader = journal.JournalReader(running.data_dir / journal.FOLDER)
    return np.concatenate([np.array(frame.entries) for frame in reader])


def check(running: EchoInstance, count: int) -> None:
    """Every command was answered by exactly its events, in order, and the journal holds each once."""
    heard = np.concatenate(running.events)
    entries = journaled(running)
    assert (entries["seq"] == np.arange(1, len(entries) + 1)).all()
    ours = entries[entries["ring"] == 1]
    assert (ours["command"]["req_seq"] == np.arange(count)).all()
    assert (ours["ring_seq"] == np.arange(count)).all()
    expected = [(int(each["seq"]), int(each["command"]["req_seq"]), i) for each in ours
                for i in range(max(1, int(each["command"]["count"])))]  # fmt: skip
    told = list(zip(heard["seq"].tolist(), heard["req_seq"].tolist(), heard["place"].tolist(), strict=True))
    assert told == expected
    assert (np.diff(heard["event_idx"]) == 1).all()
    assert (np.diff(heard["eng_ts"]) >= 0).all()


LOOP = [f"loop.{point.name.lower()}" for point in LoopPoint]


@pytest.mark.parametrize("passes", PASSES)
@pytest.mark.parametrize("point", [*LOOP, *(f"journaler.{name}" for name in JOURNALER)])
def test_a_death_at_every_point_loses_and_doubles_nothing(start: Start, point: str, passes: int) -> None:
    is_rotation = point.removeprefix("journaler.") in JOURNALER[4:]
    running = start(f"{point}:{1 if is_rotation else passes}")

    count = running.play(0, 200 if is_rotation else BATCHES)

    assert running.stop() == 0, running.errors.read_text()
    assert "starts again" in running.errors.read_text()
    assert "the shadow stops" not in running.errors.read_text()
    check(running, count)


@pytest.mark.parametrize("point", [f"recovery.{name}" for name in RECOVERY])
@pytest.mark.parametrize("first", FIRST_DEATHS)
def test_a_second_death_during_recovery_changes_nothing(start: Start, first: str, point: str) -> None:
    running = start(f"{first},{point}:0,{point}:0")

    count = running.play(0, BATCHES)

    assert running.stop() == 0
    assert running.errors.read_text().count("it starts again") == 3
    check(running, count)


def test_a_start_on_an_old_journal_goes_on_where_it_ended(start: Start) -> None:
    first = start()
    count = first.play(0, BATCHES)
    first.gate.close()
    first.process.kill()
    first.process.wait()

    second = start()
    heard_before = sum(map(len, first.events))
    second.play(count, BATCHES)

    assert second.events[0][0]["event_idx"] == heard_before
    assert second.stop() == 0
    entries = journaled(second)
    ours = entries[entries["ring"] == 1]
    assert (ours["command"]["req_seq"] == np.arange(len(ours))).all()


def test_a_command_that_kills_twice_stops_the_worker_until_it_is_quarantined(start: Start) -> None:
    running = start()
    running.play(0, 3)
    poison = np.zeros(1, COMMAND)
    poison["op"], poison["session"] = ADD, POISON

    assert running.gate.submit(poison) == 1
    running.until(lambda: "journal quarantine" in running.errors.read_text(), "the latch")
    said = running.errors.read_text()
    seq = int(running.gate.state()[0]["seq"])

    assert f"the worker died twice at seq {seq}" in said
    assert f"pinion journal quarantine {seq}" in said
    assert running.gate.closed_because() is port.Closed.LATCHED
    latched = instance.read(running.data_dir)
    raise_unless_latched_at(latched, seq)
    with pytest.raises(JournalError, match=f"seq {seq - 1} is not the command .* that is seq {seq}"):
        raise_unless_latched_at(latched, seq - 1)
    assert running.stop() == 0
    (running.data_dir / "journal" / "quarantine").write_text(f"{seq}\n")
    again = start()
    again.play(0, 3)
    with pytest.raises(JournalError, match="is not latched"):
        raise_unless_latched_at(instance.read(again.data_dir), seq)
    assert again.stop() == 0
