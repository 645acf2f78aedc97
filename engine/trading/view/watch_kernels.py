"""Copies of an account's limits, and of what is measured by them, for account_kernels.copy_account."""

from typing import Any

import numpy as np

from engine.trading.kernels.equity import equity_of
from engine.trading.kernels.exposure import exposure_now
from engine.trading.kernels.latches import allowed_by, measured_by
from engine.trading.kernels.margin import INITIAL, MAINTENANCE, is_on_margin, margin_in_use
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.kernels.watch_records import LATCHES, WATCHED_EQUITY, WATCHED_EXPOSURE
from engine.trading.view.book_kernels import Ints
from ringbuf.njit import njit

WATCH_HEADS = (
    *("open_orders_limit", "position_limit", "rate_limit", "burst_limit"),
    *("watched", "reporting", "equity", "is_bounded", "peak", "day_start"),
    *("gross_limit", "concentration_limit", "gross", "part", "part_instrument"),
    *("modify_rate", "modify_burst", "fill_bucket_ns", "message_bucket_ns", "group"),
    *("is_on_margin", "initial_margin", "maintenance_margin"),
)
"""What is copied of an account, as state.ACCOUNT and WATCH have it; gross exposure and its largest part; the
number of its group, 0 for none; the margins in use, which may be UNBOUNDED."""
LATCH_COLUMNS = ("limit", "level", "is_warned", "on_breach", "measured", "allowed", "instrument")
"""Columns of a copied limit that latches; the rows are the Latches."""


def room_for_watch() -> tuple[Ints, Ints]:
    """Return arrays for what is copied of an account's limits: heads, latches."""
    return np.zeros(len(WATCH_HEADS), np.int64), np.zeros((LATCHES, len(LATCH_COLUMNS)), np.int64)


@njit
def copy_watch(s: Any, account: int, heads: Ints, latches: Ints) -> None:
    """Copy what holds for the account at index `account`.

    heads   : int64[WATCH_HEADS], out
    latches : int64[LATCHES, LATCH_COLUMNS], out; measured and allowed are 0 without limit and latch
    """
    watch, holds = s.watches[account], s.accounts[account]
    heads[0], heads[1] = holds.open_orders_limit, holds.position_limit
    heads[2], heads[3] = holds.rate_limit, holds.burst_limit
    heads[4], heads[5] = holds.is_watched, watch.reporting
    if heads[4] & WATCHED_EQUITY != 0:
        heads[6], heads[7] = equity_of(s, account)
        heads[8], heads[9] = watch.peak, watch.day_start
    heads[10], heads[11] = watch.gross_limit, watch.concentration_limit
    if heads[4] & WATCHED_EXPOSURE != 0:
        heads[12], heads[13], heads[14] = exposure_now(s, account)
    heads[15], heads[16] = watch.modify_rate, watch.modify_burst
    heads[17], heads[18] = watch.fill_bucket_ns, watch.message_bucket_ns
    group = np.int64(s.members[account].group) - 1
    heads[19] = -s.accounts[group].account if 0 <= group < len(s.accounts) else 0
    heads[20] = is_on_margin(s, account)
    heads[21] = margin_in_use(s, account, INITIAL)
    heads[22] = margin_in_use(s, account, MAINTENANCE)
    for latch in range(latches.shape[0]):
        latches[latch, :] = 0
        if watch.limit[latch] == 0 and watch.level[latch] == 0 and watch.is_warned[latch] == 0:
            continue
        measured, position = measured_by(s, account, latch)
        latches[latch, 0] = watch.limit[latch]
        latches[latch, 1] = watch.level[latch]
        latches[latch, 2] = watch.is_warned[latch]
        latches[latch, 3] = watch.on_breach[latch]
        latches[latch, 4] = measured
        latches[latch, 5] = allowed_by(s, account, latch)
        latches[latch, 6] = s.positions[position].key & INSTRUMENT_MASK if position != NIL else NIL
