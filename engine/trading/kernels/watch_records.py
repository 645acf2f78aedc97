"""What is kept for the accounts that are watched, and of rates: records of the state (watch.py, equity.py).

WATCH   per account: its rarer limits, and what they are measured by
RATE    per ordered pair of currencies
STAKE   per position, and per account and currency: what it is worth
FILLS   per position: what was filled of late
REDUCING, REDUCER  per position, per order: the reduce-only orders of a position (reducing.py)
ROUND   per currency and instrument: how far what changed there has reached its holders
MEMBER  per account, and per group: who belongs to whom
"""

import numpy as np

CURRENCIES_MAX = 128
"""An instrument names its currencies in a signed byte."""
ROUND_BITS = 32
"""Rounds to a word of `round_bits`."""

RATE = np.dtype(
    [
        ("price", "<i8"),  # 1e-9 of the other currency, as it was given; 0 = none
        ("times", "<i8"),  # minor units of the other per `parts` of its own
        ("parts", "<i8"),
        ("pad", "<i8"),
    ]
)

LATCHES = 8
"""Room for each Latch, by its number."""
WATCHED_EQUITY = np.int64(1)
WATCHED_EXPOSURE = np.int64(2)
WATCHED_MESSAGES = np.int64(4)
WATCHED_FILLS = np.int64(8)
WATCHED_GROUP = np.int64(16)
WATCHED_REDUCING = np.int64(32)
WATCHED_MARGIN = np.int64(64)
WATCHED_OPEN = WATCHED_EXPOSURE | WATCHED_MARGIN
"""For these the notional of open orders is kept."""
BUCKETS = 12
"""Of a window (windows.py)."""
SWEPT = 16
"""Stakes that are valued at the head of a command (sweep.py)."""

WATCH = np.dtype(
    [
        ("reporting", "<i8"),  # currency idx
        ("worth_high", "<i8"),  # sum over its positions of worth >> WORTH_BITS, and of what that leaves
        ("worth_low", "<i8"),
        ("unbounded", "<i8"),  # positions whose worth passed 2**62
        ("peak", "<i8"),  # minor units of the reporting currency
        ("day_start", "<i8"),
        ("limit", "<i8", (LATCHES,)),  # by Latch; 0 = none; of fills 1e-9 of a unit, of messages a trade
        ("on_breach", "<i1", (LATCHES,)),  # LatchLevel
        ("level", "<i1", (LATCHES,)),  # LatchLevel that holds until a RESET_LATCH
        ("is_warned", "<i1", (LATCHES,)),
        ("noted_seq", "<i8"),  # the last command behind which it was to be judged
        ("noted_position", "<i8"),  # in which it had a fill in that command, or NIL
        ("gross_limit", "<i8"),  # minor units of the reporting currency, 0 = none
        ("concentration_limit", "<i8"),  # 1e-6 of the gross exposure, 0 = none
        ("modify_rate", "<i8"),  # limit + 1, 0 = none; so the next
        ("modify_burst", "<i8"),
        ("modify_used", "<i8"),  # 1e-9 tokens taken and not yet back
        ("modify_ts", "<i8"),
        ("fill_bucket_ns", "<i8"),  # a twelfth of the window of fills; 0 = none
        ("message_bucket_ns", "<i8"),  # of messages and trades
        ("message_bucket", "<i8"),  # the newest bucket of both
        ("messages", "<i8", (BUCKETS,)),
        ("trades", "<i8", (BUCKETS,)),
        ("reducers", "<i8"),  # its live reduce-only orders
        ("pad", "<i8", (3,)),
    ]
)
assert WATCH.itemsize == 448
"""What an account's rarer limits need, apart from what every command reads."""

STAKE = np.dtype(
    [
        ("worth", "<i8"),  # where it was valued last, minor units of its account's reporting currency
        ("next", "<i4"),  # in its ring of stakes, idx + 1; 0 in no ring
        ("prev", "<i4"),
    ]
)

DEALING = np.dtype(
    [
        ("bucket", "<i8"),  # the newest
        ("lots", "<i8", (BUCKETS,)),
        ("is_warned", "<i8"),
        ("open_buys", "<i8"),  # notional of the open orders where the exposure is watched, minor units
        ("open_sells", "<i8"),
    ]
)
assert DEALING.itemsize == 128
"""What a position was filled in its account's window (windows.py), and what is open in it."""

ROUND = np.dtype(
    [
        ("at", "<i4"),  # the stake that is valued next, idx + 1; 0: the ring is empty
        ("length", "<i4"),  # stakes in the ring
        ("due", "<i4"),  # so many of them are still to be valued
        ("first", "<i4"),  # of the ring, idx + 1: who comes goes before it
    ]
)
"""The stakes in one currency or instrument, and how far the round is that a change of rate or mark began."""

MEMBER = np.dtype(
    [
        ("group", "<i4"),  # idx + 1 among the accounts; 0: of no group
        ("next", "<i4"),  # in its group, in the order in which they joined, idx + 1
        ("prev", "<i4"),
        ("is_counted", "<i4"),  # its worth and its cash are in its group's worth
        ("cash", "<i8"),  # so much of its own currency is
        ("head", "<i4"),  # of a group: who joined first of its accounts, idx + 1
        ("tail", "<i4"),
    ]
)
assert MEMBER.itemsize == 32
"""Which group an account is of, and of a group its accounts (groups.py)."""
REDUCING = np.dtype(
    [
        ("lots", "<i8"),  # left of its reduce-only orders, all of them on one side
        ("newest", "<i4"),  # of these orders, idx + 1; 0: it has none
        ("pad", "<i4"),
    ]
)

REDUCER = np.dtype(
    [
        ("older", "<i4"),  # the reduce-only order of the position that came before, idx + 1
        ("newer", "<i4"),
    ]
)
"""Zeros where an order is not reduce-only."""
