"""Equity of the accounts that are watched: what their money and positions are worth (exchange rule S21).

    equity = cash + sum(qty * mark), each position at the mark it was last valued at

An account is watched while it has a limit of loss, or a latch of one. A position of it is valued at each
of its fills and where the sweep comes by (sweep.py), at the mark of that moment: the instrument's mark, or
its last trade where it has none. The sum of all is kept running, in two words of 32 bits each, so that
it is exact whatever it passes on the way.

    rounds[book].at -> stakes of the instrument's watched positions, a ring in the order in which they came

A change of the mark makes all of the ring due. What comes to the ring later is valued as it comes, what is
passed is due no more; so `due` may name one too many, never one too few.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import notional_of
from engine.trading.kernels.risk import reference_px
from engine.trading.kernels.state import INSTRUMENT_MASK, LATCHES, NIL, ROUND_BITS
from engine.trading.kernels.touch import touch_account
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import apart, kernel

WORTH_BITS = np.int64(32)
WORTH_MASK = np.int64(2**32 - 1)
LARGEST_HIGH = np.int64(MONEY_MAX >> 32)
NOTHING = np.int64(0)
UNBOUNDED = np.int64(MONEY_MAX + 1)
"""Stands for a worth that passes 2**62: it is in no sum, and breaches whatever it feeds."""


@kernel
def worth_of(s, position):
    """Return what a position is worth at the mark of this moment, minor units; beyond 2**62 UNBOUNDED."""
    book = s.positions[position].key & INSTRUMENT_MASK
    px, qty = reference_px(s, book), s.positions[position].qty
    if abs(qty) <= s.books[book].max_qty:  # the product is exact (exchange rule S1)
        return notional_of(s, book, px, qty)
    unit = px * s.books[book].scale
    if unit != 0 and abs(qty) > MONEY_MAX // unit:
        return UNBOUNDED
    return unit * qty


@kernel
def value_position(s, position, account):
    """Value a position of a watched account at the mark of this moment; touch the account if that differs."""
    worth = worth_of(s, position)
    if worth != s.stakes[position].worth:
        touch_account(s, account)
        _count_worth(s, account, s.stakes[position].worth, np.int64(-1))
        _count_worth(s, account, worth, np.int64(1))
        s.stakes[position].worth = worth


@kernel
def _count_worth(s, account, worth, times):
    """Add a worth to the account's sum, or take it away (times -1)."""
    if worth == UNBOUNDED:
        s.watches[account].unbounded += times
        return
    s.watches[account].worth_high += times * (worth >> WORTH_BITS)
    s.watches[account].worth_low += times * (worth & WORTH_MASK)


@kernel
def equity_of(s, account):
    """Return (equity, minor units of the reporting currency; whether it and all it sums are within 2**62)."""
    cash = s.balances[s.watches[account].reporting, account].total
    low = s.watches[account].worth_low + (cash & WORTH_MASK)
    high = s.watches[account].worth_high + (cash >> WORTH_BITS) + (low >> WORTH_BITS)
    low &= WORTH_MASK
    if high > LARGEST_HIGH or (high == LARGEST_HIGH and low != 0):
        return np.int64(MONEY_MAX), False
    if high < -LARGEST_HIGH:
        return np.int64(-MONEY_MAX), False
    return (high << WORTH_BITS) + low, s.watches[account].unbounded == 0


@kernel
def is_measurable(s, account):
    """Tell whether all that an account has, or could get by open orders, is in its reporting currency."""
    reporting = s.watches[account].reporting
    for currency in range(s.currencies_used):
        if currency != reporting and s.balances[currency, account].total != 0:
            return False
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:  # once for each of its instruments
        quote = s.books[s.positions[position].key & INSTRUMENT_MASK].quote
        is_used = s.positions[position].qty | s.positions[position].open_buy | s.positions[position].open_sell
        if quote != reporting and is_used != 0:
            return False
        position = np.int64(s.positions[position].account_next) - 1
    return True


@kernel
def watch(s, account):
    """Begin to keep an account's equity, where it is not kept: every position is valued now."""
    if s.accounts[account].is_watched != 0:
        return
    s.accounts[account].is_watched = 1
    s.watch_count += 1
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        join_round(s, position, account)
        position = np.int64(s.positions[position].account_next) - 1


@kernel
def unwatch_idle(s, account):
    """Stop keeping an account's equity if it has no limit of loss and no latch of one."""
    if s.accounts[account].is_watched == 0:
        return
    for latch in range(LATCHES):
        if s.watches[account].limit[latch] != 0 or s.watches[account].level[latch] != codes.LEVEL_NONE:
            return
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        _leave_round(s, position)
        position = np.int64(s.positions[position].account_next) - 1
    s.accounts[account].is_watched = 0
    s.watch_count -= 1
    s.watches[account].worth_high = 0
    s.watches[account].worth_low = 0
    s.watches[account].unbounded = 0
    for latch in range(LATCHES):
        s.watches[account].is_warned[latch] = 0


@apart
def join_round(s, position, account):
    """Put a position of a watched account into its instrument's ring, the last in it, and value it."""
    book = s.positions[position].key & INSTRUMENT_MASK
    first = np.int64(s.rounds[book].first) - 1
    if first == NIL:
        s.rounds[book].first = position + 1
        s.rounds[book].at = position + 1
        s.stakes[position].next = position + 1
        s.stakes[position].prev = position + 1
    else:
        last = np.int64(s.stakes[first].prev) - 1
        s.stakes[position].next = first + 1
        s.stakes[position].prev = last + 1
        s.stakes[last].next = position + 1
        s.stakes[first].prev = position + 1
    s.rounds[book].length += 1
    if s.rounds[book].due > 0:  # it stands between the round and those who are still due
        s.rounds[book].due += 1
    value_position(s, position, account)


@kernel
def _leave_round(s, position):
    """Take a position out of its instrument's ring."""
    book = s.positions[position].key & INSTRUMENT_MASK
    before, after = np.int64(s.stakes[position].prev) - 1, np.int64(s.stakes[position].next) - 1
    s.stakes[before].next = after + 1
    s.stakes[after].prev = before + 1
    s.rounds[book].length -= 1
    is_empty = s.rounds[book].length == 0
    if s.rounds[book].at == position + 1:
        s.rounds[book].at = 0 if is_empty else after + 1
    if s.rounds[book].first == position + 1:
        s.rounds[book].first = 0 if is_empty else after + 1
    s.stakes[position].worth = 0
    s.stakes[position].next = 0
    s.stakes[position].prev = 0
    if s.rounds[book].due > s.rounds[book].length:
        set_due(s, book, np.int64(s.rounds[book].length))


@apart
def note_mark(s, book):
    """Make every stake in an instrument due: its mark has changed."""
    if s.rounds[book].length != 0:
        set_due(s, book, np.int64(s.rounds[book].length))


@kernel
def set_due(s, book, due):
    """Write down how many stakes of an instrument's ring are due, and whether its round is under way."""
    word, bit = book // ROUND_BITS, np.int64(1) << (book % ROUND_BITS)
    if due != 0 and s.rounds[book].due == 0:
        s.rounds_due += 1
        s.round_bits[word] |= bit
    elif due == 0 and s.rounds[book].due != 0:
        s.rounds_due -= 1
        s.round_bits[word] &= ~bit
    s.rounds[book].due = due


@apart
def note_trade(s, taker, maker):
    """Value the positions of both sides of a fill; note their accounts to be judged behind the command."""
    _note_fill(s, taker)
    _note_fill(s, maker)


@kernel
def _note_fill(s, order):
    account = np.int64(s.hot[order].account)
    if s.accounts[account].is_watched == 0:
        return
    value_position(s, np.int64(s.hot[order].position), account)
    if s.watches[account].noted_seq != s.seq:
        s.watches[account].noted_seq = s.seq
        s.noted[s.noted_count] = account
        s.noted_count += 1
