"""One journal, one outcome: however it came about, however it is cut, compiled or as plain Python.

The live loop runs under a fuzzed interleaving of rings, batches, disk and clock. What readers
were told and where the state stands must be what replaying the journal gives. A failure names
its seed; PINION_LONG=1 goes through more of them.
"""

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.contract.application import Application
from engine.settings.config import EngineSettings
from engine.trading.application import trading
from engine.trading.capacities import Capacities
from engine.trading.records import COMMAND_VERSION, RULE_OPS, Op
from ringbuf.kernel_cache import ROOT
from tests.engine.runtime import echo
from tests.engine.runtime.live import Live, entries_of, living, play
from tests.engine.runtime.replay.replayed import PIECES, replay
from tests.engine.trading.engine_side import Engine
from tests.flow_venue import PREAMBLE
from tests.flows import commands_of

SEEDS = range(1, 41 if os.environ.get("PINION_LONG") == "1" else 2)
COUNT = 1500
BATCH = 16
NO_SUCH_OP = 99
# The names, and so the sizes, are those of `pinion up` and of the loop's own tests: nothing is compiled anew.
DEFAULT = (
    EngineSettings(cpu="none", lock_memory=False),
    ("admin", "http", "spare-0", "spare-1"),
    ("http", "api"),
)
SMALL = (
    EngineSettings(command_ring=64, journal_ring=64, event_ring=1024, batch=16, journal_segment=256),
    ("a", "b", "spare-0"),
    ("door",),
)


def every_op(seed: int) -> Any:
    """Return a flow of the exchange, and among it what only the runtime or nobody sends."""
    engine = Engine()
    for command in commands_of(seed, COUNT):
        engine.submit(command)
    flow = engine.recorded()
    by_hand = (Op.TICK, Op.SESSION_DOWN, Op.QUARANTINED, Op.TIME, Op.SESSION_START, NO_SUCH_OP)
    for place, op in enumerate(by_hand):
        at = len(PREAMBLE) + 50 * place
        flow = np.insert(flow, at, flow[at])
        flow["op"][at], flow["version"][at] = op, COMMAND_VERSION
    # Rules, whose sources must lie in the folder, have tests of their own (tests/engine/trading/rules).
    assert set(flow["op"].tolist()) == {*map(int, Op), NO_SUCH_OP} - {*map(int, RULE_OPS)}
    return flow


def split(flow: Any, count: int, random: Random) -> list[Any]:
    """Deal a flow to so many rings; each keeps its order."""
    owners = np.array([random.randrange(count) for _ in range(len(flow))])
    return [flow[owners == ring] for ring in range(count)]


def check_replays(live: Live) -> None:
    """The journal, cut in any way, gives the events that readers heard and the state that stands."""
    told, digest = live.told(), live.digest()
    for how in PIECES:
        events, reached = replay(live.data_dir, live.application, how)
        assert reached == digest, how
        assert len(events) == len(told), how
        different = np.flatnonzero(events != told)
        assert not len(different), f"{how}, event {different[0]}: {told[different[0]]} {events[different[0]]}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_live_run_of_any_interleaving_is_what_its_journal_replays_to(seed: int, tmp_path: Path) -> None:
    random, flow = Random(seed), every_op(seed)
    settings, rings, doors = DEFAULT

    with living(tmp_path, trading(Capacities()), settings, rings, doors) as live:
        first = len(PREAMBLE)
        play(live, [flow[:first]], random, BATCH)  # accounts and instruments come before orders
        play(live, split(flow[first:], len(rings), random), random, BATCH)

        entries = entries_of(live)
        check_replays(live)
        plain, plain_digest = replayed_plain(live, tmp_path)
        assert plain_digest == live.digest()
        assert (plain == live.told()).all()

    assert (entries["seq"] == np.arange(1, len(entries) + 1)).all()
    assert len(entries) > len(flow), "time passed by ticks of the loop's own, too"
    assert (np.diff(entries["eng_ts"]) >= 0).all()


def replayed_plain(live: Live, folder: Path) -> tuple[Any, str]:
    """Replay the journal in a process that compiles nothing."""
    made = folder / "events.npy"
    finished = subprocess.run(
        [sys.executable, "-m", "tests.engine.runtime.replay.replayed", str(live.data_dir), str(made)],
        cwd=ROOT, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-3000:]
    return np.load(made), finished.stdout.strip()


def echo_flow(count: int, random: Random) -> Any:
    """Return commands that make many events each, a batch of them not more than the ring holds."""
    flow = np.zeros(count, echo.COMMAND)
    flow["op"] = echo.ADD
    flow["mark"] = np.arange(count)
    flow["account"] = [random.randrange(echo.ACCOUNTS + 2) for _ in range(count)]  # some are refused
    flow["count"] = [random.choice((1, 2, 5, 30, 60)) for _ in range(count)]
    return flow


@pytest.mark.parametrize("seed", SEEDS)
def test_full_rings_and_a_stalled_disk_change_nothing_either(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    settings, rings, doors = SMALL
    application: Application = echo.application()

    with living(tmp_path, application, settings, rings, doors) as live:
        play(live, split(echo_flow(COUNT, random), len(rings), random), random, BATCH)

        check_replays(live)
        ends = np.cumsum(np.bincount(live.told_slots()["seq"], minlength=live.published + 1))
        capacity = len(live.segments.events.slots)
        for seq, intent in live.looks:
            assert intent <= ends[seq] + capacity, "an event that nobody could see yet is overwritten"
        assert live.segments.counters["worker.gate_waits"] > 0
        assert live.segments.counters["worker.journal_waits"] > 0
