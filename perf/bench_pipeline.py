"""Tier `pipeline`: gateway -> command ring -> worker -> event ring -> reader, on two cores.

The worker is the production worker in a process of its own, waiting policy `spin`, journal
ring written and followed at once (durability none). This process plays gateway and reader
and copies, counts and sums every event. Cases:

    throughput/MIX   as fast as the ring takes them, each of the four mixes
    round_trip       one command at a time: publish to last event read
    open_loop        100,000 a second on a fixed schedule, from the *intended* time
    hiccups          the same schedule with nothing to do, right before: the machine's own stalls
    generator_late   in the open loop itself: how late the generator got to its own commands

Set-up, the filling of the books and a first part of each flow (warm-up) are not measured.
"""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.contract.control_words import DURABLE
from engine.contract.instance import JOURNALER, WORKER, read_ready
from engine.contract.spread import SLOT_WORDS
from engine.runtime.process import fork
from engine.runtime.processes.journaler import run_journaler
from engine.runtime.processes.worker import LoopCall, run_worker
from engine.runtime.shared_memory import PARTS, Segments
from engine.runtime.supervision.epoch import next_epoch
from engine.settings.config import EngineSettings
from engine.trading.application import trading
from engine.trading.records import EventKind
from perf.bench_step import BenchError, capacities_for
from perf.flow.generate import Flow, generate
from perf.flow.mixes import EXCHANGE_CORE, MIXES, Mix
from perf.histogram import percentiles
from perf.pipeline_kernels import (
    COMMAND_WORDS,
    DONE,
    LAPPED,
    READER,
    hiccups,
    one_at_a_time,
    open_loop,
    stream,
)
from perf.result import Line, Result, with_latencies

Durability = Literal["none", "sync"]
RING = "bench"
RATE_PER_S = 100_000
READ_MAX = 256
START_WAIT_S = 60.0


class Pipeline:
    """A running worker and this process's ends of its rings."""

    def __init__(self, segments: Segments) -> None:
        ring = segments.commands.slots[0]["rings"][0]
        self.segments = segments
        self.control = ring["control"]
        self.slots = ring["slots"].view("<i8").reshape(-1, COMMAND_WORDS)
        self.events_control = segments.events.control
        self.events = segments.events.slots.view("<i8").reshape(-1, SLOT_WORDS)
        self.gate = segments.journal.control
        self.reader = np.zeros(1, READER)
        self.out = np.zeros((READ_MAX, SLOT_WORDS), np.int64)

    @property
    def readers_end(self) -> tuple[Any, ...]:
        """The kernels' arguments of the reading side."""
        return self.reader, self.events_control, self.events, self.gate, DURABLE, self.out

    def stream(self, commands: npt.NDArray[np.int64], first: int, last: int) -> float:
        """Send commands[first:last] and read their events; return the seconds it took."""
        begun = time.perf_counter()
        require(stream(self.control, self.slots, commands, first, last, *self.readers_end))
        return time.perf_counter() - begun


def require(status: int) -> None:
    """Refuse a run that stalled or lost events."""
    if status == LAPPED:
        raise BenchError("pipeline: the reader was lapped, events were lost")
    if status != DONE:
        raise BenchError("pipeline: the worker does not answer")


@contextmanager
def pipeline(mix: Mix, durability: Durability = "none", data_dir: Path | None = None) -> Iterator[Pipeline]:
    """Start a worker on the last core, keep this process on the first, stop and clean up after.

    durability : sync adds the production journaler, a process that no core is kept for
    data_dir : where the journal is to stay; left out: it goes with everything else
    """
    settings = EngineSettings(wait="spin" if durability == "none" else "backoff", durability=durability)
    application = trading(capacities_for(mix))
    names = {part: f"pinion-perf-{os.getpid()}-{part}" for part in PARTS}
    before = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="pinion-perf-") as temporary:
        folder = data_dir or Path(temporary)
        epoch = next_epoch(folder)
        segments = Segments(names, application, settings, (RING,), (), epoch)
        try:
            call = LoopCall(segments)
            call.warm_up(segments)
            if durability == "sync":
                call.prepare_recovery(segments)
            pids = []
            try:
                if durability == "sync":
                    pids.append(fork("journaler", lambda: run_journaler(segments, folder, epoch), ()))
                    _await_ready(folder, JOURNALER, pids[-1])
                pids.append(fork("worker", lambda: run_worker(call, segments, folder, epoch), ()))
                _await_ready(folder, WORKER, pids[-1])
                os.sched_setaffinity(0, {min(before)})
                made = Pipeline(segments)
                made.reader["yields"] = durability == "sync"  # three processes on two cores
                yield made
            finally:
                os.sched_setaffinity(0, before)
                for pid in reversed(pids):  # the worker drains first
                    os.kill(pid, signal.SIGTERM)
                    os.waitpid(pid, 0)
        finally:
            segments.unlink()


def _await_ready(folder: Path, name: str, pid: int) -> None:
    deadline = time.monotonic() + START_WAIT_S
    while read_ready(folder, name, pid) is None:
        if os.waitpid(pid, os.WNOHANG) != (0, 0) or time.monotonic() > deadline:
            raise BenchError(f"pipeline: the {name} did not start")
        time.sleep(0.005)


def words_of(flow: Flow) -> npt.NDArray[np.int64]:
    """Return the flow's commands as words."""
    return flow.commands.view("<i8").reshape(-1, COMMAND_WORDS)


def check(flow: Flow, found: Pipeline) -> None:
    """Compare what was read over the whole flow with what the generator's model did."""
    kinds = found.reader[0]["kinds"]
    expected = (flow.trade_count, flow.prevented_count, 0, len(flow.commands))
    seen = (
        int(kinds[EventKind.TRADE]),
        int(kinds[EventKind.PREVENTED]),
        int(kinds[EventKind.REJECTED]),
        int(found.reader[0]["answered"]),
    )
    if seen != expected:
        raise BenchError(
            f"pipeline/{flow.mix.name}: trades, preventions, rejects, answers {seen}, expected {expected}"
        )


def throughput(mix: Mix, count: int) -> Line:
    """Measure one mix as fast as it goes."""
    warm_up = count // 5
    flow = generate(mix, count=warm_up + count)
    commands = words_of(flow)
    with pipeline(mix) as run:
        run.stream(commands, 0, flow.first + warm_up)
        elapsed_s = run.stream(commands, flow.first + warm_up, len(commands))
        check(flow, run)
    return Result(
        tier="pipeline",
        case=f"throughput/{mix.name}",
        commands=count,
        throughput_per_s=round(count / elapsed_s),
        mean_ns=round(elapsed_s * 1e9 / count, 1),
    ).line()


def latencies(mix: Mix, trips: int, paced: int) -> list[Line]:
    """Measure round trips one at a time, then the open loop beside the machine's own stalls."""
    warm_up = trips // 10
    flow = generate(mix, count=warm_up + trips + paced)
    commands = words_of(flow)
    trip_ns = np.zeros(trips, np.int64)
    open_ns, late_ns, hiccup_ns = (np.zeros(paced, np.int64) for _ in range(3))
    interval_ns = 1_000_000_000 // RATE_PER_S
    with pipeline(mix) as run:
        first = flow.first + warm_up
        run.stream(commands, 0, first)
        ends = run.control, run.slots, commands
        arguments = (*ends, first, first + trips, *run.readers_end, trip_ns)
        require(one_at_a_time(*arguments))
        hiccups(hiccup_ns, interval_ns)
        arguments = (*ends, first + trips, len(commands), *run.readers_end, open_ns, late_ns, interval_ns)
        require(open_loop(*arguments))
        check(flow, run)
    name = mix.name
    return [
        with_latencies("pipeline", f"round_trip/{name}", trips, percentiles(trip_ns)),
        _paced(f"open_loop/{name}", open_ns),
        _paced("hiccups", hiccup_ns),
        _paced(f"generator_late/{name}", late_ns),
    ]


def _paced(case: str, samples_ns: npt.NDArray[np.int64]) -> Line:
    return with_latencies(
        "pipeline", case, len(samples_ns), percentiles(samples_ns), offered_per_s=RATE_PER_S
    )


def run(quick: bool) -> list[Line]:
    """Measure throughput on the four mixes, then latencies on the first."""
    if len(os.sched_getaffinity(0)) < 2:
        raise BenchError("the pipeline tier needs two cores")
    count, trips, paced = (5_000, 2_000, 2_000) if quick else (3_000_000, 500_000, 1_000_000)
    mixes = MIXES[:1] if quick else MIXES
    return [*(throughput(mix, count) for mix in mixes), *latencies(EXCHANGE_CORE, trips, paced)]
