"""Bring into the cache what a command will touch, while earlier ones are applied.

A command's data is found in steps, each of which needs the one before: account, then order
or position, then level and neighbours. With a hundred thousand live orders each step would
wait for memory. So whoever applies a batch gives hints for commands ahead, a stage at a time
(engine/contract/batches.py). Nothing but the notes from stage to stage is written, and a state that
changes meanwhile, or a note left by another command, costs a miss.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import account_bucket_of, position_bucket_of
from engine.trading.kernels.identity import client_hash
from engine.trading.kernels.state import NIL
from ringbuf.atomics import prefetch
from ringbuf.kernel import inlined

FIRST_ADMIN_OP = codes.OP_CURRENCY


@inlined
def prepare(s, command, stage, place):
    """Give the hints of one stage (0 to 2) for a command that is to come."""
    if stage == 0:
        _prepare_account(s, command, place)
    elif s.hints[place].account == NIL:
        return
    elif stage == 1:
        if command["op"] == codes.OP_NEW:
            _prepare_position(s, place)
        else:
            _prepare_order(s, place)
    elif command["op"] == codes.OP_NEW:
        _prepare_best(s, command)
    else:
        _prepare_neighbours(s, place)


@inlined
def _prepare_account(s, command, place):
    """Stage 0: the account's lines, and the buckets that lead on."""
    op = np.int64(command["op"])
    account = NIL
    if op >= codes.OP_NEW and op < FIRST_ADMIN_OP:
        account = np.int64(s.account_bucket[account_bucket_of(s, command["account"])]) - 1
    s.hints[place].account = account
    if account == NIL:
        return
    hashed = client_hash(account, command["client_order_id"])
    live = hashed & (len(s.live_bucket) - 1)
    prefetch(s.accounts, account)
    prefetch(s.version, len(s.books) + account)
    prefetch(s.live_bucket, live)
    s.hints[place].bucket = live
    if op == codes.OP_NEW:
        book = np.int64(command["instrument"])
        prefetch(s.id_bucket, hashed & (len(s.id_bucket) - 1))
        if book >= 0 and book < s.books_used:
            bucket = position_bucket_of(s, account, book)
            prefetch(s.position_bucket, bucket)
            prefetch(s.books, book)
            prefetch(s.balances[s.books[book].quote], account)
            s.hints[place].bucket = bucket


@inlined
def _prepare_position(s, place):
    """Stage 1 of a NEW: its position and the slot that it will take."""
    bucket = s.hints[place].bucket & (len(s.position_bucket) - 1)  # the note may be of another table
    position = np.int64(s.position_bucket[bucket]) - 1
    if position != NIL:
        prefetch(s.positions, position)
    if s.orders_free != 0:
        prefetch(s.cold, s.orders_free - 1)


@inlined
def _prepare_best(s, command):
    """Stage 2 of a NEW: the best levels, which it may meet or join."""
    book = np.int64(command["instrument"])
    if book < 0 or book >= s.books_used:
        return
    for side in range(1, 3):
        level = s.books[book].best[side] - 1
        if level != NIL:
            prefetch(s.levels, level)
            prefetch(s.hot, s.levels[level].head)


@inlined
def _prepare_order(s, place):
    """Stage 1 of a CANCEL or REPLACE: the order."""
    bucket = s.hints[place].bucket & (len(s.live_bucket) - 1)  # the note may be of another table
    order = np.int64(s.live_bucket[bucket]) - 1
    s.hints[place].order = order
    if order != NIL:
        prefetch(s.hot, order)
        prefetch(s.cold, order)


@inlined
def _prepare_neighbours(s, place):
    """Stage 2 of a CANCEL or REPLACE: the order's position, level and neighbours."""
    order = s.hints[place].order
    if order == NIL:
        return
    prefetch(s.positions, s.hot[order].position)
    book = s.cold[order].instrument
    prefetch(s.balances[s.books[book].quote], s.hot[order].account)
    if s.hot[order].level != NIL:
        prefetch(s.levels, s.hot[order].level)
    if s.hot[order].next != NIL:
        prefetch(s.hot, s.hot[order].next)
    if s.hot[order].prev != NIL:
        prefetch(s.hot, s.hot[order].prev)
