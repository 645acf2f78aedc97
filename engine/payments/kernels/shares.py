"""What of a merchant's daily limit this instance may take, where a fleet shares it.

Of every day each instance owns its part of the limit unasked. What it has given to others it has no more,
what it has taken from them it has besides; both are sums of one day, and a new day begins without them.
"""

import numpy as np

from engine.payments.fleet_records import STORE_SILENCE_NS, OnStoreDown
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.windows import DAY_MS
from engine.payments.rules.verdict import UNKNOWN
from ringbuf.kernel import inlined, kernel

LOCAL, DECLINE = np.int64(OnStoreDown.LOCAL), np.int64(OnStoreDown.DECLINE)
NOBODY_KNOWS = np.int64(UNKNOWN)


@inlined
def daily_limit_of(s, row, wanted):
    """Return up to where a merchant's sum of the day may grow here; NIL: anywhere, NOBODY_KNOWS: not at all.

    wanted : the sum with the payment at hand
    """
    limit = s.rows[row].daily
    if limit == NIL or s.fleet[0].instances == 0:
        return limit
    return _shared_limit(s, row, wanted)


@kernel
def _shared_limit(s, row, wanted):
    """Return what of a limit is ours; note where it is short, for that is what others are asked by."""
    share, on_store_down = share_of(s, row), s.fleet[0].on_store_down
    if wanted > share:
        s.rows[row].short_at = s.now
    if on_store_down == LOCAL or is_store_up(s):
        return share
    return NOBODY_KNOWS if on_store_down == DECLINE else NIL


@kernel
def is_store_up(s):
    """Tell whether the store is up: the fleet process has said so, and not long ago."""
    f = s.fleet[0]
    return f.is_store_up != 0 and s.eng_ts - f.told_at < STORE_SILENCE_NS


@kernel
def share_of(s, row):
    """Return what of a daily limit, which is set, this instance may take today: never more than the limit."""
    f, today = s.fleet[0], s.now // DAY_MS
    instances = f.instances if today >= f.from_day else f.before
    limit = s.rows[row].daily
    share = limit // instances
    if s.rows[row].share_day == today:
        share += s.rows[row].taken - s.rows[row].given
    return max(np.int64(0), min(share, limit))
