"""KILL and RESET_LATCH: the kill switch of an order, an account, a group, an instrument or the venue.

Exchange rule S22: a kill blocks every NEW of its scope and cancels all its orders, in the order of exchange
rule S17, within one command. So no live order is ever in what is killed: whatever comes later is refused at
step 8 of exchange rule S3. Kills hold each by itself: an account killed under a venue that was killed stays
so when the venue's is lifted. RESET_LATCH lifts what an account's limits latched, too (latches.py).
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import find_account
from engine.trading.kernels.cancel import ANY_TIF, cancel_book, cancel_holder
from engine.trading.kernels.events import latched, rejected
from engine.trading.kernels.groups import find_group
from engine.trading.kernels.identity import find_order
from engine.trading.kernels.latches import FIRST_LIMIT, LAST_LIMIT, is_breached, lift
from engine.trading.kernels.match import withdraw
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account, touch_book
from engine.trading.kernels.watch import renew_watch
from engine.trading.records import COMMAND_VERSION, Latch
from ringbuf.kernel import kernel

HELD, NOT_HELD = np.int64(1), np.int64(0)
LAST_LATCH = np.int64(max(Latch))


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
    before = s.event_count
    if _is_holder(scope):
        cancel_holder(s, command, place, codes.REASON_LATCH)
    elif scope == codes.KILL_INSTRUMENT:
        cancel_book(s, command, place, ANY_TIF, codes.REASON_LATCH)
    else:
        for book in range(s.books_used):
            cancel_book(s, command, book, ANY_TIF, codes.REASON_LATCH)
    _tell(s, command, scope, place, codes.LEVEL_BLOCK, s.event_count - before)


@kernel
def apply_reset_latch(s, command):
    """Apply a RESET_LATCH: a LATCHED without a level for each that is lifted; where none is, a refusal.

    Of an account or a group it may name one Latch; without, its kill and all its limits' latches are lifted
    together, or none of them.
    """
    scope = command["value"]
    asked = np.int64(command["side"])
    reason = _check_role(command, codes.ROLE_OPERATOR)
    place = NIL
    if reason == codes.OK and (scope == codes.KILL_ORDER or asked < 0 or asked > LAST_LATCH):
        reason = codes.INVALID_FIELD
    if reason == codes.OK and not _is_holder(scope) and asked != codes.LATCH_ALL:
        reason = codes.INVALID_FIELD
    if reason == codes.OK:
        reason, place = _find(s, command, scope)
    is_rebased = command["flags"] & codes.FLAG_REBASE != 0
    if reason == codes.OK:
        reason = _check_lift(s, scope, place, asked, is_rebased)
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    if _is_asked(asked, codes.LATCH_KILL) and _is_set(s, scope, place):
        _set(s, scope, place, NOT_HELD)
        _tell(s, command, scope, place, codes.LEVEL_NONE, np.int64(0))
    if _is_holder(scope):
        for latch in range(FIRST_LIMIT, LAST_LIMIT + 1):
            if _is_asked(asked, latch) and s.watches[place].level[latch] != codes.LEVEL_NONE:
                lift(s, command, place, latch, is_rebased)
        renew_watch(s, place)


@kernel
def _check_lift(s, scope, place, asked, is_rebased):
    """Tell whether something asked for is latched, and no limit of it is reached as it is measured now."""
    is_any = _is_asked(asked, codes.LATCH_KILL) and _is_set(s, scope, place)
    if _is_holder(scope):
        for latch in range(FIRST_LIMIT, LAST_LIMIT + 1):
            if _is_asked(asked, latch) and s.watches[place].level[latch] != codes.LEVEL_NONE:
                is_any = True
                is_measured_anew = is_rebased and latch != codes.LATCH_MAINTENANCE
                if not is_measured_anew and is_breached(s, place, latch):
                    return codes.STILL_BREACHED
    return codes.OK if is_any else codes.NOT_LATCHED


@kernel
def _is_holder(scope):
    """Tell whether a scope is one that has limits: an account or a group."""
    return scope == codes.KILL_ACCOUNT or scope == codes.KILL_GROUP


@kernel
def _is_asked(asked, latch):
    return asked == codes.LATCH_ALL or asked == latch


@kernel
def _check_role(command, roles):
    """Steps 1 and 2: of an order or an account its door has made sure; the rest is an operator's."""
    if command["version"] != COMMAND_VERSION:
        return codes.BAD_VERSION
    scope = command["value"]
    if scope != codes.KILL_ORDER and scope != codes.KILL_ACCOUNT:
        roles = codes.ROLE_OPERATOR
    return codes.OK if command["roles"] & roles else codes.NOT_PERMITTED


@kernel
def _find(s, command, scope):
    """Return (reason, index of the order, account, group or instrument that the command names)."""
    place = NIL
    if scope == codes.KILL_ORDER:
        place = find_order(s, command["order_id"])
        return (codes.OK if place != NIL else codes.UNKNOWN_ORDER), place
    if scope == codes.KILL_ACCOUNT:
        place = find_account(s, command["account"])
        return (codes.OK if place != NIL else codes.UNKNOWN_ACCOUNT), place
    if scope == codes.KILL_GROUP:
        place = find_group(s, command["account"])
        return (codes.OK if place != NIL else codes.UNKNOWN_GROUP), place
    if scope == codes.KILL_INSTRUMENT:
        place = np.int64(command["instrument"])
        is_known = place >= 0 and place < s.books_used
        return (codes.OK if is_known else codes.UNKNOWN_INSTRUMENT), place
    return (codes.OK if scope == codes.KILL_VENUE else codes.INVALID_FIELD), place


@kernel
def _tell(s, command, scope, place, level, cancel_count):
    """Report LATCHED of a kill's scope."""
    account = s.accounts[place].account if _is_holder(scope) else np.int64(0)
    instrument = place if scope == codes.KILL_INSTRUMENT else NIL
    nothing = np.int64(0)
    latched(s, command, account, instrument, level, codes.BLOCKED, cancel_count, nothing, nothing, nothing)


@kernel
def _is_set(s, scope, place):
    if _is_holder(scope):
        return s.accounts[place].is_killed != 0
    if scope == codes.KILL_INSTRUMENT:
        return s.books[place].is_killed != 0
    return s.is_venue_killed != 0


@kernel
def _set(s, scope, place, value):
    """Let a kill hold, or not any more, and count those that do."""
    change = value - np.int64(_is_set(s, scope, place))
    s.kill_count += change
    s.guard_count += change
    if _is_holder(scope):
        touch_account(s, place)
        s.accounts[place].is_killed = value
    elif scope == codes.KILL_INSTRUMENT:
        touch_book(s, place)
        s.books[place].is_killed = value
    else:
        s.is_venue_killed = value
