"""Matching: walk the opposite side in price-time order (exchange rules S5 to S9, S16).

One walk serves two purposes. With a taker it trades; without one (NIL) it is a dry
run that changes nothing and tells how much would trade, which is how FOK is decided:
the same limit price, self-trade mode and band, so the answer cannot differ.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import commit_open, holds, notional_of, settle_fill
from engine.trading.kernels.equity import note_mark
from engine.trading.kernels.events import cancelled, prevented, traded
from engine.trading.kernels.exposure import note_open
from engine.trading.kernels.fills import note_trade
from engine.trading.kernels.levels import best_level, next_level
from engine.trading.kernels.orders import end_order
from engine.trading.kernels.queue import dequeue
from engine.trading.kernels.reducing import tradable
from engine.trading.kernels.risk import renew_free_prices
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account
from ringbuf.kernel import apart, inlined, kernel

NOTHING = np.int64(0)
GOES = np.int64(-1)


@kernel
def is_crossing(side, limit_px, px):
    """Tell whether an aggressor on `side` with that limit may trade at px."""
    if side == codes.BUY:
        return px <= limit_px
    return px >= limit_px


@kernel
def would_cross(s, book, side, px):
    """Tell whether an order on `side` at px would meet the opposite best."""
    best = best_level(s, book, codes.BUY + codes.SELL - side)
    return best != NIL and is_crossing(side, px, s.levels[best].px)


@kernel
def walk(s, command, book, side, account, stp_mode, limit_px, wanted, taker):
    """Trade up to `wanted` lots against the opposite side.

    Parameters
    ----------
    taker : order idx, or NIL for a dry run (nothing is written, `command` is not read)

    Returns (lots no longer wanted: traded, would trade, or decremented; why it stopped
    before a limit or an empty book did: NONE, STP or BAND). With a taker its leaves,
    fills and events are done; whether the rest stays or goes is the caller's.
    """
    if s.guard_count != 0:
        return _walk_guarded(s, command, book, side, account, stp_mode, limit_px, wanted, taker)
    return _walk(s, command, book, side, account, stp_mode, limit_px, wanted, taker, False)


@apart
def _walk_guarded(s, command, book, side, account, stp_mode, limit_px, wanted, taker):
    """Walk where some account is watched or rules govern: orders may be reduce-only, or of a group."""
    return _walk(s, command, book, side, account, stp_mode, limit_px, wanted, taker, True)


@inlined
def _walk(s, command, book, side, account, stp_mode, limit_px, wanted, taker, is_guarded):
    """Walk; is_guarded is known where this is compiled, so that what it asks for costs nothing elsewhere."""
    opposite = codes.BUY + codes.SELL - side
    left = wanted
    group = np.int64(s.members[account].group) if is_guarded else NOTHING
    passed = NIL  # the last level with a reduce-only order that could not trade all its lots
    level = best_level(s, book, opposite)
    while level != NIL and left > 0:  # each round passes a level
        px = s.levels[level].px
        if not is_crossing(side, limit_px, px):
            break
        if px < s.books[book].band_low or px > s.books[book].band_high:
            return wanted - left, codes.REASON_BAND
        maker = s.levels[level].head
        while maker != NIL and left > 0:  # each round passes an order of the level
            after = np.int64(s.hot[maker].next)
            if stp_mode != codes.STP_NONE and _is_own(s, maker, account, group):
                if taker == NIL:
                    if stp_mode != codes.STP_CANCEL_OLDEST:
                        return wanted - left, codes.REASON_STP
                elif _prevent(s, command, stp_mode, taker, maker):
                    return wanted - left, codes.REASON_STP
                else:
                    left = s.hot[taker].leaves  # DECREMENT lowered it
            else:
                qty = min(left, s.hot[maker].leaves)
                if is_guarded:
                    most = tradable(s, maker, taker == NIL)
                    if most < qty:
                        qty, passed = most, level
                    if qty == 0:
                        maker = after
                        continue
                left -= qty
                if taker != NIL:
                    _trade(s, command, book, taker, maker, level, px, qty, is_guarded)
            maker = after
        if left > 0:
            if taker == NIL:
                level = next_level(s, level)
            else:  # what was traded is gone
                level = best_level(s, book, opposite) if passed == NIL else next_level(s, passed)
    return wanted - left, codes.OK


@inlined
def _is_own(s, maker, account, group):
    """Tell whether a maker is of the taker's account or of its group, idx + 1 (exchange rule S9)."""
    return s.hot[maker].account == account or (
        group != NOTHING and s.members[s.hot[maker].account].group == group
    )


@inlined
def _trade(s, command, book, taker, maker, level, px, qty, is_guarded):
    """Fill both sides at the maker's px; a maker without leaves is gone after."""
    touch_account(s, np.int64(s.hot[maker].account))
    taker_fee = settle_fill(s, taker, px, qty, np.int64(s.cold[taker].taker_ppm))
    maker_fee = settle_fill(s, maker, px, qty, np.int64(s.cold[maker].maker_ppm))
    s.levels[level].qty -= qty
    if s.books[book].last_px != px:
        s.books[book].last_px = px
        if s.books[book].collar_bps != 0:
            renew_free_prices(s, book)
        if is_guarded and s.watch_count != 0 and s.books[book].mark_px == 0:
            note_mark(s, book)
    if is_guarded:
        note_trade(s, taker, maker, qty)
    s.books[book].trade_count += 1
    s.books[book].volume += qty
    s.trade_count += 1
    status = codes.STATUS_OPEN if s.hot[taker].leaves > 0 else codes.STATUS_FILLED
    traded(s, command, taker, maker, px, qty, taker_fee, maker_fee, status)
    if s.hot[maker].leaves == 0:
        dequeue(s, maker)
        end_order(s, maker, codes.STATUS_FILLED)


@kernel
def _prevent(s, command, stp_mode, taker, maker):
    """Keep a self-trade from happening; tell whether the taker goes (exchange rule S9)."""
    touch_account(s, np.int64(s.hot[maker].account))  # another one of the group may be the maker's
    qty = min(s.hot[taker].leaves, s.hot[maker].leaves)
    prevented(s, command, taker, maker, qty)
    if stp_mode == codes.STP_CANCEL_NEWEST:
        return True
    if stp_mode != codes.STP_DECREMENT:  # CANCEL_OLDEST, CANCEL_BOTH
        withdraw(s, command, maker, codes.REASON_STP)
        return stp_mode != codes.STP_CANCEL_OLDEST
    _decrement(s, taker, qty)
    _decrement(s, maker, qty)
    s.levels[s.hot[maker].level].qty -= qty
    if s.hot[maker].leaves == 0:
        withdraw(s, command, maker, codes.REASON_STP)
    return s.hot[taker].leaves == 0


@kernel
def _decrement(s, order, qty):
    """Lower an order's total and leaves by `qty`, never what it has filled."""
    leaves = s.hot[order].leaves - qty
    s.cold[order].qty -= qty
    notional = notional_of(s, np.int64(s.hot[order].instrument), s.hot[order].px, leaves)
    if s.watch_count != 0:
        note_open(s, order, s.hot[order].px, leaves, NOTHING)
    commit_open(s, order, leaves, holds(s, order, notional))


@kernel
def withdraw(s, command, order, reason):
    """Cancel what is left of an order, resting or not, and report it.

    The caller has touched the order's book and account.
    """
    cancelled(s, command, order, reason, codes.STATUS_CANCELLED)
    if s.hot[order].level != NIL:
        dequeue(s, order)
    if s.watch_count != 0:
        note_open(s, order, s.hot[order].px, NOTHING, GOES)
    commit_open(s, order, NOTHING, NOTHING)
    end_order(s, order, codes.STATUS_CANCELLED)
