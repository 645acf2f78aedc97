"""Equity of the accounts that may lose so much: what their money and positions are worth (exchange rule S21).

    equity = cash + sum(qty * mark), each position at the mark it was last valued at

in minor units of the account's reporting currency. It is kept for accounts that have a limit of loss, or a
latch of one (WATCHED_EQUITY). A position of it is valued at each of its fills and where the sweep comes by
(sweep.py), at the mark and the rate of that moment: the instrument's mark, or its last trade where it has
none. Money in another currency is valued likewise, at the rate: where it changes, and where the sweep comes
by. The sum of all is kept running, in two words of 32 bits each, so that it is exact whatever it passes.

The worth of a group is that of its accounts and their cash, counted where either changes (`is_counted`); they
are watched as long as the group is.

What is valued is a stake. Stakes that a change concerns stand in rings, in the order in which they came,
each ring with the round through it:

    rounds[currency] .at                    -> cash_stakes[currency]: accounts that have had money in it
    rounds[CURRENCIES_MAX + instrument] .at -> stakes: positions in the instrument

A change of the mark or the rate makes all of the ring due. What comes to the ring later is valued as it
comes, what is passed is due no more; so `due` may name one too many, never one too few.
"""

import numpy as np

from engine.trading.kernels.accounts import notional_of
from engine.trading.kernels.money import UNBOUNDED
from engine.trading.kernels.rates import DOWN, converted, has_rate
from engine.trading.kernels.risk import reference_px
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.kernels.touch import touch_account
from engine.trading.kernels.watch_records import CURRENCIES_MAX, ROUND_BITS, WATCHED_EQUITY
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import apart, kernel

WORTH_BITS = np.int64(32)
WORTH_MASK = np.int64(2**32 - 1)
LARGEST_HIGH = np.int64(MONEY_MAX >> 32)
NOTHING = np.int64(0)


@kernel
def has_equity(s, account):
    """Tell whether an account's equity is kept."""
    return np.int64(s.accounts[account].is_watched) & WATCHED_EQUITY != 0


@kernel
def worth_of(s, position):
    """Return what a position is worth at the mark of this moment, in its quote currency; or UNBOUNDED."""
    return worth_of_lots(s, s.positions[position].key & INSTRUMENT_MASK, s.positions[position].qty)


@kernel
def worth_of_lots(s, book, qty):
    """Return what so many lots, signed, are worth in an instrument, as `worth_of`."""
    px = reference_px(s, book)
    if abs(qty) <= s.books[book].max_qty:  # the product is exact (exchange rule S1)
        return notional_of(s, book, px, qty)
    unit = px * s.books[book].scale
    if unit != 0 and abs(qty) > MONEY_MAX // unit:
        return UNBOUNDED
    return unit * qty


@kernel
def value_position(s, position, account):
    """Value a position of a watched account at the mark and the rate of this moment."""
    quote = s.books[s.positions[position].key & INSTRUMENT_MASK].quote
    s.valued[position] = worth_of(s, position)
    worth = converted(s, s.valued[position], quote, s.watches[account].reporting, DOWN)
    _value(s, s.stakes, position, account, worth)


@kernel
def value_cash(s, currency, account):
    """Value what a watched account has in another currency than its own at the rate of this moment."""
    stakes = s.cash_stakes[currency]
    if stakes[account].next == 0:
        _join(s, stakes, account, currency)
    total = s.balances[currency, account].total
    _value(s, stakes, account, account, converted(s, total, currency, s.watches[account].reporting, DOWN))


@kernel
def _value(s, stakes, stake, account, worth):
    """Let a stake be worth so much from now on; touch the account if that is something else."""
    if worth != stakes[stake].worth:
        touch_account(s, account)
        _count_worth(s, account, stakes[stake].worth, np.int64(-1))
        _count_worth(s, account, worth, np.int64(1))
        stakes[stake].worth = worth


@kernel
def _count_worth(s, account, worth, times):
    """Add a worth to the account's sum and to its group's, or take it away (times -1)."""
    _add_worth(s, account, worth, times)
    if s.members[account].is_counted != 0:
        group = np.int64(s.members[account].group) - 1
        touch_account(s, group)
        _add_worth(s, group, worth, times)


@kernel
def _add_worth(s, account, worth, times):
    if worth == UNBOUNDED:
        s.watches[account].unbounded += times
        return
    s.watches[account].worth_high += times * (worth >> WORTH_BITS)
    s.watches[account].worth_low += times * (worth & WORTH_MASK)


@kernel
def renew_cash(s, account):
    """Let the cash of an account that its group counts be what it is now."""
    cash = s.balances[s.watches[account].reporting, account].total
    if cash != s.members[account].cash:
        group = np.int64(s.members[account].group) - 1
        touch_account(s, group)
        _add_worth(s, group, s.members[account].cash, np.int64(-1))
        _add_worth(s, group, cash, np.int64(1))
        s.members[account].cash = cash


@kernel
def count_member(s, account):
    """Count the worth and the cash of a watched account in its group's worth from now on."""
    s.members[account].cash = s.balances[s.watches[account].reporting, account].total
    s.members[account].is_counted = 1
    _merge(s, account, np.int64(1))


@kernel
def uncount_member(s, account):
    """Count them no longer."""
    _merge(s, account, np.int64(-1))
    s.members[account].is_counted = 0
    s.members[account].cash = 0


@kernel
def _merge(s, account, times):
    """Add all that is counted of an account to its group's worth, or take it away (times -1)."""
    group = np.int64(s.members[account].group) - 1
    touch_account(s, group)
    _add_worth(s, group, s.members[account].cash, times)
    s.watches[group].worth_high += times * s.watches[account].worth_high
    s.watches[group].worth_low += times * s.watches[account].worth_low
    s.watches[group].unbounded += times * s.watches[account].unbounded


@kernel
def equity_of(s, account):
    """Return (equity, minor units of the reporting currency; whether it and all it sums are within 2**62)."""
    cash = s.balances[s.watches[account].reporting, account].total
    high = s.watches[account].worth_high + (cash >> WORTH_BITS)
    equity, is_within = whole(high, s.watches[account].worth_low + (cash & WORTH_MASK))
    return equity, is_within and s.watches[account].unbounded == 0


@kernel
def whole(high, low):
    """Return (high * 2**32 + low, whether that is within 2**62); where it is not the bound that it passes."""
    high += low >> WORTH_BITS
    low &= WORTH_MASK
    if high > LARGEST_HIGH or (high == LARGEST_HIGH and low != 0):
        return np.int64(MONEY_MAX), False
    if high < -LARGEST_HIGH:
        return np.int64(-MONEY_MAX), False
    return (high << WORTH_BITS) + low, True


@kernel
def begin_equity(s, account):
    """Begin to keep an account's equity: all that it has is valued now."""
    for currency in range(s.currencies_used):
        if currency != s.watches[account].reporting and s.balances[currency, account].total != 0:
            value_cash(s, currency, account)
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        join_round(s, position, account)
        position = np.int64(s.positions[position].account_next) - 1


@kernel
def value_all(s, account):
    """Value all that a watched account has at the marks and rates of this moment."""
    for currency in range(s.currencies_used):
        if s.cash_stakes[currency, account].next != 0:
            value_cash(s, currency, account)
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        value_position(s, position, account)
        position = np.int64(s.positions[position].account_next) - 1


@kernel
def end_equity(s, account):
    """Stop keeping it."""
    for currency in range(s.currencies_used):
        if s.cash_stakes[currency, account].next != 0:
            _leave(s, s.cash_stakes[currency], account, currency)
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        _leave(s, s.stakes, position, _round_of(s, position))
        s.valued[position] = 0
        position = np.int64(s.positions[position].account_next) - 1
    s.watches[account].worth_high = 0
    s.watches[account].worth_low = 0
    s.watches[account].unbounded = 0


@apart
def join_round(s, position, account):
    """Put a position of a watched account into its instrument's ring, the last in it, and value it."""
    _join(s, s.stakes, position, _round_of(s, position))
    value_position(s, position, account)


@kernel
def _round_of(s, position):
    return CURRENCIES_MAX + (s.positions[position].key & INSTRUMENT_MASK)


@kernel
def _join(s, stakes, stake, idx):
    """Put a stake into the ring of the round at `idx`, the last in it."""
    first = np.int64(s.rounds[idx].first) - 1
    if first == NIL:
        s.rounds[idx].first = stake + 1
        s.rounds[idx].at = stake + 1
        stakes[stake].next = stake + 1
        stakes[stake].prev = stake + 1
    else:
        last = np.int64(stakes[first].prev) - 1
        stakes[stake].next = first + 1
        stakes[stake].prev = last + 1
        stakes[last].next = stake + 1
        stakes[first].prev = stake + 1
    s.rounds[idx].length += 1
    if s.rounds[idx].due > 0:  # it stands between the round and those who are still due
        s.rounds[idx].due += 1


@kernel
def _leave(s, stakes, stake, idx):
    """Take a stake out of the ring of the round at `idx`."""
    before, after = np.int64(stakes[stake].prev) - 1, np.int64(stakes[stake].next) - 1
    stakes[before].next = after + 1
    stakes[after].prev = before + 1
    s.rounds[idx].length -= 1
    is_empty = s.rounds[idx].length == 0
    if s.rounds[idx].at == stake + 1:
        s.rounds[idx].at = 0 if is_empty else after + 1
    if s.rounds[idx].first == stake + 1:
        s.rounds[idx].first = 0 if is_empty else after + 1
    stakes[stake].worth = 0
    stakes[stake].next = 0
    stakes[stake].prev = 0
    if s.rounds[idx].due > s.rounds[idx].length:
        set_due(s, idx, np.int64(s.rounds[idx].length))


@apart
def note_mark(s, book):
    """Make every stake in an instrument due: its mark has changed."""
    make_due(s, CURRENCIES_MAX + book)


@kernel
def note_rate(s, currency):
    """Make every stake in a currency due: a rate of it has changed."""
    make_due(s, currency)
    for book in range(s.books_used):
        if s.books[book].quote == currency:
            make_due(s, CURRENCIES_MAX + book)


@kernel
def make_due(s, idx):
    """Begin the round at `idx`, or make it longer: all of its ring are due."""
    if s.rounds[idx].length != 0:
        set_due(s, idx, np.int64(s.rounds[idx].length))


@kernel
def set_due(s, idx, due):
    """Write down how many stakes of a ring are due, and whether its round is under way."""
    word, bit = idx // ROUND_BITS, np.int64(1) << (idx % ROUND_BITS)
    if due != 0 and s.rounds[idx].due == 0:
        s.rounds_due += 1
        s.round_bits[word] |= bit
    elif due == 0 and s.rounds[idx].due != 0:
        s.rounds_due -= 1
        s.round_bits[word] &= ~bit
    s.rounds[idx].due = due


@kernel
def is_countable(s, account, currency):
    """Tell whether money of a currency can be an account's: its equity is not kept, or there is a rate.

    account : index of an account; below 0 no account, whose money nobody values
    """
    if account < 0 or not has_equity(s, account):
        return True
    return has_rate(s, currency, s.watches[account].reporting)


@kernel
def change_balance(s, account, currency, change):
    """Add `change` to a balance; what losses are measured from moves with it: money moved is no gain or loss.

    account : index of an account that was touched and for which the currency is countable
    change : within +-2**62
    """
    if not has_equity(s, account):
        s.balances[currency, account].total += change
        return
    reporting = s.watches[account].reporting
    before = converted(s, s.balances[currency, account].total, currency, reporting, DOWN)
    s.balances[currency, account].total += change
    after = converted(s, s.balances[currency, account].total, currency, reporting, DOWN)
    if currency != reporting:
        value_cash(s, currency, account)
    if s.members[account].is_counted != 0:
        renew_cash(s, account)
    if before != UNBOUNDED and after != UNBOUNDED:
        _move_references(s, account, before, after)
        if s.members[account].is_counted != 0:
            _move_references(s, np.int64(s.members[account].group) - 1, before, after)


@kernel
def _move_references(s, account, before, after):
    """Move what an account's or a group's losses are measured from."""
    s.watches[account].peak = _moved(s.watches[account].peak, before, after)
    s.watches[account].day_start = _moved(s.watches[account].day_start, before, after)


@kernel
def moved_equity(s, account, currency, change):
    """Return (equity, whether it is within 2**62) of a watched account with `change` more of a currency.

    The currency is countable; what the account has of it is valued at the rate of this moment.
    """
    reporting = s.watches[account].reporting
    equity, is_bounded = equity_of(s, account)
    total = s.balances[currency, account].total
    before = total if currency == reporting else s.cash_stakes[currency, account].worth
    after = converted(s, total + change, currency, reporting, DOWN)
    if not is_bounded or before == UNBOUNDED or after == UNBOUNDED:
        return equity, False
    return _moved(equity, before, after), True


@kernel
def _moved(reference, before, after):
    """Return a reference that has moved as far as from `before` to `after`, within 2**62."""
    high = (reference >> WORTH_BITS) + (after >> WORTH_BITS) - (before >> WORTH_BITS)
    low = (reference & WORTH_MASK) + (after & WORTH_MASK) - (before & WORTH_MASK)
    moved, _ = whole(high, low)
    return moved
