"""REPLACE: change price or total quantity of a resting order (exchange rule S11).

Everything is checked before the first write: a refused replace leaves the order as
it was, place in the queue included. Less quantity keeps priority; a new price or
more quantity goes to the tail, and trades at once where the new price crosses.
"""

import numpy as np

from engine.trading.kernels.accounts import notional_of, recommit_open
from engine.trading.kernels.cancel import own_order
from engine.trading.kernels.events import rejected, replaced
from engine.trading.kernels.levels import best_level
from engine.trading.kernels.match import withdraw, would_cross
from engine.trading.kernels.money import reserve_of
from engine.trading.kernels.queue import dequeue
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
from engine.trading.kernels.state import NIL
from engine.trading.kernels.submit import execute
from engine.trading.kernels.touch import touch_account, touch_book
from engine.trading.kernels.validate import check_trader
from engine.trading.records import UNCHANGED, EventFlag, Phase, Reason, Side
from ringbuf.kernel import inlined, kernel

OK = np.int64(Reason.NONE)
UNKNOWN_ORDER = np.int64(Reason.UNKNOWN_ORDER)
NOT_ALLOWED_IN_PHASE = np.int64(Reason.NOT_ALLOWED_IN_PHASE)
INVALID_QUANTITY = np.int64(Reason.INVALID_QUANTITY)
INVALID_PRICE = np.int64(Reason.INVALID_PRICE)
MAX_QUANTITY = np.int64(Reason.MAX_QUANTITY)
MAX_NOTIONAL = np.int64(Reason.MAX_NOTIONAL)
PRICE_BAND = np.int64(Reason.PRICE_BAND)
PRICE_COLLAR = np.int64(Reason.PRICE_COLLAR)
POST_ONLY_WOULD_CROSS = np.int64(Reason.POST_ONLY_WOULD_CROSS)
OVERFLOW = np.int64(Reason.OVERFLOW)
AMEND_BELOW_FILLED = np.int64(Reason.AMEND_BELOW_FILLED)
IOC_REMAINDER = np.int64(Reason.IOC_REMAINDER)
KEPT = np.int64(EventFlag.PRIORITY_KEPT)
LOST = np.int64(0)
NOTHING = np.int64(0)
BUY = np.int64(Side.BUY)
PRE_OPEN = np.int64(Phase.PRE_OPEN)
CONTINUOUS = np.int64(Phase.CONTINUOUS)
CANCEL_ONLY = np.int64(Phase.CANCEL_ONLY)
CLOSED = np.int64(Phase.CLOSED)


@kernel
def apply_replace(s, command):
    """Apply a REPLACE: REPLACED and its fills, CANCELLED, or REJECTED."""
    reason, account = check_trader(s, command)
    order = NIL
    if reason == OK:
        order = own_order(s, command, account)
        if order == NIL:
            reason = UNKNOWN_ORDER
    if reason != OK:
        rejected(s, command, reason)
        return
    qty = command["qty"] if command["qty"] != UNCHANGED else s.cold[order].qty
    px = command["px"] if command["px"] != UNCHANGED else s.hot[order].px
    reason = _check_request(s, order, px, qty)
    if reason == OK:
        reason = take_token(s, account, BUCKET_REPLACE)
    is_ending = qty <= s.cold[order].cum
    change = NOTHING
    if reason == OK and not is_ending:
        reason, change = _check_increase(s, order, account, px, qty)
    if reason != OK:
        rejected(s, command, reason)
        return
    touch_book(s, s.cold[order].instrument)
    touch_account(s, account)
    if is_ending:
        withdraw(s, command, order, AMEND_BELOW_FILLED)
    elif px == s.hot[order].px and qty <= s.cold[order].qty:
        _shrink(s, command, order, qty, change)
    else:
        _move(s, command, order, px, qty, change)


@inlined
def _check_request(s, order, px, qty):
    """Steps 4 and 6: the phase, then the new values themselves."""
    book = s.cold[order].instrument
    phase = s.books[book].phase
    if phase != CONTINUOUS and phase != PRE_OPEN:
        is_down_only = qty < s.cold[order].qty and px == s.hot[order].px
        if (phase != CANCEL_ONLY and phase != CLOSED) or not is_down_only:
            return NOT_ALLOWED_IN_PHASE
    if qty <= 0:
        return INVALID_QUANTITY
    if px <= 0 or px > s.books[book].max_px:
        return INVALID_PRICE
    return OK


@inlined
def _check_increase(s, order, account, px, qty):
    """Steps 10 to 19 on what the new values raise.

    Returns (reason, by how much what the order holds or may bring in changes, minor units).
    """
    book = s.cold[order].instrument
    side = np.int64(s.cold[order].side)
    old_px = s.hot[order].px
    leaves = qty - s.cold[order].cum
    more = leaves - s.hot[order].leaves
    if more > 0 and qty > s.books[book].max_qty:
        return MAX_QUANTITY, NOTHING
    notional = notional_of(s, book, px, leaves)
    old_notional = notional_of(s, book, old_px, s.hot[order].leaves)
    if notional > old_notional and notional > s.books[book].max_notional:
        return MAX_NOTIONAL, NOTHING
    reason = OK
    if px != old_px:
        reason = _check_new_px(s, book, px, old_px)
    if reason == OK and more > 0:
        reason = check_position(s, account, book, s.hot[order].position, side, more)
    if reason != OK:
        return reason, NOTHING
    change = notional - old_notional
    if side == BUY:
        maker_ppm = np.int64(s.cold[order].maker_ppm)
        taker_ppm = np.int64(s.cold[order].taker_ppm)
        change = reserve_of(notional, maker_ppm, taker_ppm) - reserve_of(old_notional, maker_ppm, taker_ppm)
    reason = _check_funds(s, order, account, px, leaves, old_notional, change)
    if reason != OK:
        return reason, NOTHING
    if s.cold[order].post_only and s.books[book].phase == CONTINUOUS and would_cross(s, book, side, px):
        return POST_ONLY_WOULD_CROSS, NOTHING
    return OK, change


@inlined
def _check_new_px(s, book, px, old_px):
    """Step 12: a price is refused only where it lies farther out than the old one."""
    if band_distance(s, book, px) > band_distance(s, book, old_px):
        return PRICE_BAND
    ref = reference_px(s, book)
    if abs(px - ref) > abs(old_px - ref) and is_beyond_collar(s, book, px):
        return PRICE_COLLAR
    return OK


@inlined
def _check_funds(s, order, account, px, leaves, old_notional, change):
    """Step 18 on what the new px and leaves hold, or may bring in, beyond the old."""
    book = s.cold[order].instrument
    quote = s.books[book].quote
    position = s.hot[order].position
    is_buy = s.cold[order].side == BUY
    best = best_level(s, book, BUY)
    worst_px = px if is_buy or best == NIL else max(px, s.levels[best].px)
    notional = notional_of(s, book, worst_px, leaves)
    if px != s.hot[order].px and check_fee_account(s, quote, notional) != OK:
        return OVERFLOW  # it may trade, however little it raises
    if is_buy:
        return check_buy_funds(s, account, quote, position, change) if change > 0 else OK
    increase = notional - old_notional
    return check_sell_proceeds(s, account, quote, position, increase) if increase > 0 else OK


@inlined
def _shrink(s, command, order, qty, change):
    """Lower the total, or leave it, in place: priority is kept."""
    px = s.hot[order].px
    old_qty = s.cold[order].qty
    leaves = qty - s.cold[order].cum
    s.levels[s.hot[order].level].qty += leaves - s.hot[order].leaves
    recommit_open(s, order, px, leaves, change)
    s.cold[order].qty = qty
    s.cold[order].rev += 1
    replaced(s, command, order, px, old_qty, KEPT)


@inlined
def _move(s, command, order, px, qty, change):
    """Take the order out, give it its new price and total, and enter it again."""
    old_px = s.hot[order].px
    old_qty = s.cold[order].qty
    dequeue(s, order)
    recommit_open(s, order, px, qty - s.cold[order].cum, change)
    s.cold[order].qty = qty
    s.cold[order].rev += 1
    replaced(s, command, order, old_px, old_qty, LOST)
    execute(s, command, order, IOC_REMAINDER)
