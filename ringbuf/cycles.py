"""The length of a cycle of the time-stamp counter."""

import time

from ringbuf.atomics import clock_monotonic_ns, cycle_count

MEASURED_S = 0.02
CYCLE_BITS = 20


def cycle_ns() -> int:
    """Measure the time-stamp counter, in MEASURED_S seconds of sleep: ns per 2**CYCLE_BITS cycles."""
    clock_monotonic_ns(), cycle_count()  # compiled or loaded before anything is measured
    begun_ns, begun = clock_monotonic_ns(), cycle_count()
    time.sleep(MEASURED_S)
    elapsed_ns, elapsed = clock_monotonic_ns() - begun_ns, cycle_count() - begun
    return int((elapsed_ns << CYCLE_BITS) // max(1, elapsed))
