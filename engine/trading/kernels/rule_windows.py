"""What rules are told of the last second and the last minute (exchange rule S21: windows).

    account     orders accepted or changed, trades; when it last realised a loss
    position    lots that its orders brought, lots filled
    instrument  lots that anybody traded

It is kept while a set of rules governs, and begins with nothing when one does after none did: each record has
the term in which its windows were begun, so nothing has to be emptied then. Lots add up to 2**62 at most.
"""

import numpy as np

from engine.trading.kernels.watch_records import BUCKETS
from engine.trading.kernels.windows import advance
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import apart, kernel

SECOND, MINUTE = np.int64(0), np.int64(1)
SECOND_BUCKET_NS = np.int64(10**9 // BUCKETS)
MINUTE_BUCKET_NS = np.int64(60 * 10**9 // BUCKETS)
ONE = np.int64(1)


@kernel
def _bucket(s, length):
    """Return the number of the bucket of now in the windows of a length."""
    return s.eng_ts // (SECOND_BUCKET_NS if length == SECOND else MINUTE_BUCKET_NS)


@kernel
def _renew(s, record, first, second):
    """Bring two windows of a record to now; they begin empty where they are of an earlier term."""
    if record.term != s.rules_term:
        record.term = s.rules_term
        for length in range(2):
            record.bucket[length] = _bucket(s, length)
            for bucket in range(BUCKETS):
                first[length, bucket] = 0
                second[length, bucket] = 0
        return
    for length in range(2):
        now, newest = _bucket(s, length), record.bucket[length]
        if now != newest:
            advance(first[length], newest, now)
            advance(second[length], newest, now)
            record.bucket[length] = now


@kernel
def _add(s, windows, count):
    """Count in the windows of either length."""
    for length in range(2):
        bucket = _bucket(s, length) % BUCKETS
        windows[length, bucket] += min(count, MONEY_MAX - windows[length, bucket])


@kernel
def total_of(windows, length):
    """Return what is counted in a window that was brought to now."""
    total = np.int64(0)
    for bucket in range(BUCKETS):
        total += min(windows[length, bucket], MONEY_MAX - total)
    return total


@kernel
def renew_account(s, account):
    """Bring an account's windows to now."""
    own = s.rule_accounts[account]
    if own.term != s.rules_term:
        own.loss_ts = 0
    _renew(s, own, own.orders, own.trades)


@kernel
def renew_position(s, position):
    """Bring a position's windows to now."""
    own = s.rule_positions[position]
    _renew(s, own, own.ordered, own.filled)


@kernel
def renew_book(s, book):
    """Bring an instrument's windows to now."""
    own = s.rule_books[book]
    _renew(s, own, own.volume, own.volume)


@apart
def count_order(s, order, lots):
    """Count an order that was accepted or changed, which brought so many lots."""
    account, position = np.int64(s.hot[order].account), np.int64(s.hot[order].position)
    renew_account(s, account)
    _add(s, s.rule_accounts[account].orders, ONE)
    if lots > 0:
        renew_position(s, position)
        _add(s, s.rule_positions[position].ordered, lots)


@kernel
def count_trade_of_rules(s, taker, maker, qty):
    """Count a trade for both sides and for the instrument."""
    book = np.int64(s.hot[taker].instrument)
    renew_book(s, book)
    _add(s, s.rule_books[book].volume, qty)
    _count_side(s, taker, qty)
    _count_side(s, maker, qty)
    _note_loss(s, taker)
    _note_loss(s, maker)


@kernel
def _count_side(s, order, qty):
    account, position = np.int64(s.hot[order].account), np.int64(s.hot[order].position)
    renew_account(s, account)
    renew_position(s, position)
    _add(s, s.rule_accounts[account].trades, ONE)
    _add(s, s.rule_positions[position].filled, qty)


@kernel
def _note_loss(s, order):
    """Note that an account's realised profit has fallen by the trade, of one on both sides by all of it."""
    position = np.int64(s.hot[order].position)
    realised = s.positions[position].realised
    if realised < s.rule_realised[position]:
        s.rule_accounts[np.int64(s.hot[order].account)].loss_ts = s.eng_ts
    s.rule_realised[position] = realised


@kernel
def begin_term(s):
    """Begin to keep it, from this command on."""
    s.rules_term = s.seq
    for position in range(s.positions_used):
        s.rule_realised[position] = s.positions[position].realised
