"""REPLACE: change price or total quantity of a resting order (exchange rule S11).

Everything is checked before the first write: a refused replace leaves the order as
it was, place in the queue included. Less quantity keeps priority; a new price or
more quantity goes to the tail, and trades at once where the new price crosses.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import commit_open, holds, notional_of
from engine.trading.kernels.cancel import own_order
from engine.trading.kernels.events import rejected, replaced, tell_rule
from engine.trading.kernels.exposure import check_more_exposure, note_open
from engine.trading.kernels.group_checks import check_group_position
from engine.trading.kernels.latches import check_group_latched, check_reducing
from engine.trading.kernels.levels import best_level
from engine.trading.kernels.margin import check_margin
from engine.trading.kernels.match import withdraw, would_cross
from engine.trading.kernels.messages import check_replace_rate
from engine.trading.kernels.queue import dequeue
from engine.trading.kernels.reducing import cut_total
from engine.trading.kernels.risk import (
    BUCKET_REPLACE,
    band_distance,
    check_buy_funds,
    check_fee_account,
    check_position,
    check_sell_proceeds,
    is_beyond_collar,
    reference_px,
    take_token,
)
from engine.trading.kernels.rule_windows import count_order
from engine.trading.kernels.state import NIL
from engine.trading.kernels.submit import execute
from engine.trading.kernels.touch import touch_account, touch_book
from engine.trading.kernels.user_rules import judge_replace
from engine.trading.kernels.validate import check_trader
from engine.trading.records import UNCHANGED
from ringbuf.kernel import apart, inlined, kernel

LOST = np.int64(0)
NOTHING = np.int64(0)


@kernel
def apply_replace(s, command):
    """Apply a REPLACE: REPLACED and its fills, CANCELLED, or REJECTED."""
    reason, account = check_trader(s, command)
    order = NIL
    if reason == codes.OK:
        order = own_order(s, command, account)
        if order == NIL:
            reason = codes.UNKNOWN_ORDER
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    qty = command["qty"] if command["qty"] != UNCHANGED else s.cold[order].qty
    px = command["px"] if command["px"] != UNCHANGED else s.hot[order].px
    reason = _check_request(s, order, px, qty)
    if reason == codes.OK:
        if s.watch_count == 0:
            reason = take_token(s, account, BUCKET_REPLACE)
        else:
            reason = check_replace_rate(s, account)
            qty = cut_total(s, order, qty)
    is_ending = qty <= s.cold[order].cum
    held = NOTHING
    if reason == codes.OK and not is_ending:
        reason, held = _check_increase(s, order, account, px, qty)
    if reason != codes.OK:
        report = rejected(s, command, reason)
        if reason == codes.RULE:
            tell_rule(s, report)
        return
    touch_book(s, np.int64(s.hot[order].instrument))
    touch_account(s, account)
    if s.governing != 0 and not is_ending:
        count_order(s, order, qty - s.cold[order].qty)
    if is_ending:
        withdraw(s, command, order, codes.AMEND_BELOW_FILLED)
    elif px == s.hot[order].px and qty <= s.cold[order].qty:
        _shrink(s, command, order, qty, held)
    else:
        _move(s, command, order, px, qty, held)


@inlined
def _check_request(s, order, px, qty):
    """Steps 4 and 6: the phase, then the new values themselves."""
    book = np.int64(s.hot[order].instrument)
    phase = s.books[book].phase
    if phase != codes.CONTINUOUS and phase != codes.PRE_OPEN:
        is_down_only = qty < s.cold[order].qty and px == s.hot[order].px
        if (phase != codes.CANCEL_ONLY and phase != codes.CLOSED) or not is_down_only:
            return codes.NOT_ALLOWED_IN_PHASE
    if qty <= 0:
        return codes.INVALID_QUANTITY
    if px <= 0 or px > s.books[book].max_px:
        return codes.INVALID_PRICE
    return codes.OK


@inlined
def _check_increase(s, order, account, px, qty):
    """Steps 10 to 19 on what the new values raise.

    Returns (reason, what the order will add to its balance: state.HOT, `held`).
    """
    book = np.int64(s.hot[order].instrument)
    side = np.int64(s.cold[order].side)
    old_px = s.hot[order].px
    leaves = qty - s.cold[order].cum
    more = leaves - s.hot[order].leaves
    if more > 0 and qty > s.books[book].max_qty:
        return codes.MAX_QUANTITY, NOTHING
    notional = notional_of(s, book, px, leaves)
    old_notional = notional_of(s, book, old_px, s.hot[order].leaves)
    if notional > old_notional and notional > s.books[book].max_notional:
        return codes.MAX_NOTIONAL, NOTHING
    reason = codes.OK
    if px != old_px:
        reason = _check_new_px(s, book, px, old_px)
    if reason == codes.OK and more > 0:
        reason = check_position(s, account, book, np.int64(s.hot[order].position), side, more)
    if reason != codes.OK:
        return reason, NOTHING
    held = holds(s, order, notional)
    if s.guard_count == 0:
        reason = _check_funds(s, order, account, px, leaves, old_notional, held - s.hot[order].held)
    else:
        reason = _check_guarded_increase(s, order, account, px, qty, old_notional, held)
    if reason != codes.OK:
        return reason, NOTHING
    if s.cold[order].post_only and s.books[book].phase == codes.CONTINUOUS and would_cross(s, book, side, px):
        return codes.POST_ONLY_WOULD_CROSS, NOTHING
    return codes.OK, held


@apart
def _check_guarded_increase(s, order, account, px, qty, old_notional, held):
    """Steps 14 to 18 where an account is watched or a set of rules governs, on what the new values raise."""
    book, side = np.int64(s.hot[order].instrument), np.int64(s.cold[order].side)
    position = np.int64(s.hot[order].position)
    leaves = qty - s.cold[order].cum
    more = leaves - s.hot[order].leaves
    more_notional = notional_of(s, book, px, leaves) - old_notional
    reason = codes.OK
    if more > 0:
        reason = check_group_position(s, account, book, side, more)
    if reason == codes.OK and more_notional > 0:
        reason = check_more_exposure(s, account, book, side, more_notional)
    if reason == codes.OK and more > 0:
        reason = check_reducing(s, account, position, side, more)
        if reason == codes.OK:
            reason = check_group_latched(s, account, position, side, more)
    if reason == codes.OK and s.governing != 0 and (px != s.hot[order].px or qty > s.cold[order].qty):
        reason = judge_replace(s, order, account, px, qty)
    if reason == codes.OK:
        reason = _check_funds(s, order, account, px, leaves, old_notional, held - s.hot[order].held)
    if reason == codes.OK and more_notional > 0:
        reason = check_margin(s, account, book, position, side, more_notional)
    return reason


@inlined
def _check_new_px(s, book, px, old_px):
    """Step 12: a price is refused only where it lies farther out than the old one."""
    if px >= s.books[book].free_low and px <= s.books[book].free_high:
        return codes.OK
    if band_distance(s, book, px) > band_distance(s, book, old_px):
        return codes.PRICE_BAND
    ref = reference_px(s, book)
    if abs(px - ref) > abs(old_px - ref) and is_beyond_collar(s, book, px):
        return codes.PRICE_COLLAR
    return codes.OK


@inlined
def _check_funds(s, order, account, px, leaves, old_notional, change):
    """Step 18 on what the new px and leaves hold, or may bring in, beyond the old."""
    book = np.int64(s.hot[order].instrument)
    quote = s.books[book].quote
    position = np.int64(s.hot[order].position)
    is_buy = s.cold[order].side == codes.BUY
    best = best_level(s, book, codes.BUY)
    worst_px = px if is_buy or best == NIL else max(px, s.levels[best].px)
    notional = notional_of(s, book, worst_px, leaves)
    if px != s.hot[order].px and check_fee_account(s, quote, notional) != codes.OK:
        return codes.OVERFLOW  # it may trade, however little it raises
    if is_buy:
        return check_buy_funds(s, account, quote, position, change) if change > 0 else codes.OK
    increase = notional - old_notional
    return check_sell_proceeds(s, account, quote, position, increase) if increase > 0 else codes.OK


@inlined
def _shrink(s, command, order, qty, held):
    """Lower the total, or leave it, in place: priority is kept."""
    px = s.hot[order].px
    old_qty = s.cold[order].qty
    leaves = qty - s.cold[order].cum
    s.levels[s.hot[order].level].qty += leaves - s.hot[order].leaves
    if s.watch_count != 0:
        note_open(s, order, px, leaves, NOTHING)
    commit_open(s, order, leaves, held)
    s.cold[order].qty = qty
    s.cold[order].rev += 1
    replaced(s, command, order, px, old_qty, codes.FLAG_PRIORITY_KEPT, codes.OK)


@inlined
def _move(s, command, order, px, qty, held):
    """Take the order out, give it its new price and total, and enter it again."""
    old_px = s.hot[order].px
    old_qty = s.cold[order].qty
    dequeue(s, order)
    leaves = qty - s.cold[order].cum
    if s.watch_count != 0:
        note_open(s, order, px, leaves, NOTHING)
    commit_open(s, order, leaves, held)
    s.hot[order].px = px
    s.cold[order].qty = qty
    s.cold[order].rev += 1
    replaced(s, command, order, old_px, old_qty, LOST, codes.OK)
    execute(s, command, order, codes.IOC_REMAINDER)
