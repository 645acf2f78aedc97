"""KILL and RESET_LATCH: the kill switch of an order, an account, an instrument or the venue.

Exchange rule S22: a kill blocks every NEW of its scope and cancels all its orders, in the order of exchange
rule S17, within one command. So no live order is ever in what is killed: whatever comes later is refused at
step 8 of exchange rule S3. Kills hold each by itself: an account killed under a venue that was killed stays
so when the venue's is lifted.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import find_account, find_position
from engine.trading.kernels.cancel import cancel_all, cancel_side
from engine.trading.kernels.events import latched, rejected
from engine.trading.kernels.identity import find_order
from engine.trading.kernels.match import withdraw
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account, touch_book
from engine.trading.records import COMMAND_VERSION
from ringbuf.kernel import kernel

HELD, LIFTED = np.int64(1), np.int64(0)


@kernel
def apply_kill(s, command):
    """Apply a KILL: a CANCELLED per order of its scope, then LATCHED; of an order its CANCELLED alone."""
    scope = command["value"]
    reason = _check_role(command, codes.ROLE_OPERATOR | codes.ROLE_TRADER)
    place = NIL
    if reason == codes.OK:
        reason, place = _find(s, command, scope)
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    if scope == codes.KILL_ORDER:
        touch_book(s, np.int64(s.hot[place].instrument))
        touch_account(s, np.int64(s.hot[place].account))
        withdraw(s, command, place, codes.REASON_ADMIN)
        return
    _set(s, scope, place, HELD)
    if scope == codes.KILL_ACCOUNT:
        _cancel_account(s, command, place)
    elif scope == codes.KILL_INSTRUMENT:
        cancel_all(s, command, place, codes.REASON_LATCH)
    else:
        for book in range(s.books_used):
            cancel_all(s, command, book, codes.REASON_LATCH)
    latched(s, command, _instrument_of(scope, place), codes.LEVEL_BLOCK)


@kernel
def apply_reset_latch(s, command):
    """Apply a RESET_LATCH: LATCHED without a level; where nothing is latched it is refused."""
    scope = command["value"]
    reason = _check_role(command, codes.ROLE_OPERATOR)
    place = NIL
    if reason == codes.OK and scope == codes.KILL_ORDER:
        reason = codes.INVALID_FIELD
    if reason == codes.OK:
        reason, place = _find(s, command, scope)
    if reason == codes.OK and not _is_set(s, scope, place):
        reason = codes.NOT_LATCHED
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    _set(s, scope, place, LIFTED)
    latched(s, command, _instrument_of(scope, place), codes.LEVEL_NONE)


@kernel
def _check_role(command, roles):
    """Steps 1 and 2: an instrument or the venue is an operator's; of an account its door has made sure."""
    if command["version"] != COMMAND_VERSION:
        return codes.BAD_VERSION
    scope = command["value"]
    if scope != codes.KILL_ORDER and scope != codes.KILL_ACCOUNT:
        roles = codes.ROLE_OPERATOR
    return codes.OK if command["roles"] & roles else codes.NOT_PERMITTED


@kernel
def _find(s, command, scope):
    """Return (reason, index of the order, account or instrument that the command names)."""
    place = NIL
    if scope == codes.KILL_ORDER:
        place = find_order(s, command["order_id"])
        return (codes.OK if place != NIL else codes.UNKNOWN_ORDER), place
    if scope == codes.KILL_ACCOUNT:
        place = find_account(s, command["account"])
        return (codes.OK if place != NIL else codes.UNKNOWN_ACCOUNT), place
    if scope == codes.KILL_INSTRUMENT:
        place = np.int64(command["instrument"])
        is_known = place >= 0 and place < s.books_used
        return (codes.OK if is_known else codes.UNKNOWN_INSTRUMENT), place
    return (codes.OK if scope == codes.KILL_VENUE else codes.INVALID_FIELD), place


@kernel
def _instrument_of(scope, place):
    """Return the instrument that an event of this scope is about, NIL for none."""
    return place if scope == codes.KILL_INSTRUMENT else NIL


@kernel
def _is_set(s, scope, place):
    if scope == codes.KILL_ACCOUNT:
        return s.accounts[place].is_killed != 0
    if scope == codes.KILL_INSTRUMENT:
        return s.books[place].is_killed != 0
    return s.is_venue_killed != 0


@kernel
def _set(s, scope, place, value):
    """Let a kill hold, or not any more, and count those that do."""
    s.kill_count += value - np.int64(_is_set(s, scope, place))
    if scope == codes.KILL_ACCOUNT:
        touch_account(s, place)
        s.accounts[place].is_killed = value
    elif scope == codes.KILL_INSTRUMENT:
        touch_book(s, place)
        s.books[place].is_killed = value
    else:
        s.is_venue_killed = value


@kernel
def _cancel_account(s, command, account):
    """Cancel every order of an account."""
    for book in range(s.books_used):
        if s.accounts[account].open_orders == 0:
            break
        position = find_position(s, account, book)
        if position != NIL:
            cancel_side(s, command, book, codes.BUY, position, codes.REASON_LATCH)
            cancel_side(s, command, book, codes.SELL, position, codes.REASON_LATCH)
