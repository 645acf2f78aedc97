"""Watches: for which accounts something is kept beyond what every order needs, and what (exchange rule S21).

    WATCHED_EQUITY    a limit of loss, or a latch of one     equity.py
    WATCHED_EXPOSURE  gross exposure, concentration          exposure.py
    WATCHED_MESSAGES  rate of changes, ratio to trades       messages.py
    WATCHED_FILLS     rate of fills, or its latch            fills.py
    WATCHED_REDUCING  live reduce-only orders                reducing.py
    WATCHED_MARGIN    an account on margin                   margin.py

Where no account is watched and nothing is killed an order meets none of it (state: guard_count).
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.equity import begin_equity, end_equity
from engine.trading.kernels.exposure import begin_exposure, end_exposure
from engine.trading.kernels.margin import is_on_margin
from engine.trading.kernels.rates import has_rate
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.kernels.watch_records import (
    WATCHED_EQUITY,
    WATCHED_EXPOSURE,
    WATCHED_FILLS,
    WATCHED_MARGIN,
    WATCHED_MESSAGES,
    WATCHED_OPEN,
    WATCHED_REDUCING,
)
from ringbuf.kernel import kernel


@kernel
def wanted_watch(s, account):
    """Return what an account's limits and latches need to be kept."""
    wanted = np.int64(0)
    for latch in range(codes.LATCH_DAILY_LOSS, codes.LATCH_DRAWDOWN_BPS + 1):
        if s.watches[account].limit[latch] != 0 or s.watches[account].level[latch] != codes.LEVEL_NONE:
            wanted |= WATCHED_EQUITY
    if s.watches[account].gross_limit != 0 or s.watches[account].concentration_limit != 0:
        wanted |= WATCHED_EXPOSURE
    if s.watches[account].modify_rate != 0 or s.watches[account].limit[codes.LATCH_RATIO] != 0:
        wanted |= WATCHED_MESSAGES
    fills = codes.LATCH_FILL_RATE
    if s.watches[account].limit[fills] != 0 or s.watches[account].level[fills] != codes.LEVEL_NONE:
        wanted |= WATCHED_FILLS
    if s.watches[account].reducers != 0:
        wanted |= WATCHED_REDUCING
    if is_on_margin(s, account):
        wanted |= WATCHED_MARGIN | WATCHED_EQUITY
    if s.watches[account].level[codes.LATCH_MAINTENANCE] != codes.LEVEL_NONE:
        wanted |= WATCHED_EQUITY
    return wanted


@kernel
def renew_watch(s, account):
    """Begin to keep, and stop keeping, what an account's limits and latches are about now."""
    watched = np.int64(s.accounts[account].is_watched)
    wanted = wanted_watch(s, account)
    begun, ended = wanted & ~watched, watched & ~wanted
    change = np.int64(wanted != 0) - np.int64(watched != 0)
    s.watch_count += change
    s.guard_count += change
    s.accounts[account].is_watched = wanted
    if begun & WATCHED_EQUITY != 0:
        begin_equity(s, account)
    if ended & WATCHED_EQUITY != 0:
        end_equity(s, account)
        for latch in range(codes.LATCH_DAILY_LOSS, codes.LATCH_DRAWDOWN_BPS + 1):
            s.watches[account].is_warned[latch] = 0
    if watched & WATCHED_OPEN == 0 and wanted & WATCHED_OPEN != 0:
        begin_exposure(s, account)
    if watched & WATCHED_OPEN != 0 and wanted & WATCHED_OPEN == 0:
        end_exposure(s, account)


@kernel
def is_measurable(s, account):
    """Tell whether all that an account has, or could get by open orders, can be converted."""
    reporting = s.watches[account].reporting
    for currency in range(s.currencies_used):
        if s.balances[currency, account].total != 0 and not has_rate(s, currency, reporting):
            return False
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:  # once for each of its instruments
        quote = s.books[s.positions[position].key & INSTRUMENT_MASK].quote
        is_used = s.positions[position].qty | s.positions[position].open_buy | s.positions[position].open_sell
        if is_used != 0 and not has_rate(s, quote, reporting):
            return False
        position = np.int64(s.positions[position].account_next) - 1
    return True
