"""The quantity of an order that names a method in its place, chosen from what its account is worth now.

    wanted        what the method says (sizing.py), of the live equity, at the order's price
    position room what max_position leaves, open orders of its side counted: its own, then its group's
    funds room    what buying power leaves, at the worst price that the order may trade at; sells need
                  none, but on margin they do

The least of the three is the quantity. It is chosen between steps 9 and 10 of exchange rule S3 and passes all
that follow like one that was given. Nothing here writes, and what the walk over positions reads is kept
within its pools, for readers of a live state walk too (engine/trading/view/size_kernels.py).
"""

import numpy as np

from engine.trading import codes
from engine.trading.fields import CAP_BITS, SIZING_BITS, SIZING_PPM_MAX
from engine.trading.kernels.accounts import find_position
from engine.trading.kernels.equity import WORTH_BITS, WORTH_MASK, equity_of, has_equity, whole, worth_of
from engine.trading.kernels.groups import group_of
from engine.trading.kernels.levels import best_level
from engine.trading.kernels.margin import is_on_margin, margin_room
from engine.trading.kernels.money import PPM, UNBOUNDED, rated
from engine.trading.kernels.rates import DOWN, converted, has_rate
from engine.trading.kernels.sizing import (
    LARGEST,
    NO_DIVISOR,
    fixed_notional,
    fixed_risk,
    kelly,
    multiplied,
    vol_target,
)
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL, NO_LIMIT
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import apart, kernel

METHOD_MASK = (1 << SIZING_BITS) - 1
WIN_MASK = (1 << CAP_BITS) - 1
DECIMALS_MAX = 18
NOTHING = np.int64(0)
ONE = np.int64(1)


@apart
def is_legal_size(s, book, first, second):
    """Step 6: tell whether the words of a SIZED order (fields.SIZING_FIELDS) are arguments of a method."""
    method, argument = second & METHOD_MASK, second >> SIZING_BITS
    if method == codes.FIXED_RISK:
        return _is_within(first, 1, PPM) and _is_within(argument, 1, s.books[book].max_px)
    if method == codes.FIXED_NOTIONAL:
        return _is_within(first, 1, MONEY_MAX) and _is_within(argument, 0, DECIMALS_MAX)
    if method == codes.VOL_TARGET:
        return _is_within(first, 1, SIZING_PPM_MAX) and _is_within(argument, 1, SIZING_PPM_MAX)
    if method != codes.KELLY:
        return False
    is_share = _is_within(first & WIN_MASK, 0, PPM) and _is_within(first >> CAP_BITS, 1, PPM)
    return is_share and _is_within(argument, 1, SIZING_PPM_MAX)


@kernel
def _is_within(value, lowest, highest):
    return value >= lowest and value <= highest


@apart
def choose_quantity(s, command, account, book, position, side, limit_px):
    """Return (reason, quantity) of a SIZED order.

    position : position idx, or NIL where it has none yet
    limit_px : int64, ticks: the worst price that the order may trade at
    """
    entry_px = limit_px if command["order_type"] == codes.LIMIT else opposite_px(s, book, side)
    reason, wanted, _ = wanted_quantity(s, account, book, entry_px, command["qty"], command["order_id"])
    if reason != codes.OK:
        return reason, NOTHING
    quantity = min(wanted, position_room(s, account, book, position, side))
    quantity = min(quantity, group_room(s, account, book, side))
    quantity = min(quantity, funds_room(s, account, book, position, side, limit_px))
    return (codes.OK if quantity > 0 else codes.INVALID_QUANTITY), quantity


@kernel
def opposite_px(s, book, side):
    """Return the price at which a market order on `side` begins to trade: there is an opposite best."""
    return s.levels[best_level(s, book, codes.BUY + codes.SELL - side)].px


@kernel
def wanted_quantity(s, account, book, px, first, second):
    """Return (reason, lots that the method asks for, equity it was asked of; 0 where it needs none).

    px : int64, ticks; first, second : legal words of a SIZED order
    """
    method, argument = second & METHOD_MASK, second >> SIZING_BITS
    if not has_rate(s, s.books[book].quote, s.watches[account].reporting):
        return codes.NO_RATE, NOTHING, NOTHING
    lot_value, reason, equity = s.books[book].scale, codes.OK, NOTHING
    if method != codes.FIXED_NOTIONAL:
        reason, equity = live_equity(s, account)
    if reason != codes.OK:
        return reason, NOTHING, NOTHING
    money = equity if method != codes.FIXED_NOTIONAL else _minor_units(s, account, first, argument)
    money = _in_quote(s, account, book, money)
    if method == codes.FIXED_RISK:
        lots = fixed_risk(money, first, px, argument, lot_value, ONE)
    elif method == codes.FIXED_NOTIONAL:
        lots = fixed_notional(money, px, lot_value)
    elif method == codes.VOL_TARGET:
        lots = vol_target(money, first, argument, px, lot_value)
    else:
        lots = kelly(money, first & WIN_MASK, argument, first >> CAP_BITS, px, lot_value)
    if lots == NO_DIVISOR:
        return codes.INVALID_FIELD, NOTHING, equity
    return codes.OK, lots, equity


@kernel
def _in_quote(s, account, book, money):
    """Return money of the reporting currency in the instrument's, rounded down: 2**62 at most."""
    quote, reporting = s.books[book].quote, s.watches[account].reporting
    if quote == reporting or money <= 0:
        return money
    amount = rated(money, s.rates[quote, reporting].parts, s.rates[quote, reporting].times, DOWN)
    return min(amount, LARGEST)


@kernel
def live_equity(s, account):
    """Return (reason, what an account is worth at this moment, minor units of its reporting currency).

    Where it is kept, for limits of loss, it is what they are measured by; else the account's money and its
    positions at the marks and rates of this moment.
    """
    if has_equity(s, account):
        equity, is_bounded = equity_of(s, account)
        return (codes.OK if is_bounded else codes.OVERFLOW), equity
    reporting = s.watches[account].reporting
    high, low, is_bounded = NOTHING, NOTHING, True
    for currency in range(s.currencies_used):
        total = s.balances[currency, account].total
        if total != 0 and not has_rate(s, currency, reporting):
            return codes.NO_RATE, NOTHING
        worth = converted(s, total, currency, reporting, DOWN)
        is_bounded &= worth != UNBOUNDED
        high, low = high + (worth >> WORTH_BITS), low + (worth & WORTH_MASK)
    position = np.int64(s.accounts[account].positions_head) - 1
    for _ in range(s.books_used):  # an account has one position at most in each
        if position < 0 or position >= len(s.positions):
            break
        if s.positions[position].qty != 0:
            quote = s.books[s.positions[position].key & INSTRUMENT_MASK].quote
            if not has_rate(s, quote, reporting):
                return codes.NO_RATE, NOTHING
            worth = converted(s, worth_of(s, position), quote, reporting, DOWN)
            is_bounded &= worth != UNBOUNDED
            high, low = high + (worth >> WORTH_BITS), low + (worth & WORTH_MASK)
        position = np.int64(s.positions[position].account_next) - 1
    equity, is_within = whole(high, low)
    return (codes.OK if is_bounded and is_within else codes.OVERFLOW), equity


@kernel
def _minor_units(s, account, amount, decimals):
    """Return an amount counted with `decimals` in minor units of the reporting currency, rounded down.

    Where it passes 2**62 it counts as 2**62.
    """
    more = s.currencies[s.watches[account].reporting].decimals - decimals
    for _ in range(more):
        if amount > MONEY_MAX // 10:
            return LARGEST
        amount *= 10
    for _ in range(-more):
        amount //= 10
    return amount


@kernel
def position_room(s, account, book, position, side):
    """Return the lots that max_position leaves to an order on `side` (step 14); 2**62 for no limit."""
    limit = s.accounts[account].position_limit
    if limit == NO_LIMIT:
        return LARGEST
    reach = NOTHING
    if position != NIL:
        held = s.positions[position].qty
        is_buy = side == codes.BUY
        reach = held + s.positions[position].open_buy if is_buy else s.positions[position].open_sell - held
    lots = limit // s.books[book].lot_nano
    if lots - LARGEST >= reach:  # their difference may pass 2**62
        return LARGEST
    return max(lots - reach, NOTHING)


@kernel
def group_room(s, account, book, side):
    """Return the lots that the max_position of an account's group leaves, as `position_room`."""
    group = group_of(s, account)
    return LARGEST if group == NIL else position_room(s, group, book, find_position(s, group, book), side)


@kernel
def funds_room(s, account, book, position, side, limit_px):
    """Return the lots whose notional and fee at limit_px are free (step 18); 2**62 where none is asked.

    position : position idx, or NIL = none yet. On margin: the lots whose initial margin is free.

    notional + ceil(notional * rate / 1e6) <= free says the same as notional * (1e6 + rate) <= free * 1e6,
    for notional and free are whole: so the largest notional is found by one division.
    """
    if is_on_margin(s, account):
        return margin_room(s, account, book, position, side, limit_px)
    if side != codes.BUY or s.accounts[account].unlimited != 0:
        return LARGEST
    quote = s.books[book].quote
    free = s.balances[quote, account].total - s.balances[quote, account].reserved
    if free <= 0:
        return NOTHING
    rate_ppm = max(s.books[book].maker_ppm, s.books[book].taker_ppm, NOTHING)
    notional = multiplied(min(free, LARGEST), np.int64(PPM), PPM + rate_ppm)
    return notional // limit_px // s.books[book].scale
