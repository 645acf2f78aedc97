"""The beginning and end of orders: a slot from the pool, findable by its ids, counted for its owner."""

import numpy as np

from engine.trading.kernels.accounts import add_position, commit_open, find_position, holds, notional_of
from engine.trading.kernels.equity import has_equity, join_round
from engine.trading.kernels.groups import group_of, obtain_group_position
from engine.trading.kernels.identity import end_client_id, link_client_id, link_order, unlink_order
from engine.trading.kernels.queue import count_open
from engine.trading.kernels.reducing import end_reducing
from engine.trading.kernels.state import NIL
from ringbuf.kernel import apart, inlined, kernel

NOTHING = np.int64(0)
GOES = np.int64(-1)


@kernel
def has_room_for_order(s):
    """Tell whether the pool has a slot."""
    return s.orders_free != 0 or s.orders_used < len(s.hot)


@apart
def has_room_for_position(s, account, book):
    """Tell whether an account's first position in an instrument can be made, and its group's with it."""
    group = group_of(s, account)
    is_first = group != NIL and find_position(s, group, book) == NIL
    return s.positions_used + np.int64(is_first) < len(s.positions)


@inlined
def begin_order(s, command, account, position, px, qty):
    """Create the order of an accepted NEW with all its lots open; return its idx.

    Parameters
    ----------
    position : position idx, or NIL to create it
    px : int64, ticks: the limit, or the protection price of a market order
    qty : int64, lots: those of the command, or what was chosen in their place

    Ids, open quantity and reserve are recorded; it is not in the book yet. Its fee
    rates are frozen here (exchange rule S20).
    """
    order = s.orders_free - 1
    if order != NIL:
        s.orders_free = np.int64(s.hot[order].next)
    else:
        order = s.orders_used
        s.orders_used += 1
    s.orders_live += 1
    book = np.int64(command["instrument"])
    if position == NIL:
        position = add_position(s, account, book)
        if s.watch_count != 0:
            _begin_position(s, position, account, book)
    s.hot[order].order_id = s.seq
    s.hot[order].leaves = 0
    s.hot[order].held = 0
    s.hot[order].next = NIL
    s.hot[order].prev = NIL
    s.hot[order].px = px
    s.hot[order].level = NIL
    s.hot[order].account = account
    s.hot[order].position = position
    s.hot[order].instrument = book
    s.cold[order].client_order_id = command["client_order_id"]
    s.cold[order].qty = qty
    s.cold[order].cum = 0
    s.cold[order].notional = 0
    s.cold[order].maker_ppm = s.books[book].maker_ppm
    s.cold[order].taker_ppm = s.books[book].taker_ppm
    s.cold[order].has_text = command["text"][0] != 0
    if command["text"][0] != 0:
        _put_text(s, order, command["text"])
    s.cold[order].is_counted = 0
    s.cold[order].rev = 0
    s.cold[order].session = command["session"]
    s.cold[order].side = command["side"]
    s.cold[order].time_in_force = command["time_in_force"]
    s.cold[order].stp_mode = command["stp_mode"]
    s.cold[order].post_only = command["flags"] & 1
    s.cold[order].ring = s.ring
    s.cold[order].entry_ts = s.eng_ts
    link_order(s, order)
    if command["client_order_id"] != 0:
        link_client_id(s, order)
    commit_open(s, order, qty, holds(s, order, notional_of(s, book, px, qty)))
    return order


@apart
def _begin_position(s, position, account, book):
    """Begin to keep what the watches of an account and of its group need of a position."""
    group = group_of(s, account)
    if group != NIL:
        obtain_group_position(s, group, book)
    if has_equity(s, account):
        join_round(s, position, account)


@kernel
def _put_text(s, order, words):
    """Keep an order's text."""
    for word in range(3):
        s.texts[order].words[word] = words[word]


@kernel
def _clear_text(s, order):
    """Forget the text of an order that ends: the slot's next order may have none."""
    for word in range(3):
        s.texts[order].words[word] = 0


@kernel
def end_order(s, order, status):
    """Forget an order that is in no level and has no leaves; its slot is free after."""
    unlink_order(s, order)
    if s.cold[order].client_order_id != 0:
        end_client_id(s, order, status)
    if s.cold[order].is_counted:
        count_open(s, order, GOES)
    if s.cold[order].has_text:
        _clear_text(s, order)
    if s.cold[order].reduce_only:
        end_reducing(s, order)
    s.orders_live -= 1
    s.hot[order].order_id = 0
    s.hot[order].next = s.orders_free
    s.orders_free = order + 1
