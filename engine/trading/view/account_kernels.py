"""Copies of one account and of its orders, under the account's version word.

The account's version covers its balances, positions and orders: every command that
changes one of them opens it. Same rules as in view_kernels: nothing read is trusted
until the version has been looked at again. `state` is the array of one STATE record: handing
a kernel the record itself costs 40 us a call, the array one.
"""

from typing import Any

import numpy as np

from engine.trading.kernels.identity import CHAIN_MAX, find_ended, find_live
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.view.book_kernels import READ_ROUNDS, TORN, Int, Ints
from engine.trading.view.watch_kernels import copy_watch
from ringbuf.njit import njit
from ringbuf.seqlock import pause_between_attempts, read_begin, read_retry

BALANCE_COLUMNS = 3  # total, reserved, selling: minor units
POSITION_COLUMNS = 6  # instrument, qty, cost, realised, open_buy, open_sell
ORDER_FIELDS = (
    "order_id",
    "instrument",
    "side",
    "px",
    "leaves",
    "qty",
    "cum",
    "notional",
    "client_order_id",
    "text0",
    "text1",
    "text2",
    "time_in_force",
    "stp_mode",
    "post_only",
    "rev",
    "entry_ts",
    "account",
    "reduce_only",
)
"""Columns of a copied order, in this order."""
ORDER_COLUMNS = len(ORDER_FIELDS)

ACCOUNT_COUNTS = 4


@njit
def copy_account(
    state: Any, account: int, balances: Ints, positions: Ints, counts: Ints, heads: Ints, latches: Ints
) -> int:
    """Copy balances, positions and limits of the account at index `account`.

    balances  : int64[currencies, BALANCE_COLUMNS], out
    positions : int64[rows, POSITION_COLUMNS], out, newest first
    counts    : int64[ACCOUNT_COUNTS], out: positions (more than rows = out was too small), open orders,
                enabled, killed
    heads, latches : out (watch_kernels.py)
    """
    s = state[0]
    word = len(s.books) + account
    for _ in range(READ_ROUNDS):
        version = read_begin(s.version, word)
        if version >= 0:
            for currency in range(balances.shape[0]):
                balances[currency, 0] = s.balances[currency, account].total
                balances[currency, 1] = s.balances[currency, account].reserved
                balances[currency, 2] = s.balances[currency, account].selling
            counts[0] = _copy_positions(s, account, positions)
            counts[1] = s.accounts[account].open_orders
            counts[2] = s.accounts[account].enabled
            counts[3] = s.accounts[account].is_killed
            copy_watch(s, account, heads, latches)
            if not read_retry(s.version, word, version):
                return version
        pause_between_attempts()
    return TORN


@njit
def _copy_positions(s: Any, account: int, out: Ints) -> int:
    position = np.int64(s.accounts[account].positions_head) - 1
    count = 0
    while 0 <= position < len(s.positions) and count < out.shape[0]:
        out[count, 0] = s.positions[position].key & INSTRUMENT_MASK
        out[count, 1] = s.positions[position].qty
        out[count, 2] = s.positions[position].cost
        out[count, 3] = s.positions[position].realised
        out[count, 4] = s.positions[position].open_buy
        out[count, 5] = s.positions[position].open_sell
        count += 1
        position = s.positions[position].account_next - 1
    return count + 1 if position != NIL else count


@njit
def copy_orders(state: Any, account: int, out: Ints, counts: Ints) -> int:
    """Copy every live order of the account at index `account`, in no order.

    out    : int64[rows, ORDER_COLUMNS], out
    counts : int64[1], out: orders (more than rows = out was too small)

    Walks the whole order pool: an order does not know its account's other orders.
    """
    s = state[0]
    word = len(s.books) + account
    for _ in range(READ_ROUNDS):
        version = read_begin(s.version, word)
        if version >= 0:
            count = 0
            for order in range(min(s.orders_used, len(s.hot))):
                if s.hot[order].account == account and is_live(s, order):
                    if count < out.shape[0]:
                        copy_order(s, order, out[count])
                    count += 1
            counts[0] = count
            if not read_retry(s.version, word, version):
                return version
        pause_between_attempts()
    return TORN


@njit
def copy_order_by_id(state: Any, order_id: int, row: Ints) -> int:
    """Copy the live order of that engine id into `row`; return its account's version, or 0: none."""
    s = state[0]
    for _ in range(READ_ROUNDS):
        order = _locate_order(s, order_id)
        if order == NIL:
            return 0
        account = s.hot[order].account
        if 0 <= account < len(s.accounts):
            version = read_begin(s.version, len(s.books) + account)
            if version >= 0 and s.hot[order].order_id == order_id and is_live(s, order):
                copy_order(s, order, row)
                if row[17] == account and not read_retry(s.version, len(s.books) + account, version):
                    return version
        pause_between_attempts()
    return TORN


@njit
def _locate_order(s: Any, order_id: int) -> Int:
    """Return where an order rests, or NIL."""
    order = np.int64(s.order_bucket[order_id & (len(s.order_bucket) - 1)]) - 1
    for _ in range(CHAIN_MAX):
        if not 0 <= order < len(s.hot):
            break
        if s.hot[order].order_id == order_id:
            return order if is_live(s, order) else NIL
        order = np.int64(s.hot[order].chain) - 1
    # A chain that is being relinked may hide an order; its place in the pool never changes.
    for place in range(min(s.orders_used, len(s.hot))):
        if s.hot[place].order_id == order_id and is_live(s, place):
            return place
    return NIL


@njit
def copy_client_order(state: Any, account: int, client_order_id: int, row: Ints, ended: Ints) -> int:
    """Copy what the window of client ids knows; return the account's version, or 0: nothing.

    row   : int64[ORDER_COLUMNS], out, filled when the order is live
    ended : int64[3], out: order_id, Status (0 = live), cum lots
    """
    s = state[0]
    word = len(s.books) + account
    for _ in range(READ_ROUNDS):
        version = read_begin(s.version, word)
        if version >= 0:
            order, _ = find_live(s, account, client_order_id)
            entry = NIL
            if order != NIL:
                ended[0] = s.hot[order].order_id
                ended[1] = 0
                copy_order(s, order, row)
            else:
                entry, _ = find_ended(s, account, client_order_id)
                if entry != NIL:
                    ended[0] = s.ids[entry].order_id
                    ended[1] = s.ids[entry].status
                    ended[2] = s.ids[entry].cum
            if not read_retry(s.version, word, version):
                if order == NIL and entry == NIL:
                    return 0
                # Another account's id may have taken the entry of an ended one.
                if order != NIL or (
                    s.ids[entry].client_order_id == client_order_id and s.ids[entry].account == account
                ):
                    return version
        pause_between_attempts()
    return TORN


@njit
def is_live(s: Any, order: Int) -> bool:
    """Tell whether an order of the pool rests in a book."""
    return s.hot[order].level != NIL and s.hot[order].leaves > 0


@njit
def copy_order(s: Any, order: Int, row: Ints) -> None:
    """Copy one order into `row` : int64[ORDER_COLUMNS]."""
    row[0] = s.hot[order].order_id
    row[1] = s.hot[order].instrument
    row[2] = s.cold[order].side
    row[3] = s.hot[order].px
    row[4] = s.hot[order].leaves
    row[5] = s.cold[order].qty
    row[6] = s.cold[order].cum
    row[7] = s.cold[order].notional
    row[8] = s.cold[order].client_order_id
    for word in range(3):
        row[9 + word] = s.texts[order].words[word]
    row[12] = s.cold[order].time_in_force
    row[13] = s.cold[order].stp_mode
    row[14] = s.cold[order].post_only
    row[15] = s.cold[order].rev
    row[16] = s.cold[order].entry_ts
    row[17] = s.hot[order].account
    row[18] = s.cold[order].reduce_only
