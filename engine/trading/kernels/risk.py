"""Kills, limits and buying power: exchange rule S3, steps 8 to 18; formulas of exchange rule S21.

A limit refuses when exceeded; equality passes. A replace is measured by what it
raises alone. Of these checks only the rate buckets write: an attempt counts.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import TOKEN, notional_of
from engine.trading.kernels.money import reserve_of
from engine.trading.kernels.state import NIL, NO_LIMIT
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import inlined, kernel

BUCKET_NEW = np.int64(0)
BUCKET_REPLACE = np.int64(1)
WORD_HALF = np.int64(2**32)
BPS = 10_000
MODEST = MONEY_MAX // 8
"""Below it any eight amounts add up to less than MONEY_MAX, and step 18 adds up five at most."""


@kernel
def is_killed(s, account, book):
    """Step 8: tell whether the venue, the instrument or the account is killed; asked where any kill holds.

    No live order is in what was killed, so a replace does not come here.
    """
    return (s.is_venue_killed | s.books[book].is_killed | s.accounts[account].is_killed) != 0


@inlined
def drained(used, elapsed, rate):
    """Return what of the tokens taken has not come back after so many nanoseconds, in 1e-9 tokens."""
    if elapsed < WORD_HALF:  # rate < 2**30: the product is exact, and no division is needed
        used -= elapsed * rate
        return used if used > 0 else 0
    if rate == 0:
        return used
    return 0 if elapsed > used // rate else used - elapsed * rate


@inlined
def take_token(s, account, bucket):
    """Step 9: take a token of the account's bucket for NEW or REPLACE, or RATE_LIMIT.

    A bucket counts what was taken and has not come back; what came back is exact to
    1e-9 token, so no remainder is lost. `order_rate` tokens come back a second, and at
    most `order_burst` (the rate, where no burst is set) may be out.
    """
    rate = s.accounts[account].rate_limit
    if rate == NO_LIMIT:
        return codes.OK
    elapsed = s.eng_ts - s.accounts[account].rate_ts[bucket]
    used = drained(s.accounts[account].rate_used[bucket], elapsed, rate)
    s.accounts[account].rate_ts[bucket] = s.eng_ts
    is_refused = used + TOKEN > s.accounts[account].burst_limit
    s.accounts[account].rate_used[bucket] = used if is_refused else used + TOKEN
    return codes.RATE_LIMIT if is_refused else codes.OK


@inlined
def check_size(s, book, px, qty, leaves):
    """Steps 10 and 11: total quantity, and leaves * px in minor units."""
    if qty > s.books[book].max_qty:
        return codes.MAX_QUANTITY
    if notional_of(s, book, px, leaves) > s.books[book].max_notional:
        return codes.MAX_NOTIONAL
    return codes.OK


@inlined
def check_price(s, book, px):
    """Step 12: static band, then collar around the mark (last trade where there is none)."""
    if px >= s.books[book].free_low and px <= s.books[book].free_high:
        return codes.OK
    if px < s.books[book].band_low or px > s.books[book].band_high:
        return codes.PRICE_BAND
    if is_beyond_collar(s, book, px):
        return codes.PRICE_COLLAR
    return codes.OK


@kernel
def reference_px(s, book):
    """Return the mark, or the last trade's px where there is none; 0 when neither exists."""
    if s.books[book].mark_px != 0:
        return s.books[book].mark_px
    return s.books[book].last_px


@kernel
def is_beyond_collar(s, book, px):
    """Tell whether abs(px - ref) * 1e4 > bps * ref; exact, since px < 2**40 and bps <= 1e6."""
    bps = s.books[book].collar_bps
    ref = reference_px(s, book)
    if bps == 0 or ref == 0:
        return False
    return abs(px - ref) * BPS > bps * ref


@kernel
def renew_free_prices(s, book):
    """Reckon anew which prices neither band nor collar refuses: what one of them hangs on has changed."""
    low, high = s.books[book].band_low, s.books[book].band_high
    bps, ref = s.books[book].collar_bps, reference_px(s, book)
    if bps != 0 and ref != 0:
        distance = bps * ref // BPS
        low, high = max(low, ref - distance), min(high, ref + distance)
    s.books[book].free_low = low
    s.books[book].free_high = high


@kernel
def band_distance(s, book, px):
    """Return by how many ticks px lies outside the static band."""
    return max(s.books[book].band_low - px, px - s.books[book].band_high, 0)


@kernel
def check_open_orders(s, account):
    """Step 13, for an order that may rest."""
    if s.accounts[account].open_orders >= s.accounts[account].open_orders_limit:
        return codes.MAX_OPEN_ORDERS
    return codes.OK


@kernel
def check_book_orders(s, book):
    """Step 13, behind the account's: how many orders rest in the instrument."""
    most = s.books[book].max_open_orders
    return codes.MAX_OPEN_ORDERS if most != 0 and s.books[book].order_count >= most - 1 else codes.OK


@inlined
def check_position(s, account, book, position, side, qty):
    """Step 14: `qty` more open lots on `side`; position NIL = none yet."""
    held = 0
    open_buy = 0
    open_sell = 0
    if position != NIL:
        held = s.positions[position].qty
        open_buy = s.positions[position].open_buy
        open_sell = s.positions[position].open_sell
    if side == codes.BUY:
        worst = held + open_buy + qty
    else:
        worst = -(held - open_sell - qty)
    limit = s.accounts[account].position_limit
    if limit != NO_LIMIT and worst > limit >> s.books[book].lot_nano_bits:
        # The shift undershoots, so few orders come to the division.
        if worst > limit // s.books[book].lot_nano:
            return codes.MAX_POSITION
    if worst > MONEY_MAX:
        return codes.OVERFLOW
    return codes.OK


@inlined
def check_buy_funds(s, account, quote, position, amount):
    """Step 18 for a buy: `amount` more to hold, from what is free; position NIL = none yet."""
    free = s.balances[quote, account].total - s.balances[quote, account].reserved
    if s.accounts[account].unlimited == 0 and amount > free:
        return codes.INSUFFICIENT_FUNDS
    if _is_modest(s, account, quote, position, amount):
        return codes.OK
    if s.balances[quote, account].reserved > MONEY_MAX - amount or free < amount - MONEY_MAX:
        return codes.OVERFLOW
    return _check_value(s, account, quote, position, amount)


@inlined
def check_sell_proceeds(s, account, quote, position, amount):
    """Step 18 for a sell: `amount` more may come in; nothing may pass 2**62."""
    if _is_modest(s, account, quote, position, amount):
        return codes.OK
    selling = s.balances[quote, account].selling
    if selling > MONEY_MAX - amount or s.balances[quote, account].total > MONEY_MAX - selling - amount:
        return codes.OVERFLOW
    return _check_value(s, account, quote, position, amount)


@inlined
def _is_modest(s, account, quote, position, amount):
    """Tell whether no number that step 18 adds up is as high as MODEST; without branches, for most are."""
    highest = amount | s.balances[quote, account].reserved | s.balances[quote, account].selling
    highest |= _bits_of(s.balances[quote, account].total) | _bits_of(s.currencies[quote].fees)
    if position != NIL:
        highest |= s.positions[position].cost | _bits_of(s.positions[position].realised)
    return highest < MODEST


@inlined
def _bits_of(value):
    """Return a number below the same powers of two as abs(value)."""
    return value ^ (value >> 63)


@kernel
def _check_value(s, account, quote, position, amount):
    """Check that a position's cost and realised profit stay within 2**62 whatever of its open orders fills.

    The account's open orders of the currency count as if all of them were this position's.
    """
    if position != NIL:
        room = MONEY_MAX - s.positions[position].cost - abs(s.positions[position].realised)
        if amount > room - s.balances[quote, account].reserved - s.balances[quote, account].selling:
            return codes.OVERFLOW
    return check_fee_account(s, quote, amount)


@kernel
def check_fee_account(s, quote, amount):
    """Check the fee account: a fee is at most the notional, so it moves by twice `amount` at most."""
    if abs(s.currencies[quote].fees) > MONEY_MAX - amount:
        return codes.OVERFLOW
    return codes.OK


@inlined
def check_funds(s, account, book, position, side, px, qty, maker_ppm, taker_ppm):
    """Step 18 of a new order: `qty` lots at px, or better for a sell (the opposite best)."""
    quote = s.books[book].quote
    if side == codes.BUY:
        amount = reserve_of(notional_of(s, book, px, qty), maker_ppm, taker_ppm)
        return check_buy_funds(s, account, quote, position, amount)
    best = s.books[book].best[codes.BUY] - 1
    if best != NIL:
        px = max(px, s.levels[best].px)
    return check_sell_proceeds(s, account, quote, position, notional_of(s, book, px, qty))
