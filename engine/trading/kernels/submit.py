"""NEW: check everything, then accept, match, and rest or cancel what is left."""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import find_position, notional_of
from engine.trading.kernels.events import accepted, rejected, tell_chosen, tell_original, tell_rule
from engine.trading.kernels.exposure import check_more_exposure, note_begun
from engine.trading.kernels.group_checks import (
    check_group_killed,
    check_group_open_orders,
    check_group_position,
    take_group_token,
)
from engine.trading.kernels.identity import CHAIN_MAX, find_ended, find_live
from engine.trading.kernels.latches import check_group_latched, check_latched
from engine.trading.kernels.margin import check_margin
from engine.trading.kernels.match import walk, withdraw, would_cross
from engine.trading.kernels.messages import check_ratios
from engine.trading.kernels.orders import begin_order, end_order, has_room_for_order, has_room_for_position
from engine.trading.kernels.queue import enqueue
from engine.trading.kernels.reducing import begin_reducing, entry_quantity
from engine.trading.kernels.risk import (
    BUCKET_NEW,
    check_book_orders,
    check_funds,
    check_open_orders,
    check_position,
    check_price,
    check_size,
    is_killed,
    take_token,
)
from engine.trading.kernels.rule_windows import count_order
from engine.trading.kernels.size_by import opposite_px
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account, touch_book
from engine.trading.kernels.user_rules import judge_new
from engine.trading.kernels.validate import check_new, check_trader
from ringbuf.kernel import apart, inlined, kernel

NOTHING = np.int64(0)
SHAPED = codes.FLAG_SIZED | codes.FLAG_REDUCE_ONLY
"""Flags of orders whose quantity the engine chooses or cuts."""


@kernel
def apply_new(s, command):
    """Apply a NEW: one REJECTED, or ACCEPTED and what follows from it."""
    reason, account = check_trader(s, command)
    chain = 0
    if reason == codes.OK:
        reason, chain = check_new(s, command, account)
    if reason != codes.OK:
        report = rejected(s, command, reason)
        if reason == codes.DUPLICATE:
            _tell_original(s, report, account, command["client_order_id"])
        return
    book = np.int64(command["instrument"])
    side = np.int64(command["side"])
    px = _limit_px(s, command, book, side)
    position = find_position(s, account, book)
    qty = command["qty"]
    is_shaped = command["flags"] & SHAPED != 0
    is_guarded = s.guard_count != 0
    reason = _admit_guarded(s, account, book) if is_guarded else take_token(s, account, BUCKET_NEW)
    if reason == codes.OK and is_shaped:
        reason, qty = entry_quantity(s, command, account, book, position, side, px)
    if reason == codes.OK and is_guarded:
        reason = _check_guarded(s, command, account, book, side, px, qty, position)
    elif reason == codes.OK:
        reason = _check_risk(s, command, account, book, side, px, qty, position, False)
    if reason == codes.OK:
        reason = _check_feasible(s, command, account, book, side, px, qty)
    if reason == codes.OK:
        reason = _check_capacity(s, command, account, position, chain)
    if reason != codes.OK:
        report = rejected(s, command, reason)
        if reason == codes.RULE:
            tell_rule(s, report)
        return
    touch_book(s, book)
    touch_account(s, account)
    order = begin_order(s, command, account, position, px, qty)
    if is_shaped and command["flags"] & codes.FLAG_REDUCE_ONLY != 0:
        begin_reducing(s, order)
    if s.guard_count != 0:
        _note_accepted(s, order, qty)
    accepted(s, command, order)
    if is_shaped:
        tell_chosen(s)
    remainder = codes.MARKET_REMAINDER if command["order_type"] == codes.MARKET else codes.IOC_REMAINDER
    execute(s, command, order, remainder)


@apart
def _note_accepted(s, order, qty):
    """Note an accepted order for the watches of its account, and for rules."""
    if s.watch_count != 0:
        note_begun(s, order)
    if s.governing != 0:
        count_order(s, order, qty)


@inlined
def execute(s, command, order, remainder):
    """Match an accepted or replaced order that is in no level; rest, cancel or end what is left.

    `remainder` is the reason given for what an immediate order leaves. The order's book
    and account have been touched.
    """
    book = np.int64(s.hot[order].instrument)
    side = np.int64(s.cold[order].side)
    px = s.hot[order].px
    stop = codes.OK
    if s.books[book].phase == codes.CONTINUOUS and would_cross(s, book, side, px):
        stp_mode = np.int64(s.cold[order].stp_mode)
        account = np.int64(s.hot[order].account)
        _, stop = walk(s, command, book, side, account, stp_mode, px, s.hot[order].leaves, order)
    if stop == codes.REASON_STP:
        withdraw(s, command, order, codes.REASON_STP)
    elif s.hot[order].leaves == 0:
        end_order(s, order, codes.STATUS_FILLED)
    elif s.cold[order].time_in_force >= codes.IOC:
        withdraw(s, command, order, remainder)
    elif stop == codes.REASON_BAND:
        # Resting would cross the order outside the band that it may not trade with.
        withdraw(s, command, order, codes.REASON_BAND)
    else:
        enqueue(s, order)


@inlined
def _limit_px(s, command, book, side):
    """Return the worst px the order may trade at: its own, or a market order's protection."""
    if command["order_type"] != codes.MARKET:
        return command["px"]
    return protection_px(s, book, side, opposite_px(s, book, side), command["px"])


@inlined
def protection_px(s, book, side, best, own):
    """Return the worst px a market order may trade at.

    Protection is the opposite best plus or minus the instrument's protect_ticks, within
    the static band and the price range; a px of the order's own may be tighter (exchange rule S6).
    """
    protect = s.books[book].protect_ticks
    if side == codes.BUY:
        px = min(s.books[book].band_high, s.books[book].max_px)
        if protect != NIL:
            px = min(px, best + protect)
        return px if own == 0 else min(px, own)
    px = max(s.books[book].band_low, 1)
    if protect != NIL:
        px = max(px, best - protect)
    return max(px, own)


@inlined
def _check_risk(s, command, account, book, side, px, qty, position, is_guarded):
    """Steps 10 to 18 of exchange rule S3, of an order for `qty` lots; is_guarded: with the rarer checks."""
    is_limit = command["order_type"] == codes.LIMIT
    reason = check_size(s, book, px, qty, qty)
    if reason == codes.OK and is_limit:
        reason = check_price(s, book, px)
    if reason == codes.OK and is_limit and command["time_in_force"] < codes.IOC:
        reason = check_open_orders(s, account)
        if is_guarded and reason == codes.OK:
            reason = check_group_open_orders(s, account)
        if is_guarded and reason == codes.OK:
            reason = check_book_orders(s, book)
    if reason == codes.OK:
        reason = check_position(s, account, book, position, side, qty)
    if is_guarded and reason == codes.OK:
        reason = check_group_position(s, account, book, side, qty)
    if is_guarded and reason == codes.OK:
        reason = _check_watched(s, account, book, position, side, px, qty)
        if reason == codes.OK and s.governing != 0:
            reason = judge_new(s, command, account, book, position, side, px, qty)
    if reason == codes.OK:
        reason = check_funds(
            s, account, book, position, side, px, qty, s.books[book].maker_ppm, s.books[book].taker_ppm
        )
    if is_guarded and reason == codes.OK:
        reason = check_margin(s, account, book, position, side, notional_of(s, book, px, qty))
    return reason


@apart
def _admit_guarded(s, account, book):
    """Steps 8 and 9 where something is killed, or some account watched; else a token is all that is asked."""
    if is_killed(s, account, book):
        return codes.BLOCKED
    reason = check_group_killed(s, account)
    if reason == codes.OK:
        reason = take_token(s, account, BUCKET_NEW)
    if reason == codes.OK:
        reason = take_group_token(s, account, BUCKET_NEW)
    return check_ratios(s, account) if reason == codes.OK else reason


@apart
def _check_guarded(s, command, account, book, side, px, qty, position):
    """Steps 10 to 18 where some account is watched, or the orders of a book are limited (guard_count)."""
    return _check_risk(s, command, account, book, side, px, qty, position, True)


@kernel
def _check_watched(s, account, book, position, side, px, qty):
    """Steps 15 and 16 of an account and its group, if it is watched."""
    if s.accounts[account].is_watched == 0:
        return codes.OK
    reason = check_more_exposure(s, account, book, side, notional_of(s, book, px, qty))
    if reason == codes.OK:
        reason = check_latched(s, account, book, position, side, qty)
    if reason == codes.OK:
        reason = check_group_latched(s, account, position, side, qty)
    return reason


@inlined
def _check_feasible(s, command, account, book, side, px, qty):
    """Step 19: post-only must not cross, FOK must fill; decided without writing."""
    if s.books[book].phase != codes.CONTINUOUS:
        return codes.OK
    if command["flags"] & codes.FLAG_POST_ONLY and would_cross(s, book, side, px):
        return codes.POST_ONLY_WOULD_CROSS
    if command["time_in_force"] == codes.FOK:
        stp_mode = np.int64(command["stp_mode"])
        fillable, _ = walk(s, command, book, side, account, stp_mode, px, qty, NIL)
        if fillable < qty:
            return codes.FOK_UNFILLABLE
    return codes.OK


@inlined
def _check_capacity(s, command, account, position, chain):
    """Check, last of all, that there is room for what an acceptance creates (design decision D8)."""
    if not has_room_for_order(s):
        return codes.ORDERS_FULL
    if position == NIL and not has_room_for_position(s, account, np.int64(command["instrument"])):
        return codes.POSITIONS_FULL
    if command["client_order_id"] != 0 and chain >= CHAIN_MAX:
        return codes.CLIENT_IDS_FULL
    return codes.OK


@kernel
def _tell_original(s, report, account, client_order_id):
    """Complete a DUPLICATE with the original's engine id and where it stands (exchange rule S4)."""
    order, _ = find_live(s, account, client_order_id)
    if order != NIL:
        leaves = s.hot[order].leaves
        tell_original(s, report, s.hot[order].order_id, codes.STATUS_OPEN, s.cold[order].cum, leaves)
        return
    entry, _ = find_ended(s, account, client_order_id)
    tell_original(s, report, s.ids[entry].order_id, s.ids[entry].status, s.ids[entry].cum, NOTHING)
