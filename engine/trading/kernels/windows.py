"""Windows: what was counted in a length of time that ends now, in twelve whole buckets (exchange rule S21).

A bucket is a twelfth of the window; its number is the engine's clock divided by its length. The window ends
in the bucket of now, so it is as long as its length at most, and shorter by less than one bucket.
"""

from engine.trading.kernels.watch_records import BUCKETS
from ringbuf.kernel import kernel


@kernel
def advance(window, newest, now):
    """Empty the buckets that came since `newest`.

    window : int64[BUCKETS], by number modulo BUCKETS; newest, now : numbers of buckets
    """
    for bucket in range(max(newest + 1, now - BUCKETS + 1), now + 1):
        window[bucket % BUCKETS] = 0


@kernel
def total_in(window, newest, now):
    """Return what is counted in the window that ends in bucket `now`; buckets behind `newest` are empty."""
    total = 0
    if now == newest:  # as mostly: whatever is in the ring then is of this window
        for place in range(BUCKETS):
            total += window[place]
        return total
    for bucket in range(max(now - BUCKETS + 1, 0), newest + 1):
        total += window[bucket % BUCKETS]
    return total
