"""Who sleeps in an instance is called by whoever has something for it, and by nobody else.

The clock of the loop is set such that no TICK comes for an hour, and its budget is an hour too:
where a call is lost, a test waits in vain.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.contract.control_words import (
    DURABLE,
    FOR_DURABLE,
    JOURNALER_BELL,
    READER_BELLS,
    SHADOW_BELL,
    WORKER_BELL,
)
from engine.runtime.calls import call_readers
from engine.settings.config import EngineSettings
from ringbuf.bells import call, fall_asleep
from ringbuf.layout import ASLEEP, AWAKE, CALLED, LINE_WORDS
from tests.engine.runtime.echo import ADD, COMMAND
from tests.engine.runtime.echo import application as echo
from tests.engine.runtime.live import Live, living
from tests.system import running

HOUR_NS = 3_600_000_000_000
IN_VAIN_S = 60.0
SETTINGS = EngineSettings(
    command_ring=256, journal_ring=64, event_ring=1024, batch=16, cpu="none", lock_memory=False,
)  # fmt: skip


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with living(tmp_path, echo(), SETTINGS, ("a", "b"), ("door",)) as live:
        live.loop["eng_ts"] = time.time_ns() + HOUR_NS
        yield live


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Let a process of its own do this, as long as the block lasts."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


await_true = partial(running.await_true, wait_s=IN_VAIN_S)


def await_published(live: Live, seq: int) -> None:
    await_true(lambda: live.published == seq, f"command {seq} in the journal ring")


def commands(count: int, /, **fields: int) -> Any:
    made = np.zeros(count, COMMAND)
    made["op"] = ADD
    for name, value in fields.items():
        made[name] = value
    return made


def bell(live: Live, index: int) -> int:
    return int(live.segments.bells[index * LINE_WORDS])


def run_worker(live: Live) -> None:
    live.call.run(HOUR_NS)


def test_an_idle_worker_sleeps_and_is_called_for_a_command_of_any_ring(live: Live) -> None:
    with beside(lambda: run_worker(live)):
        for number, ring in enumerate((0, 1, 1, 0), 1):
            await_true(lambda: bell(live, WORKER_BELL) == ASLEEP, "sleep")
            live.rings[ring].push(commands(1))
            assert call(live.segments.bells, WORKER_BELL, ASLEEP)
            await_published(live, number)
        assert not live.segments.counters["worker.ticks"]


def test_a_command_that_came_while_the_worker_fell_asleep_is_seen_without_a_call(live: Live) -> None:
    live.rings[0].push(commands(3))

    with beside(lambda: run_worker(live)):
        await_published(live, 3)


def test_a_worker_without_room_is_called_by_the_journaler_alone(live: Live) -> None:
    live.rings[0].push(commands(65))
    with beside(lambda: run_worker(live)):
        await_true(lambda: bell(live, WORKER_BELL) == FOR_DURABLE, "a full journal ring")

        live.rings[1].push(commands(1))
        assert not call(live.segments.bells, WORKER_BELL, ASLEEP), "a command is no room"
        assert live.published == 64
        live.journaler.work(0)

        await_published(live, 66)


def test_a_worker_behind_a_closed_gate_is_called_when_d_moves(live: Live) -> None:
    live.rings[0].push(commands(40, count=48))  # more slots than the ring has
    with beside(lambda: run_worker(live)):
        await_true(lambda: bell(live, WORKER_BELL) == FOR_DURABLE, "a closed gate")

        for _ in range(40):
            live.journaler.work(0)
            if live.segments.counters["worker.commands"] == 40:
                break
            await_true(
                lambda: (
                    bell(live, WORKER_BELL) in (ASLEEP, FOR_DURABLE)
                    or live.segments.counters["worker.commands"] == 40
                ),
                "the next part",
            )

        await_true(lambda: live.segments.counters["worker.commands"] == 40, "all commands")


def test_a_worker_asleep_serves_although_the_clock_was_set_back(live: Live) -> None:
    with beside(lambda: run_worker(live)):
        await_true(lambda: bell(live, WORKER_BELL) == ASLEEP, "sleep")
        live.loop["clock_offset"] -= 24 * HOUR_NS

        live.rings[0].push(commands(1))
        call(live.segments.bells, WORKER_BELL, ASLEEP)

        await_published(live, 1)


def test_a_clock_set_forth_makes_the_worker_tick_at_once(live: Live) -> None:
    live.loop["clock_offset"] += 2 * HOUR_NS

    with beside(lambda: run_worker(live)):
        await_true(lambda: live.published > 0, "a TICK")


def test_the_worker_calls_the_journaler_when_it_has_entries(live: Live) -> None:
    fall_asleep(live.segments.bells, JOURNALER_BELL, ASLEEP)
    live.rings[0].push(commands(1))

    live.run()

    assert bell(live, JOURNALER_BELL) == CALLED


def test_a_journaler_asleep_is_called_by_the_worker(live: Live) -> None:
    with beside(lambda: live.journaler.work(HOUR_NS)):
        await_true(lambda: bell(live, JOURNALER_BELL) == ASLEEP, "sleep")
        live.rings[0].push(commands(5))
        live.run()

        await_true(lambda: live.durable == 5, "all of it on the disk")


def test_readers_are_called_at_the_sync_and_not_before(live: Live) -> None:
    for sleeper in (READER_BELLS, READER_BELLS + 1, SHADOW_BELL):
        fall_asleep(live.segments.bells, sleeper, ASLEEP)
    live.rings[0].push(commands(1, count=2))
    live.run()
    assert bell(live, READER_BELLS) == ASLEEP, "its event is not durable yet"

    live.journaler.work(0)

    assert [bell(live, each) for each in (READER_BELLS, READER_BELLS + 1, SHADOW_BELL)] == [CALLED] * 3


@pytest.mark.parametrize(("durable", "found"), [(4, ASLEEP), (5, CALLED), (6, CALLED)])
def test_readers_are_called_at_the_commit_where_the_sync_came_first(
    live: Live, durable: int, found: int
) -> None:
    _, _, _, journal, *_, bells = live.segments.kernel_arguments()
    live.segments.journal.control[DURABLE] = durable
    fall_asleep(live.segments.bells, READER_BELLS, ASLEEP)

    call_readers(journal, bells, 5)

    assert bell(live, READER_BELLS) == found


def test_without_a_journal_the_worker_calls_the_readers(bench: Any) -> None:
    fall_asleep(bench.segments.bells, READER_BELLS, ASLEEP)
    bench.send(0, 1)

    bench.run()

    assert bench.segments.bells[READER_BELLS * LINE_WORDS] == CALLED


def test_nobody_awake_is_called(live: Live) -> None:
    live.rings[0].push(commands(8, count=3))

    live.settle()

    assert [bell(live, each) for each in range(len(live.segments.sleepers))] == [AWAKE] * len(
        live.segments.sleepers
    )
