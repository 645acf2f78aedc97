"""Watches: for which accounts something is kept beyond what every order needs, and what (exchange rule S21).

    WATCHED_EQUITY    a limit of loss, or a latch of one     equity.py
    WATCHED_EXPOSURE  gross exposure, concentration          exposure.py
    WATCHED_MESSAGES  rate of changes, ratio to trades       messages.py
    WATCHED_FILLS     rate of fills, or its latch            fills.py
    WATCHED_GROUP     of a group                             groups.py
    WATCHED_REDUCING  live reduce-only orders                reducing.py
    WATCHED_MARGIN    an account on margin                   margin.py

Of a group its own limits and latches are kept, and the equity of all its accounts where it needs that.

Where no account is watched and nothing is killed an order meets none of it (state: guard_count).
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.equity import begin_equity, count_member, end_equity, has_equity, uncount_member
from engine.trading.kernels.exposure import begin_exposure, end_exposure
from engine.trading.kernels.groups import first_member, group_of, is_group, next_member
from engine.trading.kernels.margin import is_on_margin
from engine.trading.kernels.rates import has_rate
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.kernels.watch_records import (
    WATCHED_EQUITY,
    WATCHED_EXPOSURE,
    WATCHED_FILLS,
    WATCHED_GROUP,
    WATCHED_MARGIN,
    WATCHED_MESSAGES,
    WATCHED_OPEN,
    WATCHED_REDUCING,
)
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import kernel


@kernel
def wanted_watch(s, account):
    """Return what an account's limits and latches, and its group, need to be kept."""
    wanted = _wanted_of_its_own(s, account)
    group = group_of(s, account)
    if group != NIL:
        wanted |= WATCHED_GROUP | (np.int64(s.accounts[group].is_watched) & WATCHED_EQUITY)
    return wanted


@kernel
def _wanted_of_its_own(s, account):
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
def renew_watch(s, holder):
    """Begin to keep, and stop keeping, what an account's or a group's limits and latches are about now."""
    if not is_group(s, holder):
        _renew_account(s, holder)
        return
    watched = np.int64(s.accounts[holder].is_watched)
    wanted = _wanted_of_its_own(s, holder)
    _set_watch(s, holder, wanted)
    account = first_member(s, holder)
    while account != NIL:
        if watched & ~wanted & WATCHED_EQUITY != 0:
            uncount_member(s, account)
        _renew_account(s, account)
        if wanted & ~watched & WATCHED_EQUITY != 0:
            count_member(s, account)
        account = next_member(s, account)
    if watched & ~wanted & WATCHED_EQUITY != 0:
        _forget_warnings(s, holder)
    if wanted & ~watched & WATCHED_EXPOSURE != 0:
        begin_exposure(s, holder)
    if watched & ~wanted & WATCHED_EXPOSURE != 0:
        end_exposure(s, holder)


@kernel
def _set_watch(s, holder, wanted):
    """Write what is kept of an account or a group, and count those that are watched."""
    change = np.int64(wanted != 0) - np.int64(s.accounts[holder].is_watched != 0)
    s.watch_count += change
    s.guard_count += change
    s.accounts[holder].is_watched = wanted


@kernel
def _forget_warnings(s, holder):
    for latch in range(codes.LATCH_DAILY_LOSS, codes.LATCH_DRAWDOWN_BPS + 1):
        s.watches[holder].is_warned[latch] = 0


@kernel
def _renew_account(s, account):
    watched = np.int64(s.accounts[account].is_watched)
    wanted = wanted_watch(s, account)
    begun, ended = wanted & ~watched, watched & ~wanted
    _set_watch(s, account, wanted)
    if begun & WATCHED_EQUITY != 0:
        begin_equity(s, account)
    if ended & WATCHED_EQUITY != 0:
        end_equity(s, account)
        _forget_warnings(s, account)
    if watched & WATCHED_OPEN == 0 and wanted & WATCHED_OPEN != 0:
        begin_exposure(s, account)
    if watched & WATCHED_OPEN != 0 and wanted & WATCHED_OPEN == 0:
        end_exposure(s, account)


@kernel
def is_measurable(s, holder):
    """Tell whether all that an account or the accounts of a group have, or could get, can be converted."""
    if not is_group(s, holder):
        return _is_account_measurable(s, holder)
    account = first_member(s, holder)
    while account != NIL:
        if not has_equity(s, account) and not _is_account_measurable(s, account):
            return False
        account = next_member(s, account)
    return True


@kernel
def open_money(s, holder):
    """Return what the open orders of an account or a group hold or may bring, whatever the currency.

    Minor units; beyond 2**62 one more than that.
    """
    if not is_group(s, holder):
        return _open_money_of(s, holder, np.int64(0))
    money = np.int64(0)
    account = first_member(s, holder)
    while account != NIL:
        money = _open_money_of(s, account, money)
        account = next_member(s, account)
    return money


@kernel
def _open_money_of(s, account, money):
    """Add what the open orders of an account hold or may bring to an amount; see `open_money`."""
    for currency in range(s.currencies_used):
        money = min(money + s.balances[currency, account].reserved, np.int64(MONEY_MAX + 1))
        money = min(money + s.balances[currency, account].selling, np.int64(MONEY_MAX + 1))
    return money


@kernel
def _is_account_measurable(s, account):
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
