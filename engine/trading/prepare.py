"""Bring into the cache what a command will touch, while earlier ones are applied.

A command's data is found in steps, each of which needs the one before: buckets, then
account and order, then position and level. With a hundred thousand live orders each step
would wait for memory. So whoever applies a batch calls `prepare` for commands ahead, one
stage a call, STRIDE commands apart: by its turn a command finds its lines there. Only
hints are given: nothing is written, and a state that changes meanwhile costs a miss.
"""

import numpy as np
from numba import njit

from engine.records import Op
from engine.trading.accounts import account_bucket_of, position_bucket_of
from engine.trading.identity import client_hash
from engine.trading.state import NIL
from ringbuf.atomics import prefetch

STAGES = 4
STRIDE = 3
"""Stage k of a command is due (STAGES - k) * STRIDE commands before it is applied."""
NEW = np.int64(Op.NEW)
FIRST_ADMIN_OP = np.int64(Op.CURRENCY)


@njit(cache=True)
def prepare(s, command, stage):
    """Give the hints of one stage (0 to STAGES - 1) for a command that is to come."""
    op = np.int64(command["op"])
    if op < NEW or op >= FIRST_ADMIN_OP:
        return
    bucket = account_bucket_of(s, command["account"])
    if stage == 0:
        prefetch(s.account_bucket, bucket)
        return
    account = np.int64(s.account_bucket[bucket]) - 1
    if account == NIL:
        return
    hashed = client_hash(account, command["client_order_id"])
    live = hashed & (len(s.live_bucket) - 1)
    if stage == 1:
        _prepare_account(s, command, op, account, hashed)
    elif op == NEW:
        _prepare_position(s, command, account, stage)
    else:
        order = np.int64(s.live_bucket[live]) - 1
        if order != NIL:
            _prepare_order(s, order, stage)


@njit(cache=True)
def _prepare_account(s, command, op, account, hashed):
    """Stage 1: the account's lines, and the buckets that lead on."""
    prefetch(s.accounts, account)
    prefetch(s.version, len(s.books) + account)
    prefetch(s.live_bucket, hashed & (len(s.live_bucket) - 1))
    if op == NEW:
        book = np.int64(command["instrument"])
        prefetch(s.id_bucket, hashed & (len(s.id_bucket) - 1))
        if book >= 0 and book < s.books_used:
            prefetch(s.position_bucket, position_bucket_of(s, account, book))
            prefetch(s.books, book)
            prefetch(s.balances[s.books[book].quote], account)


@njit(cache=True)
def _prepare_position(s, command, account, stage):
    """Stages 2 and 3 of a NEW: its position, then the best levels it may meet or join."""
    book = np.int64(command["instrument"])
    if book < 0 or book >= s.books_used:
        return
    if stage == 2:
        position = np.int64(s.position_bucket[position_bucket_of(s, account, book)]) - 1
        if position != NIL:
            prefetch(s.positions, position)
        if s.orders_free != 0:
            prefetch(s.cold, s.orders_free - 1)
        return
    for side in range(1, 3):
        level = s.books[book].best[side] - 1
        if level != NIL:
            prefetch(s.levels, level)
            prefetch(s.hot, s.levels[level].head)


@njit(cache=True)
def _prepare_order(s, order, stage):
    """Stages 2 and 3 of a CANCEL or REPLACE: the order, then its position, level and neighbours."""
    if stage == 2:
        prefetch(s.hot, order)
        prefetch(s.cold, order)
        return
    prefetch(s.positions, s.hot[order].position)
    prefetch(s.books, s.cold[order].instrument)
    if s.hot[order].level != NIL:
        prefetch(s.levels, s.hot[order].level)
    if s.hot[order].next != NIL:
        prefetch(s.hot, s.hot[order].next)
    if s.hot[order].prev != NIL:
        prefetch(s.hot, s.hot[order].prev)
