"""Reduce-only orders: what they may close, who of them there is, newest first (exchange rule S21).

    reducings[position].newest -> reducers[order].older     the live reduce-only orders of a position
    reducings[position].lots                                what is left of all of them

A reduce-only order never opens. At entry it is cut to its room: what its account holds against it, less what
is left of the account's other reduce-only orders. So between two commands all of a position's lie on the side
that closes it, and fit: `lots` is at most what is held. Within a command the position may be closed by other
orders first; then a reduce-only one trades what is still held alone, and behind it reduce_only.py makes the
rest fit again. Where an account has a live one it is watched for it (WATCHED_REDUCING), so that no order of a
venue without any meets one of these functions.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.groups import group_of
from engine.trading.kernels.size_by import choose_quantity
from engine.trading.kernels.state import NIL
from engine.trading.kernels.watch import renew_watch
from engine.trading.kernels.watch_records import LATCHES
from ringbuf.kernel import apart, kernel

NOTHING = np.int64(0)


@kernel
def closable(s, position, side):
    """Return how many lots of a position an order on `side` would close; position NIL = none yet."""
    if position == NIL:
        return NOTHING
    held = s.positions[position].qty
    return max(-held if side == codes.BUY else held, NOTHING)


@kernel
def open_lots(s, position, side):
    """Return the lots that are open on a side of a position."""
    if side == codes.BUY:
        return s.positions[position].open_buy
    return s.positions[position].open_sell


@kernel
def level_held(s, account):
    """Return the highest LatchLevel at which a limit of an account, or of a group, stands."""
    highest = codes.LEVEL_NONE
    for latch in range(LATCHES):
        highest = max(highest, np.int64(s.watches[account].level[latch]))
    return highest


@kernel
def may_only_reduce(s, account):
    """Tell whether a latch of an account or of its group lets it only reduce what it holds."""
    group = group_of(s, account)
    is_of_group = group != NIL and level_held(s, group) == codes.LEVEL_REDUCE_ONLY
    return is_of_group or level_held(s, account) == codes.LEVEL_REDUCE_ONLY


@kernel
def level_room(s, position, side):
    """Return what is held against `side` and no open order of the account could close yet, 0 at least."""
    if position == NIL:
        return NOTHING
    return max(closable(s, position, side) - open_lots(s, position, side), NOTHING)


@kernel
def room(s, account, position, side):
    """Return how many lots one more reduce-only order on `side` may close.

    While a latch lets the account only reduce, its other orders count too: together they cannot open.
    """
    if position == NIL:
        return NOTHING
    if may_only_reduce(s, account):
        return level_room(s, position, side)
    return max(closable(s, position, side) - s.reducings[position].lots, NOTHING)


@apart
def entry_quantity(s, command, account, book, position, side, px):
    """Return (reason, quantity) of an order that is SIZED or REDUCE_ONLY: chosen, then cut to its room.

    FOK is refused instead of cut, and so is what has no room. px : int64, ticks, the worst it may trade at
    """
    reason, qty = codes.OK, command["qty"]
    if command["flags"] & codes.FLAG_SIZED != 0:
        reason, qty = choose_quantity(s, command, account, book, position, side, px)
    if reason != codes.OK or command["flags"] & codes.FLAG_REDUCE_ONLY == 0:
        return reason, qty
    most = room(s, account, position, side)
    if most == 0 or (command["time_in_force"] == codes.FOK and qty > most):
        return codes.REDUCE_ONLY, NOTHING
    return codes.OK, min(qty, most)


@apart
def cut_total(s, order, qty):
    """Return the total that a replace may give an order: a reduce-only one never outgrows its room."""
    cum, leaves = s.cold[order].cum, s.hot[order].leaves
    if s.cold[order].reduce_only == 0 or qty - cum <= leaves:
        return qty
    position, side = np.int64(s.hot[order].position), np.int64(s.cold[order].side)
    return min(qty, cum + leaves + room(s, np.int64(s.hot[order].account), position, side))


@apart
def begin_reducing(s, order):
    """Make a new order reduce-only: the newest of its position."""
    account, position = np.int64(s.hot[order].account), np.int64(s.hot[order].position)
    older = np.int64(s.reducings[position].newest)
    s.cold[order].reduce_only = 1
    s.reducers[order].older = older
    if older != 0:
        s.reducers[older - 1].newer = order + 1
    s.reducings[position].newest = order + 1
    s.reducings[position].lots += s.hot[order].leaves
    s.watches[account].reducers += 1
    if s.watches[account].reducers == 1:
        renew_watch(s, account)


@apart
def end_reducing(s, order):
    """Forget a reduce-only order that ends: it has no leaves."""
    account, position = np.int64(s.hot[order].account), np.int64(s.hot[order].position)
    older, newer = np.int64(s.reducers[order].older), np.int64(s.reducers[order].newer)
    if older != 0:
        s.reducers[older - 1].newer = newer
    if newer != 0:
        s.reducers[newer - 1].older = older
    else:
        s.reducings[position].newest = older
    s.reducers[order].older = 0
    s.reducers[order].newer = 0
    s.cold[order].reduce_only = 0
    s.watches[account].reducers -= 1
    if s.watches[account].reducers == 0:
        renew_watch(s, account)


@apart
def tradable(s, maker, is_dry):
    """Return how many lots a resting order can trade now: a reduce-only one those that are still held.

    is_dry : in a walk that only asks (exchange rule S8): those that no other open order of the account on
    this side can take from it, whichever is reached first
    """
    leaves = s.hot[maker].leaves
    if s.cold[maker].reduce_only == 0:
        return leaves
    position, side = np.int64(s.hot[maker].position), np.int64(s.cold[maker].side)
    most = closable(s, position, side)
    if is_dry:
        most -= open_lots(s, position, side) - leaves
    return max(min(leaves, most), NOTHING)
