"""Gross exposure and concentration of an account (exchange rule S21).

    gross = sum over instruments of abs(qty) * mark + notional of open buys + notional of open sells

in the account's reporting currency, at the marks and rates of this moment; each amount is converted by
itself and rounded up. Concentration is an instrument's part of it. Of a group, what its accounts have in an
instrument is added up first, long and short alike; its part of one is measured by its net position. A new
order is measured with what it adds, a replace where it adds something. The notional of open orders is kept by
position, for the accounts and groups alone that have one of these limits, or are on margin (WATCHED_OPEN).
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import find_position, notional_of
from engine.trading.kernels.equity import worth_of, worth_of_lots
from engine.trading.kernels.group_checks import refused_by
from engine.trading.kernels.groups import add_open_notional, group_of, is_group, note_group_open
from engine.trading.kernels.money import UNBOUNDED, plus, rated
from engine.trading.kernels.rates import DOWN, UP, converted, has_rate
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.kernels.watch_records import (
    WATCHED_EXPOSURE,
    WATCHED_GROUP,
    WATCHED_OPEN,
    WATCHED_REDUCING,
)
from ringbuf.kernel import apart, kernel

PPM = np.int64(1_000_000)
NOTHING = np.int64(0)
COMES = np.int64(1)


@apart
def note_begun(s, order):
    """Note what a new order has open."""
    watched = np.int64(s.accounts[s.hot[order].account].is_watched)
    if watched & WATCHED_OPEN != 0:
        add_open(s, order, open_notional(s, order))
    if watched & WATCHED_GROUP != 0:
        note_group_open(s, order, open_notional(s, order), s.hot[order].leaves, COMES)


@apart
def note_open(s, order, px, leaves, count):
    """Note that an order is going to have other open lots than before, or the same at another px.

    count : int64, -1 where the order ends, else 0
    """
    watched = np.int64(s.accounts[s.hot[order].account].is_watched)
    if watched & (WATCHED_OPEN | WATCHED_GROUP) != 0:
        book = np.int64(s.hot[order].instrument)
        change = notional_of(s, book, px, leaves) - open_notional(s, order)
        if watched & WATCHED_OPEN != 0:
            add_open(s, order, change)
        if watched & WATCHED_GROUP != 0:
            note_group_open(s, order, change, leaves - s.hot[order].leaves, count)
    if watched & WATCHED_REDUCING != 0 and s.cold[order].reduce_only != 0:
        s.reducings[s.hot[order].position].lots += leaves - s.hot[order].leaves


@kernel
def add_open(s, order, change):
    """Add to the notional that is open on an order's side of its position."""
    add_open_notional(s, np.int64(s.hot[order].position), np.int64(s.cold[order].side), change)


@kernel
def open_notional(s, order):
    """Return the notional of an order's open lots."""
    return notional_of(s, np.int64(s.hot[order].instrument), s.hot[order].px, s.hot[order].leaves)


@kernel
def begin_exposure(s, account):
    """Begin to keep the notional of an account's or a group's open orders: every live order is looked at."""
    for order in range(s.orders_used):
        if s.hot[order].order_id == 0:
            continue
        if s.hot[order].account == account:
            add_open(s, order, open_notional(s, order))
        elif group_of(s, np.int64(s.hot[order].account)) == account:
            _add_group_open(s, account, order, np.int64(1))


@kernel
def sum_exposure(s, group, account, times):
    """Add the notional of an account's open orders to its group's, or take it away (times -1)."""
    for order in range(s.orders_used):
        if s.hot[order].order_id != 0 and s.hot[order].account == account:
            _add_group_open(s, group, order, times)


@kernel
def _add_group_open(s, group, order, times):
    position = find_position(s, group, np.int64(s.hot[order].instrument))
    add_open_notional(s, position, np.int64(s.cold[order].side), times * open_notional(s, order))


@kernel
def end_exposure(s, account):
    """Stop keeping it."""
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        s.dealings[position].open_buys = 0
        s.dealings[position].open_sells = 0
        position = np.int64(s.positions[position].account_next) - 1


@kernel
def exposure_of(s, account, book, side, more):
    """Return (gross exposure, the part of the instrument `book`) with `more` open on a side of that.

    more : int64, minor units of its quote currency; book NIL: of no instrument
    """
    reporting = s.watches[account].reporting
    gross, part = NOTHING, NOTHING
    is_counted = book == NIL
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:  # once for each of its instruments
        each = s.positions[position].key & INSTRUMENT_MASK
        buys, sells = s.dealings[position].open_buys, s.dealings[position].open_sells
        if each == book:
            is_counted = True
            if side == codes.BUY:
                buys = plus(buys, more)
            else:
                sells = plus(sells, more)
        amount = _in_instrument(s, each, reporting, _held_worth(s, account, position), buys, sells)
        gross = plus(gross, amount)
        if each == book:
            part = _in_instrument(s, each, reporting, abs(worth_of(s, position)), buys, sells)
        position = np.int64(s.positions[position].account_next) - 1
    if not is_counted:
        part = _in_instrument(s, book, reporting, NOTHING, more, NOTHING)
        gross = plus(gross, part)
    return gross, part


@kernel
def exposure_now(s, account):
    """Return (gross exposure, the largest part of one instrument, that instrument or NIL)."""
    reporting = s.watches[account].reporting
    gross, largest, book = NOTHING, NOTHING, NIL
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        each = s.positions[position].key & INSTRUMENT_MASK
        buys, sells = s.dealings[position].open_buys, s.dealings[position].open_sells
        gross = plus(
            gross, _in_instrument(s, each, reporting, _held_worth(s, account, position), buys, sells)
        )
        amount = _in_instrument(s, each, reporting, abs(worth_of(s, position)), buys, sells)
        if amount > largest:
            largest, book = amount, each
        position = np.int64(s.positions[position].account_next) - 1
    return gross, largest, book


@kernel
def _held_worth(s, account, position):
    """Return what an account holds at the mark, or all accounts of a group, long and short added up."""
    if is_group(s, account):
        return worth_of_lots(s, s.positions[position].key & INSTRUMENT_MASK, s.gross_qty[position])
    return abs(worth_of(s, position))


@kernel
def _in_instrument(s, book, reporting, worth, buys, sells):
    """Return what three amounts of an instrument's quote currency add up to, each converted by itself."""
    quote = s.books[book].quote
    held = converted(s, worth, quote, reporting, UP)
    opened = plus(converted(s, buys, quote, reporting, UP), converted(s, sells, quote, reporting, UP))
    return plus(held, opened)


@kernel
def check_exposure(s, account, book, side, more):
    """Step 15: gross exposure, then concentration, with `more` minor units more open in an instrument."""
    if not has_rate(s, s.books[book].quote, s.watches[account].reporting):
        return codes.NO_RATE
    gross, part = exposure_of(s, account, book, side, more)
    limit = s.watches[account].gross_limit
    if limit != 0 and gross > limit:
        return codes.MAX_GROSS_EXPOSURE
    limit = s.watches[account].concentration_limit
    if limit != 0 and (gross == UNBOUNDED or part > rated(gross, limit, PPM, DOWN)):
        return codes.MAX_CONCENTRATION
    return codes.OK


@apart
def check_more_exposure(s, account, book, side, more):
    """Step 15 where some account is watched: of the account, then of its group."""
    watched = np.int64(s.accounts[account].is_watched)
    if watched & WATCHED_EXPOSURE != 0:
        reason = check_exposure(s, account, book, side, more)
        if reason != codes.OK:
            return reason
    group = group_of(s, account)
    if group == NIL or np.int64(s.accounts[group].is_watched) & WATCHED_EXPOSURE == 0:
        return codes.OK
    return refused_by(s, group, check_exposure(s, group, book, side, more))
