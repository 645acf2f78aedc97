"""What makes an instance unready, what merely degrades it, and that it is ready again when it is mended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine.contract import instance
from engine.contract.control_words import DURABLE, LATCH, STATE_EPOCH
from engine.contract.instance import Ending, Instance, Process
from engine.contract.latch import LATCH_REASONS, LATCH_TEXTS
from engine.contract.port import EventReader
from engine.contract.readiness import (
    BACKGROUND_SILENT_NS_MAX,
    SILENT_NS_MAX,
    STALLED_NS_MAX,
    Readiness,
    Trouble,
)
from ringbuf.atomics import clock_monotonic_ns
from ringbuf.layout import PUBLISHED
from tests.engine.runtime.bench import Bench, running

ALL = ("supervisor", "worker", "door", "journaler", "shadow")
OWN_PID = os.getpid()


class Judged:
    """A judgement of an instance whose processes are all this one."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        read = instance.read(bench.data_dir)
        self.instance = msgspec.structs.replace(
            read, durability="sync", processes=tuple(Process(name, OWN_PID) for name in ALL)
        )
        self.readiness = Readiness(EventReader.attach(bench.data_dir))
        for name in ALL:
            bench.counters.beat(f"{name}.heartbeat")

    def age(self, process: str, age_ns: int) -> None:
        """Let its last sign of life be that old."""
        self.bench.counters[f"{process}.heartbeat"] = int(clock_monotonic_ns()) - age_ns

    def troubles(self, told: Instance | None = None) -> list[Trouble]:
        return self.readiness.troubles(told or self.instance)

    def told(self) -> list[tuple[str, str | None, bool]]:
        return [(each.reason, each.process, each.blocks) for each in self.troubles()]


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Judged]:
    with running(tmp_path, counted=("fleet.behind", "fleet.outside")) as bench:
        yield Judged(bench)


def test_an_instance_that_works_has_no_trouble(judged: Judged) -> None:
    assert judged.troubles() == []


@pytest.mark.parametrize(
    ("reason", "value", "detail"),
    [
        ("behind", 2, "2 of what other instances have is missing here: the log of fleet says why"),
        ("outside", 1, "other instances have no place for this one: the log of fleet says why"),
    ],
)
def test_one_that_lacks_what_others_have_or_has_no_place_is_not_ready_and_says_which_log_tells(
    judged: Judged, reason: str, value: int, detail: str
) -> None:
    judged.bench.counters[f"fleet.{reason}"] = value

    [trouble] = judged.troubles()

    assert (trouble.reason, trouble.process, trouble.blocks) == (reason, "fleet", True)
    assert trouble.detail == detail
    judged.bench.counters[f"fleet.{reason}"] = 0
    assert judged.troubles() == []


@pytest.mark.parametrize("cause", LATCH_TEXTS)
def test_every_latch_blocks_with_its_reason(judged: Judged, cause: int) -> None:
    judged.bench.segments.journal.control[LATCH] = cause

    [trouble] = judged.troubles()

    assert (trouble.reason, trouble.blocks) == ("latched", True)
    assert LATCH_TEXTS[cause] in trouble.detail
    assert cause in LATCH_REASONS, "a label of the metric"
    control = judged.bench.segments.journal.control
    control[PUBLISHED] = 7  # what was not durable then never will be: that is no second trouble
    assert [each.reason for each in judged.troubles()] == ["latched"]
    control[PUBLISHED] = 0
    judged.bench.segments.journal.control[LATCH] = 0
    assert judged.troubles() == []


@pytest.mark.parametrize("process", ["worker", "journaler", "door"])
def test_a_silent_process_that_orders_wait_for_blocks_and_is_named_with_its_age(
    judged: Judged, process: str
) -> None:
    judged.age(process, SILENT_NS_MAX + 10**9)

    [trouble] = judged.troubles()

    assert (trouble.reason, trouble.process, trouble.blocks) == ("silent", process, True)
    assert trouble.age_s is not None
    assert trouble.age_s >= 4
    assert f"{process} (pid {OWN_PID}) gave no sign of life for {trouble.age_s:.1f} s" in trouble.detail
    judged.bench.counters.beat(f"{process}.heartbeat")
    assert judged.troubles() == []


@pytest.mark.parametrize("process", ["supervisor", "shadow"])
def test_a_silent_process_that_nobody_waits_for_degrades(judged: Judged, process: str) -> None:
    judged.age(process, BACKGROUND_SILENT_NS_MAX - 10**9)
    assert judged.told() == []

    judged.age(process, BACKGROUND_SILENT_NS_MAX + 10**9)

    assert judged.told() == [("silent", process, False)]


def test_a_process_that_never_beat_is_named(judged: Judged) -> None:
    judged.bench.counters["worker.heartbeat"] = 0

    assert judged.told() == [("silent", "worker", True)]
    assert "has given no sign of life yet" in judged.troubles()[0].detail


def test_a_dead_process_is_named_at_once_with_what_killed_it(judged: Judged) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    processes = tuple(
        Process(each.name, dead.pid if each.name == "worker" else each.pid)
        for each in judged.instance.processes
    )
    endings = (Ending("worker", dead.pid, 0, "died of SIGBUS: /dev/shm is full", 1),)

    [trouble] = judged.troubles(
        msgspec.structs.replace(judged.instance, processes=processes, endings=endings)
    )

    assert (trouble.reason, trouble.process, trouble.blocks) == ("not_running", "worker", True)
    assert trouble.detail == f"worker (pid {dead.pid}) does not run: died of SIGBUS: /dev/shm is full"


def test_a_process_that_is_needed_and_not_even_listed_is_judged_by_its_heartbeat(judged: Judged) -> None:
    listed = tuple(each for each in judged.instance.processes if each.name not in ("journaler", "shadow"))
    told = msgspec.structs.replace(judged.instance, processes=listed)
    assert judged.troubles(told) == []

    judged.age("journaler", SILENT_NS_MAX + 10**9)

    assert [(each.reason, each.process, each.blocks) for each in judged.troubles(told)] == [
        ("silent", "journaler", True)
    ]


def test_without_durability_no_journaler_is_needed(judged: Judged) -> None:
    listed = tuple(each for each in judged.instance.processes if each.name not in ("journaler", "shadow"))

    assert (
        judged.troubles(msgspec.structs.replace(judged.instance, processes=listed, durability="none")) == []
    )


def test_a_state_that_is_being_rebuilt_blocks(judged: Judged) -> None:
    control = judged.bench.segments.state.control
    control[STATE_EPOCH] = 1
    assert judged.told() == [("recovering", "worker", True)]

    control[STATE_EPOCH] = 2
    assert judged.told() == []


def test_a_durable_cursor_that_stands_while_commands_wait_blocks(judged: Judged) -> None:
    control, readiness = judged.bench.segments.journal.control, judged.readiness
    control[PUBLISHED], control[DURABLE] = 5, 4
    assert readiness.look() == 0
    since = clock_monotonic_ns()
    while clock_monotonic_ns() - since <= STALLED_NS_MAX:
        readiness.look()
        for name in ALL:
            judged.bench.counters.beat(f"{name}.heartbeat")

    [trouble] = judged.troubles()

    assert (trouble.reason, trouble.process, trouble.blocks) == ("stalled", "journaler", True)
    assert f"nothing became durable for {trouble.age_s:.1f} s or more" in trouble.detail
    assert "behind seq 4" in trouble.detail
    control[PUBLISHED], control[DURABLE] = 7, 6  # it moves, and commands wait again
    assert judged.troubles() == []


def test_a_durable_cursor_that_stands_while_nothing_waits_is_no_stall(judged: Judged) -> None:
    control = judged.bench.segments.journal.control
    control[PUBLISHED] = control[DURABLE] = 5
    assert judged.readiness.look() == 0
    control[PUBLISHED] = 6

    assert judged.readiness.look() == 0, "the command came just now, however long there was none"


@pytest.mark.parametrize(
    ("counter", "reason"),
    [
        ("worker.clock_alarms", "clock_jumped"),
        ("shadow.differences", "shadow_diverged"),
        ("shadow.stopped", "shadow_stopped"),
    ],
)
def test_an_alarm_degrades(judged: Judged, counter: str, reason: str) -> None:
    judged.bench.counters.add(counter)

    assert judged.told() == [(reason, None, False)]
    assert judged.readiness.alarms()[reason]


def test_what_blocks_is_told_first(judged: Judged) -> None:
    judged.bench.counters.add("shadow.differences")
    judged.age("supervisor", BACKGROUND_SILENT_NS_MAX + 10**9)
    judged.age("door", SILENT_NS_MAX + 10**9)

    assert [blocks for _, _, blocks in judged.told()] == [True, False, False]
