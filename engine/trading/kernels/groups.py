"""Groups of accounts: what is kept of a group is kept as of an account (exchange rule S21).

A group stands among the accounts, by its number with the sign changed, and has a watch, positions and
windows as they have: limits and latches of an account are those of a group by the same kernels. It has no
money and no orders. What its accounts have is summed up where it changes (they are WATCHED_GROUP):

    position    qty, open lots and orders of its accounts; gross_qty: long and short added up
    dealing     where the group has such limits: open notional, what was filled in its window
    watch       where it may lose so much alone: worth and cash of its accounts (equity.py)

No account is looked for in the path of an order or a fill.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import add_position, find_holder, find_position
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.kernels.touch import touch_account
from engine.trading.kernels.watch_records import WATCHED_EXPOSURE
from ringbuf.kernel import apart, kernel


@kernel
def group_of(s, account):
    """Return the index of an account's group, or NIL."""
    return np.int64(s.members[account].group) - 1


@kernel
def is_group(s, holder):
    """Tell whether what stands at an index among the accounts is a group."""
    return s.accounts[holder].account < 0


@kernel
def find_group(s, number):
    """Return the index of a group among the accounts, or NIL."""
    return find_holder(s, -number) if number > 0 else NIL


@kernel
def first_member(s, group):
    """Return the account that joined a group first, or NIL."""
    return np.int64(s.members[group].head) - 1


@kernel
def next_member(s, account):
    """Return the account that joined the same group next, or NIL."""
    return np.int64(s.members[account].next) - 1


@kernel
def obtain_group_position(s, group, book):
    """Return a group's position in an instrument, made where it has none; there is room for it."""
    position = find_position(s, group, book)
    return position if position != NIL else add_position(s, group, book)


@kernel
def add_open_notional(s, position, side, change):
    """Add to the notional that is open on a side of a position."""
    if side == codes.BUY:
        s.dealings[position].open_buys += change
    else:
        s.dealings[position].open_sells += change


@apart
def note_group_open(s, order, change, lots, count):
    """Add what became open of an order to the position of its account's group: notional, and lots.

    count : int64, +1 where the order begins, -1 where it ends, else 0
    """
    group, side = group_of(s, np.int64(s.hot[order].account)), np.int64(s.cold[order].side)
    position = obtain_group_position(s, group, np.int64(s.hot[order].instrument))
    touch_account(s, group)
    if side == codes.BUY:
        s.positions[position].open_buy += lots
    else:
        s.positions[position].open_sell += lots
    if np.int64(s.accounts[group].is_watched) & WATCHED_EXPOSURE != 0:
        add_open_notional(s, position, side, change)
    count_group_open(s, group, position, order, count)


@kernel
def count_group_open(s, group, position, order, count):
    """Count an order that may rest for a group: it counts as open from its beginning to its end.

    In between, while it is matched, nobody asks; an order that is not to rest does not count.
    """
    if s.cold[order].time_in_force < codes.IOC:
        s.accounts[group].open_orders += count
        s.positions[position].open_orders += count


@kernel
def add_held(s, group_position, before, after):
    """Bring a group's position to what one of its accounts holds now, and held before."""
    s.positions[group_position].qty += after - before
    s.gross_qty[group_position] += abs(after) - abs(before)


@kernel
def sum_positions(s, group, account, times):
    """Add what an account holds and has open to its group's positions, or take it away (times -1)."""
    touch_account(s, group)
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:  # once for each of its instruments
        place = obtain_group_position(s, group, s.positions[position].key & INSTRUMENT_MASK)
        s.positions[place].qty += times * s.positions[position].qty
        s.gross_qty[place] += times * abs(s.positions[position].qty)
        s.positions[place].open_buy += times * s.positions[position].open_buy
        s.positions[place].open_sell += times * s.positions[position].open_sell
        s.positions[place].open_orders += times * s.positions[position].open_orders
        position = np.int64(s.positions[position].account_next) - 1
    s.accounts[group].open_orders += times * s.accounts[account].open_orders
