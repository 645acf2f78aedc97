"""Accounts, balances and positions: found, created, reserved on entry, settled on fills.

Balances are money; what an account holds of an instrument is its position, signed
lots with the cost of what is open and the profit realised so far. An open buy holds
its notional and fee in `reserved`; an open sell is counted in `selling`, so that what
may still come in is known and nothing can pass 2**62.
"""

import numpy as np

from engine.contract.batches import PLACES
from engine.trading import codes
from engine.trading.kernels.money import fee_of, reserve_of, share_of
from engine.trading.kernels.state import ACCOUNT_IDX_BITS, NIL, NO_LIMIT
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import inlined, kernel

ACCOUNT_SPREAD = 2654435761  # 2**32 / golden ratio: Knuth, TAOCP 3, section 6.4
NOTHING = np.int64(0)
TOKEN = 1_000_000_000
"""A token in the unit of the rate buckets: rate per second times nanoseconds."""


@kernel
def account_bucket_of(s, account_id):
    """Return the bucket of an account id."""
    folded = account_id ^ (account_id >> 15) ^ (account_id >> 31)
    return folded & (len(s.account_bucket) - 1)


@kernel
def find_account(s, account_id):
    """Return the index of an account, or NIL."""
    return find_holder(s, account_id) if account_id > 0 else NIL


@kernel
def find_holder(s, account_id):
    """Return the index of an account, or of a group by its number with the sign changed; or NIL."""
    account = np.int64(s.account_bucket[account_bucket_of(s, account_id)]) - 1
    while account != NIL and s.accounts[account].account != account_id:
        account = np.int64(s.accounts[account].next) - 1
    return account


@inlined
def account_asked(s, account_id):
    """Return the index of the account of the command being applied, or NIL: as noted ahead, if that is it."""
    noted = s.hints[s.seq & (PLACES - 1)].account
    if noted != NIL and noted < s.accounts_used and s.accounts[noted].account == account_id:
        return noted
    return find_account(s, account_id)


@kernel
def add_account(s, account_id):
    """Create an account under the default limits, or a group; the caller checked that there is room."""
    account = s.accounts_used
    s.accounts_used += 1
    bucket = account_bucket_of(s, account_id)
    s.accounts[account].account = account_id
    s.accounts[account].next = s.account_bucket[bucket]
    s.account_bucket[bucket] = account + 1
    s.accounts[account].enabled = account_id > 0  # a group sends no orders
    resolve_limits(s, account)
    return account


@kernel
def resolve_limits(s, account):
    """Write down which limits hold for an account: its own, or the default's where it has none.

    A group has its own alone.
    """
    has_default = np.int64(s.accounts[account].account > 0)
    rate = _limit_of(s.accounts[account].order_rate, s.default_order_rate * has_default)
    burst = _limit_of(s.accounts[account].order_burst, s.default_order_burst * has_default)
    open_orders = _limit_of(s.accounts[account].max_open_orders, s.default_max_open_orders * has_default)
    position = _limit_of(s.accounts[account].max_position, s.default_max_position * has_default)
    s.accounts[account].rate_limit = rate
    s.accounts[account].burst_limit = (rate if burst == NO_LIMIT else burst) * TOKEN
    s.accounts[account].open_orders_limit = MONEY_MAX if open_orders == NO_LIMIT else open_orders
    s.accounts[account].position_limit = position


@kernel
def _limit_of(own, default):
    """Return the limit that holds, NO_LIMIT for none (how they are stored: state.ACCOUNT)."""
    stored = own if own != 0 else default
    return stored - 1 if stored > 0 else NO_LIMIT


@kernel
def position_bucket_of(s, account, instrument):
    """Return the bucket of a position."""
    return (account * ACCOUNT_SPREAD + instrument) & (len(s.position_bucket) - 1)


@kernel
def find_position(s, account, instrument):
    """Return the position of an account in an instrument, or NIL."""
    key = account << ACCOUNT_IDX_BITS | instrument
    position = np.int64(s.position_bucket[position_bucket_of(s, account, instrument)]) - 1
    while position != NIL and s.positions[position].key != key:
        position = np.int64(s.positions[position].next) - 1
    return position


@kernel
def add_position(s, account, instrument):
    """Create an empty position; the caller checked that there is room."""
    position = s.positions_used
    s.positions_used += 1
    bucket = position_bucket_of(s, account, instrument)
    s.positions[position].key = account << ACCOUNT_IDX_BITS | instrument
    s.positions[position].next = s.position_bucket[bucket]
    s.position_bucket[bucket] = position + 1
    s.positions[position].account_next = s.accounts[account].positions_head
    s.accounts[account].positions_head = position + 1
    return position


@kernel
def notional_of(s, book, px, qty):
    """Return px * qty in minor units; below 2**62 by the instrument's limits."""
    return px * qty * s.books[book].scale


@kernel
def holds(s, order, notional):
    """Return what an order adds to its balance with that much open: a buy reserves its fee too."""
    if s.cold[order].side == codes.SELL:
        return notional
    return reserve_of(notional, np.int64(s.cold[order].maker_ppm), np.int64(s.cold[order].taker_ppm))


@inlined
def commit_open(s, order, leaves, held):
    """Bring an order, its position and its balance to `leaves` open lots, for which it holds `held`."""
    account = s.hot[order].account
    position = s.hot[order].position
    quote = s.books[s.hot[order].instrument].quote
    more = leaves - s.hot[order].leaves
    change = held - s.hot[order].held
    s.hot[order].leaves = leaves
    s.hot[order].held = held
    if s.cold[order].side == codes.BUY:
        s.positions[position].open_buy += more
        s.balances[quote, account].reserved += change
    else:
        s.positions[position].open_sell += more
        s.balances[quote, account].selling += change


@inlined
def settle_fill(s, order, px, qty, rate_ppm):
    """Move money and position for a fill of `qty` lots; return the fee.

    Mutates leaves, cum and notional of the order, its position and its balance.
    """
    book = np.int64(s.hot[order].instrument)
    account = np.int64(s.hot[order].account)
    position = np.int64(s.hot[order].position)
    quote = s.books[book].quote
    notional = notional_of(s, book, px, qty)
    fee = fee_of(notional, rate_ppm)
    leaves = s.hot[order].leaves - qty
    s.cold[order].cum += qty
    s.cold[order].notional += px * qty
    commit_open(s, order, leaves, holds(s, order, notional_of(s, book, s.hot[order].px, leaves)))
    if s.cold[order].side == codes.BUY:
        s.balances[quote, account].total -= notional + fee
        _add_to_position(s, position, qty, notional)
    else:
        s.balances[quote, account].total += notional - fee
        _add_to_position(s, position, -qty, notional)
    s.currencies[quote].fees += fee
    return fee


@kernel
def _add_to_position(s, position, change, notional):
    """Apply signed lots bought (+) or sold (-) for `notional` to a position.

    What reduces the position takes its share of the cost, rounded down, and realises
    the difference; what goes beyond flat opens the other way at the trade's price.
    """
    held = s.positions[position].qty
    size = abs(change)
    s.positions[position].qty = held + change
    if held == 0 or (held > 0) == (change > 0):
        s.positions[position].cost += notional
        return
    closing = min(abs(held), size)
    cost = share_of(s.positions[position].cost, closing, abs(held))
    proceeds = share_of(notional, closing, size)
    s.positions[position].cost += notional - proceeds - cost
    if held > 0:
        s.positions[position].realised += proceeds - cost
    else:
        s.positions[position].realised += cost - proceeds
