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
from engine.trading.kernels.levels import DIGIT_MASK, key_of, place_of
from engine.trading.kernels.state import NIL
from engine.trading.records import PX_MAX
from ringbuf.atomics import prefetch
from ringbuf.kernel import inlined

PX_MASK = 2 * PX_MAX - 1
NO_BOOK = np.int64(0)
"""Stands for an instrument that there is not: hints may be of anything."""
IDS_AHEAD = 16
FIRST_ADMIN_OP = codes.OP_CURRENCY


@inlined
def prepare(s, command, stage, place):
    """Give the hints of one stage (0 to 2) for a command that is to come."""
    op = np.int64(command["op"])
    if stage == 0:
        _prepare_account(s, command, op, place)
    elif s.hints[place].account != NIL:
        if stage == 1:
            _prepare_order(s, place)
        else:
            _prepare_levels(s, command, op, place)


@inlined
def _prepare_account(s, command, op, place):
    """Stage 0: the lines of account and book, and the buckets that lead on."""
    account = NIL
    if op >= codes.OP_NEW and op < FIRST_ADMIN_OP:
        account = np.int64(s.account_bucket[account_bucket_of(s, command["account"])]) - 1
    s.hints[place].account = account
    if account == NIL:
        return
    book = np.int64(command["instrument"])
    book = book if book >= 0 and book < s.books_used else NO_BOOK
    hashed = client_hash(account, command["client_order_id"])
    live = hashed & (len(s.live_bucket) - 1)
    ended = (hashed & (len(s.id_bucket) - 1)) * np.int64(op != codes.OP_REPLACE)
    is_new = np.int64(op == codes.OP_NEW)
    position = position_bucket_of(s, account, book) * is_new
    prefetch(s.accounts, account)
    prefetch(s.version, len(s.books) + account)
    prefetch(s.books, book)
    prefetch(s.live_bucket, live)
    prefetch(s.id_bucket, ended)
    prefetch(s.position_bucket, position)
    s.hints[place].is_new = is_new
    s.hints[place].live = live
    s.hints[place].ended = ended
    s.hints[place].position = position


@inlined
def _prepare_order(s, place):
    """Stage 1: the order that is named, or the slot that a NEW takes; its position, and who had its id."""
    # The notes may be of another table: an index is kept within this one.
    named = np.int64(s.live_bucket[s.hints[place].live & (len(s.live_bucket) - 1)])
    order = max(named + (s.orders_free - named) * (s.hints[place].is_new & 1) - 1, 0)
    s.hints[place].order = order
    prefetch(s.hot, order)
    prefetch(s.cold, order)
    prefetch(s.positions, s.position_bucket[s.hints[place].position & (len(s.position_bucket) - 1)] - 1)
    prefetch(s.ids, s.id_bucket[s.hints[place].ended & (len(s.id_bucket) - 1)] - 1)


@inlined
def _prepare_levels(s, command, op, place):
    """Stage 2: the order's position, level and neighbours; the level of the price that it has or gets."""
    order = s.hints[place].order
    if order < 0 or order >= len(s.hot):  # the note may be of another table
        return
    is_new = op == codes.OP_NEW
    # All are loaded, then chosen from: which operation it is, no branch can guess.
    given_book, given_side = np.int64(command["instrument"]), np.int64(command["side"])
    book, side, px = np.int64(s.hot[order].instrument), np.int64(s.cold[order].side), s.hot[order].px
    given_px = command["px"]
    book = given_book if is_new else book
    book = book if book >= 0 and book < s.books_used else NO_BOOK
    side = given_side if is_new else side
    px = px if op == codes.OP_CANCEL else given_px
    prefetch(s.positions, s.hot[order].position)
    prefetch(s.levels, s.hot[order].level)
    prefetch(s.hot, s.hot[order].next)
    prefetch(s.hot, s.hot[order].prev)
    prefetch(s.order_bucket, s.hot[order].order_id & (len(s.order_bucket) - 1))
    key = key_of(side, px & PX_MASK)
    leaf = max(np.int64(s.known[book, (side >> 1) & 1, place_of(key)]) - 1, 0)
    prefetch(s.nodes, leaf)
    prefetch(s.levels, s.child[leaf, key & DIGIT_MASK])
    prefetch(s.balances[s.books[book].quote], s.hints[place].account)
    best = s.books[book].best[codes.SELL if side == codes.BUY else codes.BUY] - 1
    prefetch(s.levels, best)
    prefetch(s.ids, s.ids_next + IDS_AHEAD)
