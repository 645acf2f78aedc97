"""The largest command, a full event ring and a disk that stands still: no deadlock, nothing lost.

Also what eng_ts does when the clock goes back while the engine is down.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.contract.batches import BURST_SLOTS
from engine.runtime.processes.shadow import Shadow
from engine.runtime.processes.worker import clock_offset_ns, follow_clock
from engine.settings.config import EngineSettings
from tests.engine.runtime import echo
from tests.engine.runtime.echo import ADD, COMMAND, LONG_EVERY, slots_of
from tests.engine.runtime.live import Live, entries_of, living

SETTINGS = EngineSettings(command_ring=64, journal_ring=64, event_ring=1024, batch=16, journal_segment=256)
NAMES = ("a", "b", "spare-0"), ("door",)
MOST = 6144
AHEAD = 200
BURST = 6
"""Events of a command that take as many slots as may wait for the next one."""
HOUR_NS = 3600 * 10**9
ROUNDS = 300
assert slots_of(BURST) == BURST_SLOTS
assert slots_of(MOST) == echo.OUT - BURST_SLOTS
Start = Callable[..., Live]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start on the one folder again and again; the one before ends first, as if killed."""
    with ExitStack() as lives:

        def begin(**how: int) -> Live:
            lives.close()
            return lives.enter_context(living(tmp_path, echo.application(), SETTINGS, *NAMES, **how))

        yield begin


def commands(*event_counts: int) -> Any:
    """Return commands that make so many events."""
    made = np.zeros(len(event_counts), COMMAND)
    made["op"], made["count"] = ADD, event_counts
    return made


def stuck(live: Live) -> Live:
    """Bring the engine where a command of the most events waits for a disk that stands still.

    Ahead of it wait as many events as may, so that the state's own room is used to its end.
    """
    live.rings[0].push(commands(AHEAD, AHEAD, BURST, MOST, 1, 1))
    heartbeat = live.segments.counters["worker.heartbeat"]
    for _ in range(ROUNDS):
        live.run()
        live.look()
    assert live.loop["applied"] == 4
    assert live.is_emitting, "the event ring has room for all of it: this proves nothing"
    assert live.segments.state.slots[0]["out_count"] == echo.OUT
    assert not len(live.told())
    assert live.segments.counters["worker.heartbeat"] > heartbeat, (
        "a round that does not return is a deadlock"
    )
    return live


def newest(live: Live) -> Any:
    """Return the visible events that the ring still holds."""
    end, capacity = int(live.loop["event_end"]), len(live.segments.events.slots)
    largest = 2 * slots_of(AHEAD) + BURST_SLOTS
    position = end - capacity + SETTINGS.batch
    position += (largest - position) % slots_of(LONG_EVERY)  # where an event of the largest command begins
    return live.application.spread.events_of(live.reader_at(position).drain(capacity))


def check_end(live: Live) -> None:
    """Everything was applied, and what the ring holds are the last events of the largest command."""
    assert live.loop["applied"] == 6
    assert live.loop["event_end"] == 2 * slots_of(AHEAD) + slots_of(BURST) + slots_of(MOST) + 2
    events = newest(live)
    assert events["event_idx"][-1] == 2 * AHEAD + BURST + MOST + 1
    assert (np.diff(events["event_idx"]) == 1).all()
    assert events["seq"].tolist() == [4] * (len(events) - 2) + [5, 6]
    assert events["place"][:-2].tolist() == list(range(MOST - len(events) + 2, MOST))


def test_the_largest_command_waits_for_the_disk_and_then_goes_on(start: Start) -> None:
    live = stuck(start())
    heard = []

    live.journaler.work(0)  # one group commit: all six are durable
    while live.loop["applied"] < 6 or live.is_emitting:
        heard.append(live.reader.drain(64))
        live.run()

    assert heard[0]["seq"].tolist() == [1] * 64
    check_end(live)


def test_events_ahead_of_the_largest_are_all_seen_before_it_overwrites_them(start: Start) -> None:
    live = stuck(start())
    intents = [intent for _, intent in live.looks]

    live.drain()
    assert len(live.told()) == 0
    assert max(intents) <= len(live.segments.events.slots), "an event that nobody could see is overwritten"
    assert max(intents) > 2 * slots_of(AHEAD) + BURST_SLOTS, (
        "the gate closed before the largest command began"
    )
    live.journaler.work(0)
    live.drain()

    seen = live.told()
    assert seen["seq"].tolist()[: 2 * AHEAD + BURST] == [1] * AHEAD + [2] * AHEAD + [3] * BURST


def test_a_worker_that_dies_in_the_largest_command_completes_it(start: Start) -> None:
    live = stuck(start())

    live.journaler.work(0)
    live.start_worker()  # its predecessor died where it was stuck
    while live.loop["applied"] < 6 or live.is_emitting:
        live.run()

    check_end(live)


def push_one(live: Live) -> int:
    """Send one command through; return its eng_ts."""
    live.rings[0].push(commands(1))
    live.settle()
    return int(live.told()[-1]["eng_ts"])


@pytest.mark.parametrize("has_snapshot", [False, True])
def test_eng_ts_stands_still_when_the_clock_was_set_back_while_the_engine_was_down(
    start: Start, has_snapshot: bool
) -> None:
    first = start(epoch=1, clock_shift_ns=HOUR_NS)
    before = push_one(first)
    if has_snapshot:
        shadow = Shadow(first.segments, first.data_dir)
        shadow.open()
        shadow.follow()
        shadow.take_snapshot()

    second = start(epoch=2)
    after = push_one(second)
    second.start_worker()  # the worker alone dies: the same
    later = push_one(second)
    second.loop["clock_offset"] += 2 * HOUR_NS  # the clock has caught up
    at_last = push_one(second)

    assert (after, later) == (before, before)
    assert before + HOUR_NS // 2 < at_last
    assert (np.diff(entries_of(second)["eng_ts"]) >= 0).all()


def test_a_clock_set_back_beneath_a_running_engine_raises_an_alarm_and_time_goes_on(start: Start) -> None:
    live = start(clock_shift_ns=HOUR_NS)
    before = push_one(live)

    follow_clock(live.loop, live.segments)  # the wall clock is an hour behind by now
    after = push_one(live)

    assert live.segments.counters["worker.clock_alarms"] == 1
    assert live.loop["clock_offset"] - clock_offset_ns() > HOUR_NS // 2, "the monotonic clock goes on"
    assert after > before
