"""Tier `step`: validate, check risk, match, settle and write events, on one core, without rings.

Mean and percentiles come from separate runs of the same commands on a fresh state: the mean
without timers inside, the percentiles from the time-stamp counter around each command (its
own cost is in them; `timer_ns` of the printed line says how much). Set-up and the filling
of the books are not measured. Every run reads every event, and all runs must agree with
each other and with the flow's own model on checksum, kinds and live orders.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.core import runtime as untyped_runtime

from engine.contract.replica import RING_MARK, RING_MARKS, build_batch
from engine.contract.spread import SLOT
from engine.trading.application import trading
from engine.trading.capacities import Capacities
from engine.trading.kernels.state import new_state
from engine.trading.records import COMMAND, JOURNAL_ENTRY, EventKind
from perf.flow.generate import Flow, generate
from perf.flow.mixes import LAST_TRADE, LIMITED, MIXES, SCALE, Mix
from perf.histogram import percentiles
from perf.result import Line, with_latencies
from perf.step_kernels import KINDS, read_events, timer_cycles
from ringbuf.atomics import clock_monotonic_ns
from ringbuf.cycles import CYCLE_BITS, cycle_ns
from ringbuf.spsc import words_of

runtime: Any = untyped_runtime

CHUNK = 512
"""Commands between two readings: with their events they stay in the second-level cache, as what
a worker finds in its rings does."""
SINK = 8 * CHUNK
"""Slots of events."""
REPETITIONS = 3
LINE_BYTES = 64


class BenchError(Exception):
    """A benchmark's own check failed: its numbers must not be published."""


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What one run over the commands came to."""

    elapsed_ns: int
    checksum: int
    kinds: tuple[int, ...]
    event_hash: int
    live_orders: int
    trades: int

    def same_result(self, other: "StepOutcome") -> bool:
        """Tell whether two runs made the same events."""
        mine = (self.checksum, self.kinds, self.event_hash, self.live_orders, self.trades)
        return mine == (other.checksum, other.kinds, other.event_hash, other.live_orders, other.trades)


class StepBench:
    """A state and the commands to drive it with."""

    def __init__(self, commands: npt.NDArray[np.void], first: int, capacities: Capacities) -> None:
        self.commands = commands
        self.first = first
        self.state = new_state(capacities)
        self.apply_batch = build_batch(trading(capacities))
        self.buffer = aligned_zeros(CHUNK, JOURNAL_ENTRY)
        self.read_only = self.buffer.view()
        self.read_only.flags.writeable = False  # the replica's type of records
        self.marks = np.zeros(RING_MARKS, RING_MARK)
        self.sink = words_of(aligned_zeros(SINK, SLOT))
        self.out = self.state["out"][0]

    def reset(self) -> None:
        """Empty the state (which also maps every page of it), build the venue and fill the books."""
        self.state.view(np.uint8)[:] = 0
        self.drive(0, self.first, np.zeros(0, np.int64))

    def load(self, begin: int, count: int) -> None:
        """Put commands[begin : begin + count] where the worker finds them, in entries of a journal."""
        s = self.state[0]
        self.buffer["command"][:count] = self.commands[begin : begin + count]
        self.buffer["seq"][:count] = np.arange(s["seq"] + 1, s["seq"] + 1 + count)
        self.buffer["eng_ts"][:count] = s["eng_ts"]

    def apply(self, count: int, cycles: npt.NDArray[np.int64]) -> tuple[int, int]:
        """Apply the first entries; return (applied, slots in `sink`)."""
        return self.apply_batch(self.state, self.out, self.read_only, 0, count, self.marks, self.sink, cycles)

    def drive(self, first: int, last: int, cycles: npt.NDArray[np.int64]) -> StepOutcome:
        """Apply commands[first:last] in chunks, reading the events after each; time the applying alone."""
        s = self.state[0]
        kinds = np.zeros(256, np.int64)
        elapsed_ns = checksum = 0
        trades_before = int(s["trade_count"])
        for begin in range(first, last, CHUNK):
            count = min(CHUNK, last - begin)
            part = cycles[begin - first : begin - first + count]
            self.load(begin, count)
            begun = clock_monotonic_ns()
            applied, written = self.apply(count, part)
            elapsed_ns += clock_monotonic_ns() - begun
            if applied < count or s["out_count"]:
                raise BenchError(f"commands {begin} to {begin + count} made more than {SINK} slots of events")
            checksum = (checksum * 31 + read_events(self.sink, written, kinds)) % 2**63
        return StepOutcome(
            elapsed_ns=elapsed_ns,
            checksum=checksum,
            kinds=tuple(kinds[:KINDS].tolist()),
            event_hash=int(s["event_hash"]),
            live_orders=int(s["orders_live"]),
            trades=int(s["trade_count"]) - trades_before,
        )

    def measured(self, *, timed: bool) -> tuple[StepOutcome, npt.NDArray[np.int64]]:
        """Run the measured commands on a fresh state."""
        self.reset()
        count = len(self.commands) - self.first
        cycles = np.zeros(count if timed else 0, np.int64)
        return self.drive(self.first, len(self.commands), cycles), cycles

    def allocations(self, count: int) -> int:
        """Return how many allocations `count` commands make beyond those of the call itself."""
        self.reset()
        none = np.zeros(0, np.int64)
        self.load(self.first, count)

        def made(commands: int) -> int:
            before = runtime.rtsys.get_allocation_stats().alloc
            self.apply(commands, none)
            return int(runtime.rtsys.get_allocation_stats().alloc - before)

        runtime._nrt_python.memsys_enable_stats()
        return made(count) - made(0)


def aligned_zeros(count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return zeros that begin on a cache line, as the slots of a ring do."""
    size_bytes = count * dtype.itemsize
    whole = np.zeros(size_bytes + LINE_BYTES, np.uint8)
    start = -whole.ctypes.data % LINE_BYTES
    return whole[start : start + size_bytes].view(dtype)


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process on its last core for the block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(case: str, bench: StepBench, repetitions: int, check: Callable[[StepOutcome], None]) -> Line:
    """Run the case and return its line; BenchError when the runs disagree."""
    allocated = bench.allocations(min(CHUNK, len(bench.commands) - bench.first))
    if allocated:
        raise BenchError(f"step/{case}: the kernel allocated {allocated} times")
    runs = [bench.measured(timed=False)[0] for _ in range(repetitions)]
    timed, cycles = bench.measured(timed=True)
    if not all(timed.same_result(run) for run in runs):
        raise BenchError(f"step/{case}: repetitions of the same commands gave different events")
    check(timed)
    count = len(cycles)
    ns_per_cycle = cycle_ns() / 2**CYCLE_BITS
    empty = np.zeros(100_000, np.int64)
    timer_cycles(empty)
    mean_ns = float(np.median([run.elapsed_ns for run in runs])) / count
    print(
        f"step/{case}: mean {mean_ns:.1f} ns, {timed.live_orders} live orders, {timed.trades} trades, "
        f"0 allocations, timer_ns {float(np.median(empty)) * ns_per_cycle:.1f}"
    )
    latencies = percentiles(cycles * ns_per_cycle)
    return with_latencies("step", case, count, latencies, throughput_per_s=1e9 / mean_ns, mean_ns=mean_ns)


def agrees_with(flow: Flow) -> Callable[[StepOutcome], None]:
    """Return the check of a generated flow: the engine did what the generator's model did."""

    def check(run: StepOutcome) -> None:
        expected = (flow.trade_count, flow.prevented_count, flow.live_count, 0)
        found = (
            run.trades,
            run.kinds[EventKind.PREVENTED],
            run.live_orders,
            run.kinds[EventKind.REJECTED],
        )
        if found != expected:
            raise BenchError(
                f"step/{flow.mix.name}: trades, preventions, live, rejects {found}, expected {expected}"
            )

    return check


def capacities_for(mix: Mix) -> Capacities:
    """Return the default capacities, raised where a mix has more live orders."""
    defaults = Capacities()
    if 2 * mix.live_orders <= defaults.orders:
        return defaults
    # Few currencies and a shorter window of ended ids: the record must stay below 2 GiB.
    return Capacities(
        orders=mix.live_orders + mix.live_orders // 16,
        currencies=2,
        positions=mix.live_orders + mix.live_orders // 4,
        client_ids=2**21,
    )


def run(quick: bool) -> list[Line]:
    """Measure the four mixes, and the large one unless `quick`."""
    count, repetitions = (5_000, 1) if quick else (1_000_000, REPETITIONS)
    lines = []
    with one_core():
        for mix in MIXES if quick else (*MIXES, *LIMITED, LAST_TRADE, SCALE):
            flow = generate(mix, count=count)
            bench = StepBench(flow.commands, flow.first, capacities_for(mix))
            lines.append(measure(mix.name, bench, repetitions, agrees_with(flow)))
    return lines


def run_file(path: Path, quick: bool) -> list[Line]:
    """Measure the COMMAND array of a file; all of it is measured, set-up commands included."""
    try:
        commands: Any = np.load(path)
    except (OSError, EOFError, ValueError) as error:
        raise BenchError(f"--commands {path}: cannot be read as a numpy array: {error}") from error
    if commands.dtype != COMMAND or commands.ndim != 1 or len(commands) == 0:
        raise BenchError(
            f"--commands {path}: must be a one-dimensional array of engine.trading.records.COMMAND, "
            f"not {commands.dtype} of shape {commands.shape}"
        )
    with one_core():
        bench = StepBench(commands, 0, Capacities())
        return [measure(path.stem, bench, 1 if quick else REPETITIONS, lambda _: None)]
