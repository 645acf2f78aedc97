"""Margin: accounts that trade on what they are worth instead of on their cash (exchange rule S21).

    m = ppm * max(worth + open buys, -worth + open sells)        of each instrument; worth = qty * mark

in the instrument's quote currency, at its initial or its maintenance margin, rounded up, and then converted
into the account's reporting currency and rounded up. The margin in use is the sum. A position counts at the
mark at which it was last valued, as it does in the equity, so that the two never tell of different moments;
open orders count at their own prices. Cash may be negative. Step 18 asks that the equity covers the initial
margin; below the maintenance margin the account latches (latches.py). Nothing is ever liquidated.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.equity import equity_of, moved_equity
from engine.trading.kernels.money import PPM, UNBOUNDED, plus, rated
from engine.trading.kernels.rates import UP, converted
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL, ON_MARGIN
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import apart, kernel

INITIAL, MAINTENANCE = True, False
NOTHING = np.int64(0)


@kernel
def is_on_margin(s, account):
    """Tell whether an account trades on margin."""
    return np.int64(s.accounts[account].unlimited) & ON_MARGIN != 0


@kernel
def _in_instrument(s, book, reporting, worth, buys, sells, is_initial):
    """Return the margin of an instrument, minor units of the reporting currency; or UNBOUNDED."""
    if worth == UNBOUNDED:
        return UNBOUNDED
    worse = max(plus(worth, buys), plus(-worth, sells))
    if worse == UNBOUNDED or worse == 0:
        return worse
    ppm = np.int64(s.books[book].initial_ppm if is_initial else s.books[book].maintenance_ppm)
    return converted(s, rated(worse, ppm, np.int64(PPM), UP), s.books[book].quote, reporting, UP)


@kernel
def margin_but(s, account, other, is_initial):
    """Return the margin in use of an account, without that of the position `other`; or UNBOUNDED.

    What is read is kept within its pools: readers of a live state walk too.
    """
    reporting = s.watches[account].reporting
    total = NOTHING
    position = np.int64(s.accounts[account].positions_head) - 1
    for _ in range(s.books_used):  # an account has one position at most in each
        if position < 0 or position >= len(s.positions):
            break
        if position != other:
            book = s.positions[position].key & INSTRUMENT_MASK
            worth, held = s.valued[position], s.dealings[position]
            margin = _in_instrument(s, book, reporting, worth, held.open_buys, held.open_sells, is_initial)
            total = plus(total, margin)
        position = np.int64(s.positions[position].account_next) - 1
    return total


@kernel
def margin_in_use(s, account, is_initial):
    """Return the margin in use of an account, 0 of one that is not on margin; or UNBOUNDED."""
    return margin_but(s, account, NIL, is_initial) if is_on_margin(s, account) else NOTHING


@kernel
def margin_with(s, account, book, position, side, more):
    """Return the initial margin of an instrument with `more` minor units more open on a side; or UNBOUNDED.

    position : position idx, or NIL = none yet
    """
    worth, buys, sells = NOTHING, NOTHING, NOTHING
    if position != NIL:
        worth = s.valued[position]
        buys, sells = s.dealings[position].open_buys, s.dealings[position].open_sells
    if side == codes.BUY:
        buys = plus(buys, more)
    else:
        sells = plus(sells, more)
    if buys == UNBOUNDED or sells == UNBOUNDED:
        return UNBOUNDED
    return _in_instrument(s, book, s.watches[account].reporting, worth, buys, sells, INITIAL)


@apart
def check_margin(s, account, book, position, side, more):
    """Step 18 of an account on margin: `more` minor units more open in an instrument; others pass.

    What does not raise the margin of the instrument passes.
    """
    if not is_on_margin(s, account):
        return codes.OK
    after = margin_with(s, account, book, position, side, more)
    if after <= margin_with(s, account, book, position, side, NOTHING) and after != UNBOUNDED:
        return codes.OK
    equity, is_bounded = equity_of(s, account)
    if not is_bounded or plus(margin_but(s, account, position, INITIAL), after) > equity:
        return codes.INSUFFICIENT_MARGIN
    return codes.OK


@kernel
def check_margin_left(s, account, currency, amount):
    """Check that `amount` of a currency can be taken from an account; one that is not on margin passes."""
    if not is_on_margin(s, account):
        return codes.OK
    equity, is_bounded = moved_equity(s, account, currency, -amount)
    if not is_bounded or margin_in_use(s, account, INITIAL) > equity:
        return codes.INSUFFICIENT_MARGIN
    return codes.OK


@kernel
def maintenance(s, account):
    """Return (maintenance margin in use, equity, whether the equity is below it); amounts within 2**62."""
    used = margin_in_use(s, account, MAINTENANCE)
    equity, is_bounded = equity_of(s, account)
    return min(used, np.int64(MONEY_MAX)), equity, not is_bounded or used > equity


@kernel
def margin_room(s, account, book, position, side, px):
    """Return the lots at px whose initial margin the equity covers: as many as check_margin lets pass.

    They are found by halving; their notional is within 2**62.
    """
    unit = px * s.books[book].scale
    equity, is_bounded = equity_of(s, account)
    others = margin_but(s, account, position, INITIAL)
    before = margin_with(s, account, book, position, side, NOTHING)
    passes, fails = NOTHING, np.int64(MONEY_MAX) // unit + 1
    while fails - passes > 1:  # at most 62 rounds
        lots = passes + (fails - passes) // 2
        after = margin_with(s, account, book, position, side, lots * unit)
        is_covered = is_bounded and plus(others, after) <= equity
        if after != UNBOUNDED and (after <= before or is_covered):
            passes = lots
        else:
            fails = lots
    return passes
