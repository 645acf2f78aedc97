"""Fills: what a trade means for the watched accounts of its two sides; how fast an account is filled.

The rate of fills is measured by position: lots within the account's window (exchange rule S21, market
maker protection). In a LATCHED both it and its limit are in 1e-9 of the instrument's unit, as max_position.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import find_position, notional_of
from engine.trading.kernels.equity import renew_cash, value_cash, value_position
from engine.trading.kernels.exposure import add_open
from engine.trading.kernels.groups import add_held, add_open_notional, count_group_open, group_of
from engine.trading.kernels.messages import count_trade, note_account
from engine.trading.kernels.rule_windows import count_trade_of_rules
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.kernels.touch import touch_account
from engine.trading.kernels.watch_records import (
    BUCKETS,
    WATCHED_EQUITY,
    WATCHED_EXPOSURE,
    WATCHED_FILLS,
    WATCHED_GROUP,
    WATCHED_MESSAGES,
    WATCHED_OPEN,
    WATCHED_REDUCING,
)
from engine.trading.kernels.windows import advance, total_in
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import apart, kernel


@apart
def note_trade(s, taker, maker, qty):
    """Tell the watches of both sides of a fill of it, and the windows of rules.

    The accounts that are watched are judged behind the command.
    """
    if s.watch_count != 0:
        is_own = s.hot[taker].position == s.hot[maker].position  # then neither holds more or less
        _note_fill(s, taker, qty, is_own)
        _note_fill(s, maker, qty, is_own)
    if s.governing != 0:
        count_trade_of_rules(s, taker, maker, qty)


@kernel
def _note_fill(s, order, qty, is_own):
    account = np.int64(s.hot[order].account)
    watched = np.int64(s.accounts[account].is_watched)
    if watched == 0:
        return
    book, position = np.int64(s.hot[order].instrument), np.int64(s.hot[order].position)
    if watched & WATCHED_OPEN != 0:
        add_open(s, order, -notional_of(s, book, s.hot[order].px, qty))
    if watched & WATCHED_MESSAGES != 0:
        count_trade(s, account)
    if watched & WATCHED_FILLS != 0:
        _count_fill(s, account, position, qty)
    if watched & WATCHED_EQUITY != 0:
        value_position(s, position, account)
        quote = s.books[book].quote
        if quote != s.watches[account].reporting:
            value_cash(s, quote, account)
    if watched & WATCHED_REDUCING != 0 and s.cold[order].reduce_only != 0:
        s.reducings[position].lots -= qty
    if watched & (WATCHED_FILLS | WATCHED_EQUITY | WATCHED_REDUCING) != 0:
        note_account(s, account)
        s.watches[account].noted_position = position
    if watched & WATCHED_GROUP != 0:
        _note_group_fill(s, order, qty, is_own)


@kernel
def _note_group_fill(s, order, qty, is_own):
    """Tell the group of an order's account of a fill of it."""
    account, book, side = (
        np.int64(s.hot[order].account),
        np.int64(s.hot[order].instrument),
        s.cold[order].side,
    )
    group = group_of(s, account)
    watched = np.int64(s.accounts[group].is_watched)
    place = find_position(s, group, book)
    touch_account(s, group)
    if side == codes.BUY:
        s.positions[place].open_buy -= qty
    else:
        s.positions[place].open_sell -= qty
    if s.hot[order].leaves == 0:
        count_group_open(s, group, place, order, np.int64(-1))
    if not is_own:
        held = s.positions[s.hot[order].position].qty
        add_held(s, place, held - qty if side == codes.BUY else held + qty, held)
    if watched & WATCHED_EXPOSURE != 0:
        add_open_notional(s, place, np.int64(side), -notional_of(s, book, s.hot[order].px, qty))
    if watched & WATCHED_MESSAGES != 0:
        count_trade(s, group)
    if watched & WATCHED_FILLS != 0:
        _count_fill(s, group, place, qty)
    if s.members[account].is_counted != 0:
        renew_cash(s, account)
    if watched & (WATCHED_FILLS | WATCHED_EQUITY) != 0:
        note_account(s, group)
        s.watches[group].noted_position = place


@kernel
def _count_fill(s, account, position, qty):
    if s.watches[account].limit[codes.LATCH_FILL_RATE] == 0:  # what it latched is still to be lifted
        return
    now = s.eng_ts // s.watches[account].fill_bucket_ns
    advance(s.dealings[position].lots, s.dealings[position].bucket, now)
    s.dealings[position].bucket = now
    s.dealings[position].lots[now % BUCKETS] += qty


@kernel
def filled_in(s, account, position):
    """Return what a position was filled within its account's window, in 1e-9 of its unit; 2**62 at most."""
    now = s.eng_ts // s.watches[account].fill_bucket_ns
    lots = total_in(s.dealings[position].lots, s.dealings[position].bucket, now)
    lot_nano = s.books[s.positions[position].key & INSTRUMENT_MASK].lot_nano
    return np.int64(MONEY_MAX) if lots > MONEY_MAX // lot_nano else lots * lot_nano


@kernel
def fastest_filled(s, account):
    """Return the position of an account that was filled most within the window, or NIL; and how much."""
    fastest, most = NIL, np.int64(0)
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        filled = filled_in(s, account, position)
        if filled > most:
            fastest, most = position, filled
        position = np.int64(s.positions[position].account_next) - 1
    return fastest, most


@kernel
def forget_warnings(s, account):
    """Forget which positions of an account a warning was given of."""
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        s.dealings[position].is_warned = 0
        position = np.int64(s.positions[position].account_next) - 1


@kernel
def forget_fills(s, account):
    """Empty the windows of an account's positions, and forget their warnings."""
    forget_warnings(s, account)
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        s.dealings[position].bucket = 0
        for bucket in range(BUCKETS):
            s.dealings[position].lots[bucket] = 0
        position = np.int64(s.positions[position].account_next) - 1
