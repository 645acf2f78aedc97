"""What only reduces is kept so: orders lowered or cancelled that could open a position (exchange rule S21).

    fit_reducing      behind a command that filled a position: its reduce-only orders, newest first
    cancel_opening    where a latch falls to REDUCE_ONLY: orders of an account or group that could open

What is lowered keeps its priority, and REPLACED says with its reason that nobody asked for it.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import commit_open, find_position, holds, notional_of
from engine.trading.kernels.events import replaced
from engine.trading.kernels.exposure import note_open
from engine.trading.kernels.groups import first_member, is_group, next_member
from engine.trading.kernels.levels import best_level, next_level
from engine.trading.kernels.match import withdraw
from engine.trading.kernels.reducing import closable, open_lots
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account, touch_book
from ringbuf.kernel import apart, kernel

NOTHING = np.int64(0)


@apart
def fit_reducing(s, command, position):
    """Lower or cancel the newest reduce-only orders of a position until they fit to what is held."""
    order = np.int64(s.reducings[position].newest) - 1
    if order == NIL:
        return
    most = closable(s, position, np.int64(s.cold[order].side))
    while order != NIL and s.reducings[position].lots > most:  # each round but the last ends an order
        older = np.int64(s.reducers[order].older) - 1
        _take(s, command, order, s.reducings[position].lots - most, codes.REDUCE_ONLY)
        order = older


@apart
def cancel_opening(s, command, holder):
    """Take off what the orders of an account could open, or of each account of a group as they joined."""
    if not is_group(s, holder):
        _cancel_opening_of(s, command, holder)
        return
    account = first_member(s, holder)
    while account != NIL:
        _cancel_opening_of(s, command, account)
        account = next_member(s, account)


@kernel
def _cancel_opening_of(s, command, account):
    """Take off what an account's orders could open, in the order of exchange rule S17.

    In each book the first to trade keep what their side can close of the position.
    """
    for book in range(s.books_used):
        if s.accounts[account].open_orders == 0:
            break
        position = find_position(s, account, book)
        if position != NIL:
            _cancel_opening_side(s, command, book, codes.BUY, position)
            _cancel_opening_side(s, command, book, codes.SELL, position)


@kernel
def _cancel_opening_side(s, command, book, side, position):
    most = closable(s, position, side)
    if open_lots(s, position, side) <= most:
        return
    level = best_level(s, book, side)
    while level != NIL and open_lots(s, position, side) > 0:
        worse = next_level(s, level)
        order = s.levels[level].head
        while order != NIL:
            after = np.int64(s.hot[order].next)
            if s.hot[order].position == position:
                leaves = s.hot[order].leaves
                if leaves > most:
                    _take(s, command, order, leaves - most, codes.REASON_LATCH)
                most -= min(leaves, most)
            order = after
        level = worse


@kernel
def _take(s, command, order, lots, reason):
    """Take lots off a resting order; cancel it where none would be left."""
    touch_book(s, np.int64(s.hot[order].instrument))
    touch_account(s, np.int64(s.hot[order].account))
    if lots >= s.hot[order].leaves:
        withdraw(s, command, order, reason)
        return
    px, leaves = s.hot[order].px, s.hot[order].leaves - lots
    s.levels[s.hot[order].level].qty -= lots
    note_open(s, order, px, leaves, NOTHING)
    held = holds(s, order, notional_of(s, np.int64(s.hot[order].instrument), px, leaves))
    commit_open(s, order, leaves, held)
    old_qty = s.cold[order].qty
    s.cold[order].qty = old_qty - lots
    s.cold[order].rev += 1
    s.events_before += 1  # DONE counts what was cancelled
    replaced(s, command, order, px, old_qty, codes.FLAG_PRIORITY_KEPT, reason)
