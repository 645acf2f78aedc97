"""Copies of one group, under its version word: every command that changes what it sums up opens it."""

from typing import Any

import numpy as np

from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.view.book_kernels import READ_ROUNDS, TORN, Ints
from engine.trading.view.watch_kernels import copy_watch
from ringbuf.njit import njit
from ringbuf.seqlock import pause_between_attempts, read_begin, read_retry

GROUP_POSITION_COLUMNS = 5  # instrument, net qty, gross qty, open_buy, open_sell: lots
GROUP_COUNTS = 4


@njit
def copy_group(
    state: Any, group: int, positions: Ints, members: Ints, counts: Ints, heads: Ints, latches: Ints
) -> int:
    """Copy positions, accounts and limits of the group at index `group` among the accounts.

    positions : int64[rows, GROUP_POSITION_COLUMNS], out, newest first
    members   : int64[rows], out: external ids, who joined first first
    counts    : int64[GROUP_COUNTS], out: positions, members (more than rows = out was too small), open
                orders, killed
    heads, latches : out (watch_kernels.py)
    """
    s = state[0]
    word = len(s.books) + group
    for _ in range(READ_ROUNDS):
        version = read_begin(s.version, word)
        if version >= 0:
            counts[0] = _copy_positions(s, group, positions)
            counts[1] = _copy_members(s, group, members)
            counts[2] = s.accounts[group].open_orders
            counts[3] = s.accounts[group].is_killed
            copy_watch(s, group, heads, latches)
            if not read_retry(s.version, word, version):
                return version
        pause_between_attempts()
    return TORN


@njit
def _copy_positions(s: Any, group: int, out: Ints) -> int:
    position = np.int64(s.accounts[group].positions_head) - 1
    count = 0
    while 0 <= position < len(s.positions) and count < out.shape[0]:
        out[count, 0] = s.positions[position].key & INSTRUMENT_MASK
        out[count, 1] = s.positions[position].qty
        out[count, 2] = s.gross_qty[position]
        out[count, 3] = s.positions[position].open_buy
        out[count, 4] = s.positions[position].open_sell
        count += 1
        position = s.positions[position].account_next - 1
    return count + 1 if position != NIL else count


@njit
def _copy_members(s: Any, group: int, out: Ints) -> int:
    account = np.int64(s.members[group].head) - 1
    count = 0
    while 0 <= account < len(s.accounts) and count < out.shape[0]:
        out[count] = s.accounts[account].account
        count += 1
        account = np.int64(s.members[account].next) - 1
    return count + 1 if account != NIL else count
