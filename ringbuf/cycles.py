"""The length of a cycle of the time-stamp counter."""

import time

from ringbuf.atomics import clock_monotonic_ns, cycle_count

MEASURED_S = 0.02


def ns_per_cycle() -> float:
    """Measure how long a cycle of the time-stamp counter is, in MEASURED_S seconds of sleep."""
    begun_ns, begun = clock_monotonic_ns(), cycle_count()
    time.sleep(MEASURED_S)
    return float((clock_monotonic_ns() - begun_ns) / max(1, cycle_count() - begun))
