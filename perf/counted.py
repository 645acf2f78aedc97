"""What `perf count` steps through: one mix through the step or the worker's loop, in one process.

    python perf/counted.py ROOT {step,pipeline,rings} MIX COMMANDS

Run as a file, so that ROOT, the checkout whose engine and flow are taken, may be another one; it
imports nothing of its own folder. Before and after each stretch to be counted it raises MARK; a
stretch of no commands is counted as well, for what the call itself takes. The engine's clock stands
still and memory lies at the same addresses each time, where the machine lets it, so that the same
commands take the same way. At the end it compares what was done with the flow's own model and prints
one JSON object. With 0 commands it only sees to it that the kernels are in the cache.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
from typing import Any

MARK = signal.SIGUSR1
PTRACE_TRACEME = 0
ADDR_NO_RANDOMIZE = 0x0040000
ASK = 0xFFFFFFFF
WARM_UP = 4096
"""Commands of the mix before those that are counted."""
RINGS = 4
WAITING = 4
TURNS = 2
"""Tier rings: so many rings, commands that wait in each at every turn, and turns: a turn takes seconds."""
CLOCK_NS = 2**61
"""Where the engine's clock stands: ahead of every real one, so that none moves it."""

MODULES_BEFORE = {
    "engine.runtime.processes.worker": "engine.runtime.worker",
    "engine.runtime.shared_memory": "engine.runtime.segments",
    "engine.settings.config": "engine.config",
    "engine.trading.application": "engine.cli.trading",
}
"""Module -> where it lay until 2026-11-28: the other checkout may be older."""


def of_checkout(name: str) -> Any:
    """Import a module of the checkout that is counted."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return importlib.import_module(MODULES_BEFORE[name])


def at_the_same_addresses() -> None:
    """Begin anew without random addresses; a machine that refuses it costs a few instructions of noise."""
    personality = ctypes.CDLL(None).personality
    now = personality(ASK)
    if not now & ADDR_NO_RANDOMIZE and personality(now | ADDR_NO_RANDOMIZE) != -1:
        os.execv(sys.executable, [sys.executable, *sys.argv])


def traced() -> None:
    """Have the parent stop this process at every signal."""
    gc.collect()
    gc.disable()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(PTRACE_TRACEME, 0, None, None):
        raise OSError(ctypes.get_errno(), "this machine allows no ptrace, which the count needs")


def entry_of(dispatcher: Any) -> Any:
    """Return the compiled function itself: to find it by its arguments' types takes a million steps."""
    (compiled,) = dispatcher.overloads.values()
    return compiled.entry_point


def step(mix: Any, count: int) -> bool:
    """Apply `count` commands of the mix in the step tier's chunks; return whether the model agrees."""
    import numpy as np

    from perf.bench_step import CHUNK, StepBench, agrees_with, capacities_for
    from perf.flow.generate import generate

    flow = generate(mix, count=WARM_UP + count)
    bench = StepBench(flow.commands, flow.first, capacities_for(mix))
    expected, _ = bench.measured(timed=False)
    agrees_with(flow)(expected)
    bench.reset()
    untimed = np.zeros(0, np.int64)
    counted = len(flow.commands) - count  # marks among the commands are counted with them
    bench.drive(flow.first, counted, untimed)
    begin, apply_all, given = (batch_of if hasattr(bench, "apply_batch") else chunk_of)(bench, untimed)

    def apply(first: int, size: int) -> None:
        begin(first, size)
        arguments = given(size)
        signal.raise_signal(MARK)
        apply_all(*arguments)
        signal.raise_signal(MARK)

    if count:
        traced()
    for first in range(counted, len(flow.commands), CHUNK):
        apply(first, 0)
        apply(first, min(CHUNK, len(flow.commands) - first))
    return int(bench.state[0]["event_hash"]) == expected.event_hash


def batch_of(bench: Any, untimed: Any) -> tuple[Any, Any, Any]:
    """Return what loads commands, the compiled replica's kernel, and its arguments by their number."""
    return (
        bench.load,
        entry_of(bench.apply_batch),
        lambda size: (bench.state, bench.out, bench.read_only, 0, size, bench.marks, bench.sink, untimed),
    )


def chunk_of(bench: Any, untimed: Any) -> tuple[Any, Any, Any]:
    """Return the same of a checkout until 2026-11-28, whose step tier had a kernel of its own."""
    kernels = importlib.import_module("perf.step_kernels")

    def load(first: int, size: int) -> None:
        bench.buffer[:size] = bench.commands[first : first + size]

    return (
        load,
        entry_of(kernels.apply_chunk),
        lambda size: (bench.state, bench.out, bench.buffer, size, bench.sink, untimed),
    )


class Worker:
    """The worker's loop in this process, with the hands that fill its command rings."""

    def __init__(self, mix: Any, count: int, ring_count: int) -> None:
        memory = of_checkout("engine.runtime.shared_memory")
        trading = of_checkout("engine.trading.application").trading
        LoopCall = of_checkout("engine.runtime.processes.worker").LoopCall  # noqa: N806  # a class
        from perf.bench_pipeline import words_of
        from perf.bench_step import capacities_for
        from perf.flow.generate import generate

        self.flow = generate(mix, count=WARM_UP + count)
        self.commands = words_of(self.flow)
        settings = of_checkout("engine.settings.config").EngineSettings(wait="spin", durability="none")
        names = {part: f"pinion-count-{os.getpid()}-{part}" for part in memory.PARTS}
        rings = tuple(f"ring-{idx}" for idx in range(ring_count))
        self.segments = memory.Segments(names, trading(capacities_for(mix)), settings, rings, (), 1)
        self.segments.unlink()  # the memory stays mapped; whatever ends this process leaves no name behind
        self.batch = settings.batch
        self.call = LoopCall(self.segments)
        self.call.warm_up(self.segments)
        self.call.loop["eng_ts"], self.call.loop["cycle_ns"] = CLOCK_NS, 1 << 20
        self.counted = len(self.flow.commands) - count  # marks among the commands are counted with them
        for first in range(0, self.counted, self.batch):
            self.push(0, first, min(first + self.batch, self.counted))
            self.call.run(0)

    def push(self, ring_idx: int, first: int, last: int) -> None:
        """Publish commands[first:last] in one ring."""
        from perf.pipeline_kernels import push

        ring = self.segments.commands.slots[0]["rings"][ring_idx]
        slots = ring["slots"].view("<i8").reshape(-1, self.commands.shape[1])
        while first < last:
            first += push(ring["control"], slots, self.commands, first, last)

    def fill(self, first: int) -> None:
        """Publish WAITING commands in each ring, from commands[first] on; the first ring is next."""
        for ring_idx in range(RINGS):
            begin = first + ring_idx * WAITING
            self.push(ring_idx, begin, begin + WAITING)
        self.call.loop["next_ring"] = 0

    def agrees(self) -> bool:
        """Tell whether the state is the one that the flow's model has."""
        s = self.segments.state.slots[0]
        found = int(s["seq"]), int(s["orders_live"]), int(s["trade_count"])
        return found[:2] == (len(self.commands), self.flow.live_count) and found[2] >= self.flow.trade_count


def pipeline(mix: Any, count: int) -> bool:
    """Let the worker's loop take `count` commands in its batches; return whether the model agrees."""
    worker = Worker(mix, count, 1)
    commands, call = worker.commands, worker.call
    run = entry_of(call.run_kernel)
    if count:
        traced()
    for first in range(worker.counted, len(commands), worker.batch):
        for last in (first, min(first + worker.batch, len(commands))):
            worker.push(0, first, last)
            signal.raise_signal(MARK)
            run(*call.arguments, 0)
            signal.raise_signal(MARK)
    return worker.agrees()


def rings(mix: Any, count: int) -> bool:
    """Let the loop take what waits in RINGS rings, TURNS times; with a `count` of 0 once, uncounted.

    They are taken in the flow's order, since the turn begins with the first ring. What is counted are
    whole rounds of the loop, as many as a turn takes: a latched loop returns at once, and its calls are
    what is subtracted.
    """
    size = RINGS * WAITING
    worker = Worker(mix, size * (1 + TURNS) if count else size, RINGS)
    commands, call = worker.commands, worker.call
    run = entry_of(call.run_kernel)
    first = worker.counted
    worker.fill(first)
    rounds = 0
    while call.loop["applied"] < first + size:
        call.run(0)
        rounds += 1
    if count:
        traced()
    for at in range(first + size, len(commands), size):
        worker.fill(at)
        for is_latched in (True, False):
            worker.segments.latch(is_latched)
            signal.raise_signal(MARK)
            for _ in range(rounds):
                run(*call.arguments, 0)
            signal.raise_signal(MARK)
    return worker.agrees()


def main() -> None:
    """Do as the command line says."""
    at_the_same_addresses()
    root, tier, name, count = sys.argv[1:]
    sys.path[0] = root
    from perf import flow
    from perf.flow.mixes import EVERY_MIX

    assert flow.__file__ is not None
    assert flow.__file__.startswith(root), f"{flow.__file__} is not of {root}"
    is_checked = {"step": step, "pipeline": pipeline, "rings": rings}[tier](EVERY_MIX[name], int(count))
    print(json.dumps({"checked": is_checked}))


if __name__ == "__main__":
    main()
