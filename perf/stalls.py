"""The machine's own stalls: how late a process wakes that asks for nothing but to be woken.

python -m perf.stalls SECONDS [RATE]      prints percentiles as JSON

With a rate it wakes on the schedule of an open loop of so many requests a second: by what it is late, a
request that was due then would have been sent late. Without one it sleeps, again and again, for SLEEP_S.

It asks for the real-time class, so that it waits for no other process: what it is late by beyond some
ten microseconds, the kernel and the hypervisor took. Without the right to that class it runs like any other,
and its figures are an upper bound.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict

import msgspec
import numpy as np

from perf.histogram import percentiles

SLEEP_S = 0.0005
PRIORITY = 1


def traced(seconds: float, rate: float = 0.0) -> list[int]:
    """Return by how many ns each wake-up was late; rate : of an open loop, 0 for none."""
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    return _late_on_schedule(seconds, rate) if rate else _late_by_sleep(seconds)


def _late_on_schedule(seconds: float, rate: float) -> list[int]:
    late = []
    begun = time.perf_counter_ns()
    for number in range(int(seconds * rate)):
        due = begun + int(number * 1e9 / rate)
        if (ahead := due - time.perf_counter_ns()) > 0:
            time.sleep(ahead / 1e9)
        late.append(time.perf_counter_ns() - due)
    return late


def _late_by_sleep(seconds: float) -> list[int]:
    late = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        time.sleep(SLEEP_S)
        late.append(int((time.perf_counter() - begun - SLEEP_S) * 1e9))
    return late


@contextmanager
def traced_beside(seconds: float, rate: float = 0.0) -> Iterator[dict[str, float]]:
    """Trace for so long beside what the block does; the percentiles, in ns, are there at its end."""
    found: dict[str, float] = {}
    command = [sys.executable, "-m", "perf.stalls", str(seconds), str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield found
        except BaseException:
            process.kill()
            raise
        told, _ = process.communicate()
        found.update(msgspec.json.decode(told))


if __name__ == "__main__":
    print(msgspec.json.encode(asdict(percentiles(np.array(traced(*map(float, sys.argv[1:])))))).decode())
