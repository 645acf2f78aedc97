"""The worker process: pins itself, runs the loop until told to stop, watches the wall clock.

It owns the heads of the journal ring and the event ring, the tails of the command rings and
the state, and finds them again after a death (recovery.py). Between two runs of the kernel, a
tenth of a second each, half a one where it sleeps, Python looks for signals and compares the
clocks. On SIGTERM it goes on until nothing waits, then ends with 0.
"""

import gc
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.instance import WORKER, counter_name, write_ready
from engine.contract.records import Operation
from engine.contract.replica import Replica
from engine.runtime.crash_points import arm
from engine.runtime.loop import IDLE, LATCHED, LoopOutcome, build, new_loop
from engine.runtime.process import ending, lock_memory
from engine.runtime.processes.cores import place
from engine.runtime.replay.recovery import recover
from engine.runtime.shared_memory import Segments, words_record
from ringbuf.cycles import cycle_ns
from ringbuf.waiting import Wait

log = logging.getLogger(__name__)

RUN_NS = 100_000_000
"""The kernel returns to Python this often: signals wait no longer."""
CLOCK_JUMP_NS = 1_000_000_000
EXIT_LATCHED = 3


class LoopCall:
    """The loop's kernel with its arguments: everything but the time it may take."""

    def __init__(self, segments: Segments) -> None:
        application, settings = segments.application, segments.settings
        self.run_kernel = build(application)
        self.memory = new_loop(application)
        self.loop = self.memory[0]
        self.loop["batch"] = settings.batch
        self.loop["wait"] = Wait[settings.wait.upper()]
        self.loop["journals_itself"] = settings.durability == "none"
        self.loop["tick"] = application.own_command(Operation.TICK).view(np.int64)
        self.replica: Replica | None = None
        self.ends = np.zeros(2 * settings.journal_ring, np.int64)
        ends = words_record(self.ends)
        s, out, commands, journal, entries, events, stats, counts, bells = segments.kernel_arguments()
        self.arguments: tuple[Any, ...] = (
            s, out, self.loop, commands, journal, entries, events, ends, stats, counts, bells,
        )  # fmt: skip

    def run(self, budget_ns: int) -> int:
        """Let the loop work for about `budget_ns`; return its LoopOutcome."""
        return self.run_kernel(*self.arguments, budget_ns)

    def warm_up(self, segments: Segments) -> None:
        """Compile the kernel, or load it, without working: a latched loop returns at once."""
        segments.latch(1)
        outcome = self.run(0)
        segments.latch(0)
        assert outcome == LATCHED
        signatures: Any = getattr(self.run_kernel, "signatures", [None])
        assert len(signatures) == 1, "the loop must compile for one signature only"

    def prepare_recovery(self, segments: Segments) -> None:
        """Compile, or load, what a worker needs to find its state again."""
        self.replica = Replica(segments.application, segments.state.slots)


def clock_offset_ns() -> int:
    """Return wall clock minus monotonic clock, read between two looks at the latter."""
    before = time.monotonic_ns()
    wall = time.time_ns()
    return wall - (before + time.monotonic_ns()) // 2


def run_worker(call: LoopCall, segments: Segments, data_dir: Path, epoch: int) -> int:
    """Recover, then run until SIGTERM; return the exit code."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    loop = call.loop
    arm(loop)
    loop["cycle_ns"] = cycle_ns()
    loop["clock_offset"] = clock_offset_ns()
    gc.disable()  # nothing here makes cycles, and a collection is a stall
    segments.application.open_folder(data_dir, ending(data_dir, WORKER))
    if call.replica is not None:
        shared = call.replica, data_dir, loop, call.ends, epoch
        if not recover(segments, *shared, lambda: stopping):
            return 0
    # Not before: a recovery reads on another CPU, and reads much that it will not need again.
    place(WORKER, segments.settings)
    locked = segments.settings.lock_memory and lock_memory()
    cpus = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
    log.info("worker %d on CPU %s, memory %s", os.getpid(), cpus, "locked" if locked else "not locked")
    call.run(0)
    write_ready(data_dir, WORKER, 0)
    while True:
        outcome = call.run(RUN_NS)
        if outcome == LATCHED:
            log.error("the journal is latched after seq %d: nothing more is accepted", loop["journaled"])
            await_stop(segments, lambda: stopping)
            return EXIT_LATCHED
        if stopping and outcome == IDLE:
            log.info("worker drained: seq %d", loop["applied"])
            return 0
        follow_clock(loop, segments)


def await_stop(segments: Segments, is_stopping: Callable[[], bool]) -> None:
    """Stay, alive and idle, with the state readable, until the operator stops everything."""
    while not is_stopping():
        segments.counters.beat(counter_name(WORKER, "heartbeat"))
        time.sleep(RUN_NS / 1e9)


def follow_clock(loop: Any, segments: Segments) -> None:
    """Take over a small correction of the wall clock; raise an alarm for a jump (exchange rule S2)."""
    offset = clock_offset_ns()
    jump = offset - int(loop["clock_offset"])
    if abs(jump) <= CLOCK_JUMP_NS:
        loop["clock_offset"] = offset
        return
    alarms = segments.counters["worker.clock_alarms"]
    if alarms == 0:
        log.error("the wall clock jumped by %.3f s: the engine goes on by the monotonic clock", jump / 1e9)
    segments.counters["worker.clock_alarms"] = alarms + 1


assert LoopOutcome.IDLE == IDLE
