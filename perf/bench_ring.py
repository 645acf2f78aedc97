"""Tier `ring`: what two pinned processes reach over the rings alone, with 128-byte records.

    one_way_batch_64    producer fills and publishes 64 at a time; consumer sums every word, releases
    one_way_batch_1     the same with every record published by itself
    broadcast_batch_64  writer appends 64, held back by the reader's place; reader copies, checks
    round_trip          one record there and one back over two SPSC rings, one at a time

Included: claim, 16 words written, publish, poll, 16 words read, release. Not included: any
work on the records. One way waits by backing off, round trips by spinning. Throughput is the median of
the rounds, each of which compares the sum of all words with the closed form. Latencies are
time-stamp counter differences, converted by the rate measured over the run.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from perf.result import Line, Result
from perf.ring_kernels import BATCH, DONE, RECORD_WORDS, echo, follow, ping, receive, send, show
from ringbuf.atomics import (
    clock_monotonic_ns,
    cycle_count,
)
from ringbuf.broadcast import GATE_OPEN, Broadcast
from ringbuf.segment import Kind, attach, create
from ringbuf.spsc import SpscRing

RECORD = np.dtype([("words", "<i8", (16,))])
CAPACITY = 4_096


def sum_of_words(first: int, last: int) -> int:
    """Return what `receive` sums over positions first to last (exclusive), wrapped to int64."""
    low, high = first * RECORD_WORDS, last * RECORD_WORDS
    total = (high * (high - 1) - low * (low - 1)) // 2
    return (total + 2**63) % 2**64 - 2**63


def two_cores() -> tuple[int, int]:
    """Return the cores of the two processes."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError(f"the ring tier needs two cores, this process may use {cores} alone")
    return cores[0], cores[1]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep this process on one core for the block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def peer(target: Callable[..., None], *args: Any) -> Iterator[None]:
    """Run target(*args) in a process of its own on the first core, this one on the second."""
    first, second = two_cores()
    process = multiprocessing.get_context("spawn").Process(target=target, args=(first, *args))
    process.start()
    try:
        with pinned(second):
            yield
        process.join()
    finally:
        process.kill()
        process.join()
    if process.exitcode != 0:
        raise RuntimeError(f"the peer process ended with exit code {process.exitcode}")


def check(status: int, found: int, expected: int) -> None:
    """Refuse a run that stalled or whose sum is wrong."""
    if status != DONE:
        raise RuntimeError("the peer process does not answer")
    if found != expected:
        raise RuntimeError(f"checksum {found}, expected {expected}: words were lost or torn")


def attached_ring(name: str) -> SpscRing:
    """Map an SPSC ring of the benchmark."""
    segment = attach(name, Kind.SPSC, RECORD, populate=True)
    return SpscRing(segment.control, segment.slots)


def sender(core: int, name: str, last: int, batch: int) -> None:
    """Be the producer of one_way."""
    with pinned(core):
        ring = attached_ring(name)
        if send(ring.control, ring.words, last, batch) != DONE:
            raise RuntimeError("the consumer does not answer")


def shower(core: int, name: str, last: int) -> None:
    """Be the writer of broadcast."""
    with pinned(core):
        segment = attach(name, Kind.BROADCAST, RECORD, populate=True)
        ring = Broadcast(segment.control, segment.slots)
        batch = np.broadcast_to(np.arange(RECORD_WORDS), (BATCH, RECORD_WORDS)).copy()
        if show(ring.control, ring.words, last, batch) != DONE:
            raise RuntimeError("the reader does not answer")


def echoer(core: int, there_name: str, back_name: str, last: int) -> None:
    """Be the far end of round_trip."""
    with pinned(core):
        there, back = attached_ring(there_name), attached_ring(back_name)
        if echo(there.control, there.words, back.control, back.words, last) != DONE:
            raise RuntimeError("the near end does not answer")


def timed(rounds: int, count: int, one_round: Callable[[int, int], None]) -> float:
    """Return the median throughput per second of `rounds` rounds of `count`, after one that warms up."""
    per_second = []
    for idx in range(rounds + 1):
        begun = clock_monotonic_ns()
        one_round(idx * count, (idx + 1) * count)
        per_second.append(count * 1e9 / (clock_monotonic_ns() - begun))
    return float(np.median(per_second[1:]))


def one_way(rounds: int, count: int, batch: int) -> float:
    """Return records per second from producer to consumer over an SPSC ring."""
    name = f"bench-ring-{os.getpid()}"
    with create(name, Kind.SPSC, RECORD, CAPACITY, reserve=True) as segment:
        control, slots = segment.control, SpscRing(segment.control, segment.slots).words

        def one_round(first: int, last: int) -> None:
            status, total = receive(control, slots, last)
            check(status, total, sum_of_words(first, last))

        with peer(sender, name, (rounds + 1) * count, batch):
            return timed(rounds, count, one_round)


def broadcast(rounds: int, count: int) -> float:
    """Return records per second from the writer to one reader of a broadcast ring."""
    name = f"bench-ring-{os.getpid()}"
    words_per_record = sum(range(2, RECORD_WORDS))
    with create(name, Kind.BROADCAST, RECORD, CAPACITY, reserve=True) as segment:
        control, slots = segment.control, Broadcast(segment.control, segment.slots).words
        gate, out = np.full(1, GATE_OPEN), np.zeros((BATCH, RECORD_WORDS), np.int64)

        def one_round(first: int, last: int) -> None:
            status, total = follow(control, slots, gate, last, out)
            check(status, total, (last - first) * words_per_record)

        with peer(shower, name, (rounds + 1) * count):
            return timed(rounds, count, one_round)


def round_trip(count: int) -> npt.NDArray[np.floating[Any]]:
    """Return the times of `count` round trips, ns, after a tenth as many that warm up."""
    there_name, back_name = (f"bench-ring-{os.getpid()}-{way}" for way in ("there", "back"))
    warm_up = count // 10
    cycles = np.full(warm_up + count, -1)  # not zeros: their pages would be faulted in while measured
    with (
        create(there_name, Kind.SPSC, RECORD, CAPACITY, reserve=True) as there,
        create(back_name, Kind.SPSC, RECORD, CAPACITY, reserve=True) as back,
        peer(echoer, there_name, back_name, len(cycles)),
    ):
        ways = [(way.control, SpscRing(way.control, way.slots).words) for way in (there, back)]
        ping(*ways[0], *ways[1], cycles[:0])
        total = 0
        begun = 0, 0
        for part in (cycles[:warm_up], cycles[warm_up:]):
            begun = clock_monotonic_ns(), cycle_count()
            status, part_total = ping(*ways[0], *ways[1], part)
            total += part_total
        ns_per_cycle = (clock_monotonic_ns() - begun[0]) / (cycle_count() - begun[1])
        check(status, total, sum_of_words(0, len(cycles)))
    return cycles[warm_up:] * ns_per_cycle


def one_way_line(case: str, commands: int, per_second: float) -> Line:
    """Return the result of a case without latencies."""
    return Result(
        tier="ring",
        case=case,
        commands=commands,
        throughput_per_s=round(per_second),
        mean_ns=round(1e9 / per_second, 1),
    ).line()


def round_trip_line(times_ns: npt.NDArray[np.floating[Any]]) -> Line:
    """Return the result of the round trips."""
    p50, p99, p999 = np.quantile(times_ns, (0.5, 0.99, 0.999)).round(1).tolist()
    return Result(
        tier="ring",
        case="round_trip",
        commands=len(times_ns),
        throughput_per_s=round(1e9 / float(times_ns.mean())),
        mean_ns=round(float(times_ns.mean()), 1),
        p50_ns=p50,
        p99_ns=p99,
        p999_ns=p999,
        max_ns=round(float(times_ns.max()), 1),
    ).line()


def run(quick: bool) -> list[Line]:
    """Run every case of the tier and return its result lines."""
    rounds, count, trips = (3, 400 * BATCH, 10_000) if quick else (21, 40_000 * BATCH, 1_000_000)
    total = rounds * count
    return [
        one_way_line("one_way_batch_64", total, one_way(rounds, count, BATCH)),
        one_way_line("one_way_batch_1", total // 8, one_way(rounds, count // 8, 1)),
        one_way_line("broadcast_batch_64", total, broadcast(rounds, count)),
        round_trip_line(round_trip(trips)),
    ]
