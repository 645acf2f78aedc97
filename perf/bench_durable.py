"""Tier `durable`: the pipeline with a journal: no event is read before its command is on the disk.

As tier pipeline, with the production journaler as a third process on the same two cores, policy
`backoff`, files in the folder for temporary files. Cases:

    throughput/MIX   as fast as the ring takes them
    step/none, step/sync
                     the worker's own step, sampled by its histogram (to 6 %) in a run of each mode
    round_trip       one command at a time: publish to last event read
    open_loop        500,000 a second on a fixed schedule, from the *intended* time
    disk             write of 4 KiB and fdatasync into a file of zeros, right before and after the
                     round trips, the pipeline idle beside it: the disk's own
    disk_open_loop   the same bytes on the schedule of the open loop, right before and after it: each write
                     takes what has come due, from the intended time. What no engine could go below
"""

import os
import tempfile
import time

import numpy as np
import numpy.typing as npt

from engine.contract.control_words import STEP
from engine.contract.histogram import Histogram
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.writer import FRAME_MAX
from engine.trading.records import JOURNAL_ENTRY
from perf.bench_pipeline import Durability, check, pipeline, require, words_of
from perf.bench_step import BenchError
from perf.flow.generate import generate
from perf.flow.mixes import EXCHANGE_CORE, Mix
from perf.histogram import percentiles
from perf.pipeline_kernels import one_at_a_time, open_loop
from perf.result import Line, Result, with_latencies

TIER = "durable"
DURABILITY: Durability = "sync"
RATE_PER_S = 500_000
DISK_BYTES = 4096


def throughput(mix: Mix, count: int) -> Line:
    """Measure one mix as fast as it goes."""
    warm_up = count // 20
    flow = generate(mix, count=warm_up + count)
    commands = words_of(flow)
    with pipeline(mix, DURABILITY) as run:
        run.stream(commands, 0, flow.first + warm_up)
        elapsed_s = run.stream(commands, flow.first + warm_up, len(commands))
        check(flow, run)
    return Result(
        tier=TIER,
        case=f"throughput/{mix.name}",
        commands=count,
        throughput_per_s=round(count / elapsed_s),
        mean_ns=round(elapsed_s * 1e9 / count, 1),
        durability=DURABILITY,
    ).line()


def steps(mix: Mix, count: int) -> list[Line]:
    """Compare the worker's step with and without a journal, in runs of the same flow one after the other."""
    flow = generate(mix, count=count)
    commands = words_of(flow)
    lines = []
    modes: tuple[Durability, ...] = ("none", DURABILITY)
    for durability in modes:
        with pipeline(mix, durability) as run:
            buckets = run.segments.stats.slots[0]["buckets"][STEP]
            run.stream(commands, 0, flow.first)
            before = Histogram(buckets)
            run.stream(commands, flow.first, len(commands))
            check(flow, run)
            found = Histogram(buckets).since(before)
        made = Result(
            tier=TIER,
            case=f"step/{durability}/{mix.name}",
            commands=count,
            mean_ns=round(sum(edge * times for edge, times in found.buckets()) / found.count, 1),
            p50_ns=found.percentile(50),
            p99_ns=found.percentile(99),
            p999_ns=found.percentile(99.9),
            max_ns=found.percentile(100),
            durability=durability,
        )
        lines.append(made.line())
    return lines


def latencies(mix: Mix, trips: int, paced: int) -> list[Line]:
    """Measure the disk, then round trips one at a time, then the open loop."""
    warm_up = trips // 10
    flow = generate(mix, count=warm_up + trips + paced)
    commands = words_of(flow)
    trip_ns = np.zeros(trips, np.int64)
    open_ns, late_ns = (np.zeros(paced, np.int64) for _ in range(2))
    with pipeline(mix, DURABILITY) as run:
        first = flow.first + warm_up
        run.stream(commands, 0, first)
        ends = run.control, run.slots, commands
        before = disk_times(trips // 2)
        alone = (*ends, first, first + trips, *run.readers_end, trip_ns)
        require(one_at_a_time(*alone))
        disk_ns = np.concatenate((before, disk_times(trips // 2)))
        interval_ns = 1_000_000_000 // RATE_PER_S
        arguments = (*ends, first + trips, len(commands), *run.readers_end, open_ns, late_ns, interval_ns)
        before = disk_open_loop(paced // 10, interval_ns)
        require(open_loop(*arguments))
        disk_open_ns = np.concatenate((before, disk_open_loop(paced // 10, interval_ns)))
        check(flow, run)
    name, rate = mix.name, RATE_PER_S
    return [
        _line("disk/4-KiB-write-fdatasync", disk_ns),
        _line(f"round_trip/{name}", trip_ns),
        _line(f"open_loop/{name}", open_ns, rate),
        _line("disk_open_loop/write-fdatasync", disk_open_ns, rate),
        _line(f"generator_late/{name}", late_ns, rate),
    ]


def _line(case: str, samples_ns: npt.NDArray[np.int64], offered_per_s: int | None = None) -> Line:
    found = percentiles(samples_ns)
    return with_latencies(
        TIER, case, len(samples_ns), found, offered_per_s=offered_per_s, durability=DURABILITY
    )


def disk_times(count: int, byte_count: int = DISK_BYTES) -> npt.NDArray[np.int64]:
    """Return the times of `count` small durable writes of so many bytes, ns."""
    disk = Disk()
    times = np.zeros(count, np.int64)
    with tempfile.NamedTemporaryFile(prefix="pinion-perf-") as file:
        descriptor = file.fileno()
        disk.write(descriptor, bytes(byte_count * count), 0)
        disk.sync(descriptor)
        content = os.urandom(byte_count)
        for i in range(count):
            began = time.perf_counter_ns()
            disk.write(descriptor, content, i * byte_count)
            disk.sync_data(descriptor)
            times[i] = time.perf_counter_ns() - began
    return times


def disk_open_loop(count: int, interval_ns: int) -> npt.NDArray[np.int64]:
    """Return how long each of `count` records took from its intended time until it was durable, ns."""
    disk = Disk()
    latency_ns = np.zeros(count, np.int64)
    # As many bytes as a frame of the same commands has: its head and one slot for each.
    content = memoryview(os.urandom((1 + FRAME_MAX) * JOURNAL_ENTRY.itemsize))
    with tempfile.NamedTemporaryFile(prefix="pinion-perf-") as file:
        descriptor = file.fileno()
        disk.write(descriptor, bytes(2 * count * JOURNAL_ENTRY.itemsize), 0)
        disk.sync(descriptor)
        start = time.perf_counter_ns()
        done = offset = 0
        while done < count:
            due = min(count, done + FRAME_MAX, 1 + (time.perf_counter_ns() - start) // interval_ns)
            if due == done:
                continue
            frame = content[: (1 + due - done) * JOURNAL_ENTRY.itemsize]
            disk.write(descriptor, frame, offset)
            disk.sync_data(descriptor)
            ended = time.perf_counter_ns() - start
            latency_ns[done:due] = ended - np.arange(done, due) * interval_ns
            done, offset = due, offset + len(frame)
    return latency_ns


def run(quick: bool) -> list[Line]:
    """Measure throughput on the first mix, then latencies."""
    if len(os.sched_getaffinity(0)) < 2:
        raise BenchError("the durable tier needs two cores")
    count, trips, paced = (20_000, 200, 20_000) if quick else (20_000_000, 10_000, 5_000_000)
    return [
        throughput(EXCHANGE_CORE, count),
        *steps(EXCHANGE_CORE, paced),
        *latencies(EXCHANGE_CORE, trips, paced),
    ]
