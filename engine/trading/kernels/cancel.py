"""CANCEL, MASS_CANCEL and the end of the session: orders leave on request.

Cancels pass whatever the phase or the limits say (exchange rule S3). Orders that leave
together do so by instrument, bids before asks, best to worst, first in first out (exchange rule S17).
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import find_position
from engine.trading.kernels.events import done, rejected
from engine.trading.kernels.groups import group_of, is_group
from engine.trading.kernels.identity import find_order, live_asked
from engine.trading.kernels.levels import best_level, next_level
from engine.trading.kernels.match import withdraw
from engine.trading.kernels.messages import count_cancel
from engine.trading.kernels.reducing import open_lots
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account, touch_book
from engine.trading.kernels.validate import check_operator, check_trader
from engine.trading.records import ALL_INSTRUMENTS
from ringbuf.kernel import apart, inlined, kernel

BOTH_SIDES = np.int64(0)
ANY_TIF = np.int64(0)


@inlined
def own_order(s, command, account):
    """Return the live order of this account that the command names by either id, or NIL."""
    if command["order_id"] != 0:
        order = find_order(s, command["order_id"])
        if order != NIL and s.hot[order].account != account:
            return NIL
        return order
    if command["client_order_id"] <= 0:
        return NIL
    return live_asked(s, account, command["client_order_id"])


@kernel
def apply_cancel(s, command):
    """Apply a CANCEL: CANCELLED or REJECTED."""
    reason, account = check_trader(s, command)
    order = NIL
    if reason == codes.OK and s.watch_count != 0 and s.accounts[account].is_watched != 0:
        count_cancel(s, account)
    if reason == codes.OK:
        order = own_order(s, command, account)
        if order == NIL:
            reason = codes.UNKNOWN_ORDER
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    touch_book(s, np.int64(s.hot[order].instrument))
    touch_account(s, account)
    withdraw(s, command, order, codes.REASON_USER)


@kernel
def apply_mass_cancel(s, command):
    """Apply a MASS_CANCEL: a CANCELLED per order of the account, then DONE."""
    reason, account = check_trader(s, command)
    only = np.int64(command["instrument"])
    side = np.int64(command["side"])
    if reason == codes.OK and only != ALL_INSTRUMENTS and (only < 0 or only >= s.books_used):
        reason = codes.UNKNOWN_INSTRUMENT
    if reason == codes.OK and (side < 0 or side > codes.SELL):
        reason = codes.INVALID_SIDE
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    first = only if only != ALL_INSTRUMENTS else 0
    end = only + 1 if only != ALL_INSTRUMENTS else s.books_used
    _cancel_within(s, command, account, first, end, side, codes.REASON_MASS)
    done(s, command, only)


@apart
def cancel_account(s, command, account, reason):
    """Cancel every order of an account."""
    _cancel_within(s, command, account, np.int64(0), s.books_used, BOTH_SIDES, reason)


@apart
def cancel_holder(s, command, holder, reason):
    """Cancel every order of an account, or of all accounts of a group."""
    if not is_group(s, holder):
        cancel_account(s, command, holder, reason)
        return
    for book in range(s.books_used):
        if s.accounts[holder].open_orders == 0:
            break
        position = find_position(s, holder, book)
        if position != NIL:
            _cancel_side(s, command, book, codes.BUY, position, holder, reason)
            _cancel_side(s, command, book, codes.SELL, position, holder, reason)


@kernel
def _cancel_within(s, command, account, first, end, side, reason):
    """Cancel an account's orders in the books from `first` to before `end`, on one side or on both."""
    for book in range(first, end):
        if s.accounts[account].open_orders == 0:
            break
        position = find_position(s, account, book)
        if position == NIL:
            continue
        if side != codes.SELL:
            _cancel_side(s, command, book, codes.BUY, position, NIL, reason)
        if side != codes.BUY:
            _cancel_side(s, command, book, codes.SELL, position, NIL, reason)


@kernel
def _cancel_side(s, command, book, side, position, group, reason):
    """Cancel the orders of one position on one side; stop after the last.

    group : NIL; or the position is this group's, and the orders are those of its accounts
    """
    level = best_level(s, book, side)
    while level != NIL and open_lots(s, position, side) > 0:
        worse = next_level(s, level)
        order = s.levels[level].head
        while order != NIL:
            after = np.int64(s.hot[order].next)
            is_its = s.hot[order].position == position
            if group != NIL:
                is_its = group_of(s, np.int64(s.hot[order].account)) == group
            if is_its:
                touch_book(s, book)
                touch_account(s, np.int64(s.hot[order].account))
                withdraw(s, command, order, reason)
            order = after
        level = worse


@kernel
def apply_session_end(s, command):
    """Apply a SESSION_END: every DAY order is cancelled."""
    reason = check_operator(command)
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    for book in range(s.books_used):
        cancel_book(s, command, book, codes.DAY, codes.REASON_DAY)
    done(s, command, NIL)


@apart
def cancel_book(s, command, book, only_tif, reason):
    """Cancel every order of a book; ANY_TIF, or those of one time in force alone."""
    _cancel_whole_side(s, command, book, codes.BUY, only_tif, reason)
    _cancel_whole_side(s, command, book, codes.SELL, only_tif, reason)


@kernel
def _cancel_whole_side(s, command, book, side, only_tif, reason):
    level = best_level(s, book, side)
    while level != NIL:
        worse = next_level(s, level)
        order = s.levels[level].head
        while order != NIL:
            after = np.int64(s.hot[order].next)
            if only_tif == ANY_TIF or s.cold[order].time_in_force == only_tif:
                touch_book(s, book)
                touch_account(s, np.int64(s.hot[order].account))
                withdraw(s, command, order, reason)
            order = after
        level = worse
