"""LIMITS: what instruments and accounts may do; a lowered limit leaves resting orders alone."""

import numpy as np

from engine.trading import codes
from engine.trading.fields import BPS, LOSS_LIMIT_LIFTED
from engine.trading.kernels.accounts import find_account, resolve_limits
from engine.trading.kernels.admin import DECIMALS_MAX, integer_root
from engine.trading.kernels.equity import equity_of, is_measurable, unwatch_idle, watch
from engine.trading.kernels.events import done, rejected
from engine.trading.kernels.latches import FIRST_LIMIT, LAST_LIMIT
from engine.trading.kernels.risk import renew_free_prices
from engine.trading.kernels.state import LIMIT_LIFTED, NIL
from engine.trading.kernels.touch import touch_account, touch_book
from engine.trading.kernels.validate import check_operator
from engine.trading.records import ALL_INSTRUMENTS, LIFTED, MONEY_MAX, PX_MAX, UNCHANGED
from ringbuf.kernel import kernel

NO_BAND_LOW = np.int64(1)
NO_BAND_HIGH = np.int64(PX_MAX)
LARGEST = np.int64(MONEY_MAX)
RATE_MAX = np.int64(1_000_000_000)
"""Orders a second, and burst: keeps a bucket's 1e-9 tokens in int64."""


@kernel
def apply_limits(s, command):
    """Apply a LIMITS: of one instrument, of one account, or of every account's default."""
    reason = check_operator(command)
    book = np.int64(command["instrument"])
    if reason == codes.OK:
        if book != ALL_INSTRUMENTS:
            reason = _limit_instrument(s, command, book)
        else:
            reason = _limit_accounts(s, command)
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    done(s, command, book)


@kernel
def _chosen(given, held, lifted):
    """Return the value that holds after a LIMITS field."""
    if given == UNCHANGED:
        return held
    return lifted if given == LIFTED else given


@kernel
def _limit_instrument(s, command, book):
    """Check the fields together, then write them."""
    if book < 0 or book >= s.books_used:
        return codes.UNKNOWN_INSTRUMENT
    largest = (MONEY_MAX - 1) // s.books[book].scale
    default = min(integer_root(largest), largest // s.books[book].max_px)
    max_qty = _chosen(command["qty"], s.books[book].max_qty, default)
    max_notional = _chosen(command["display_qty"], s.books[book].max_notional, LARGEST)
    band_low = _chosen(command["stop_px"], s.books[book].band_low, NO_BAND_LOW)
    band_high = _chosen(command["expiry"], s.books[book].band_high, NO_BAND_HIGH)
    if max_qty < 0 or max_notional < 0:
        return codes.INVALID_FIELD
    if max_qty > largest // s.books[book].max_px:
        return codes.OVERFLOW
    if band_low < 1 or band_high < band_low or band_high > PX_MAX:
        return codes.INVALID_PRICE
    touch_book(s, book)
    s.books[book].max_qty = max_qty
    s.books[book].max_notional = max_notional
    s.books[book].band_low = band_low
    s.books[book].band_high = band_high
    renew_free_prices(s, book)
    return codes.OK


@kernel
def _is_limit(given, highest):
    """Tell whether a field is UNCHANGED, LIFTED or a limit from 0 to `highest`."""
    return given == UNCHANGED or given == LIFTED or (given >= 0 and given <= highest)


@kernel
def _stored(given, held):
    """Return a limit as the state keeps it: limit + 1, LIMIT_LIFTED, or what was there."""
    if given == UNCHANGED:
        return held
    return LIMIT_LIFTED if given == LIFTED else given + 1


@kernel
def _limit_accounts(s, command):
    """Write the limits of one account, or the default when the account is 0."""
    open_orders, position = command["px"], command["qty"]
    rate, burst = command["display_qty"], command["stop_px"]
    if not (_is_limit(open_orders, LARGEST) and _is_limit(position, LARGEST)):
        return codes.INVALID_FIELD
    if not (_is_limit(rate, RATE_MAX) and _is_limit(burst, RATE_MAX)):
        return codes.INVALID_FIELD
    reason = _check_loss_limits(command)
    if reason != codes.OK:
        return reason
    if command["account"] == 0:
        s.default_max_open_orders = _stored(open_orders, s.default_max_open_orders)
        s.default_max_position = _stored(position, s.default_max_position)
        s.default_order_rate = _stored(rate, s.default_order_rate)
        s.default_order_burst = _stored(burst, s.default_order_burst)
        for each in range(s.accounts_used):
            resolve_limits(s, each)
        return codes.OK
    account = find_account(s, command["account"])
    if account == NIL:
        return codes.UNKNOWN_ACCOUNT
    reason = _check_amounts(s, command, account)
    if reason != codes.OK:
        return reason
    if _sets_loss_limit(command) and s.accounts[account].is_watched == 0 and not is_measurable(s, account):
        return codes.NO_RATE
    touch_account(s, account)
    s.accounts[account].max_open_orders = _stored(open_orders, s.accounts[account].max_open_orders)
    s.accounts[account].max_position = _stored(position, s.accounts[account].max_position)
    s.accounts[account].order_rate = _stored(rate, s.accounts[account].order_rate)
    s.accounts[account].order_burst = _stored(burst, s.accounts[account].order_burst)
    resolve_limits(s, account)
    _limit_losses(s, command, account)
    return codes.OK


@kernel
def _loss_limit(command, latch):
    """Return what a LIMITS says of a limit of loss (fields.LOSS_LIMIT_FIELDS)."""
    if latch == codes.LATCH_DAILY_LOSS:
        return command["client_order_id"]
    return command["order_id"] if latch == codes.LATCH_DRAWDOWN else command["expiry"]


@kernel
def _sets_loss_limit(command):
    """Tell whether a LIMITS sets a limit of loss."""
    return command["client_order_id"] > 0 or command["order_id"] > 0 or command["expiry"] > 0


@kernel
def _check_loss_limits(command):
    """Check the limits of loss and their level; they are an account's own, never the default."""
    is_named = False
    for latch in range(FIRST_LIMIT, LAST_LIMIT + 1):
        given = _loss_limit(command, latch)
        highest = np.int64(BPS) if latch == codes.LATCH_DRAWDOWN_BPS else LARGEST
        if given < LOSS_LIMIT_LIFTED or given > highest:
            return codes.INVALID_FIELD
        is_named |= given != 0
    decimals = command["order_type"]
    if decimals < 0 or decimals > DECIMALS_MAX:
        return codes.INVALID_FIELD
    level = command["side"]
    if level < 0 or level > codes.LEVEL_BLOCK or (level != 0 and not is_named):
        return codes.INVALID_FIELD
    if is_named and command["account"] == 0:
        return codes.INVALID_FIELD
    return codes.UNSUPPORTED if level == codes.LEVEL_REDUCE_ONLY else codes.OK


@kernel
def _in_measure(s, command, account, latch):
    """Return a limit of loss as it is measured: 1e-4 of the peak, or minor units; 0 for a part of one.

    Amounts come with decimals of their own, in `order_type`. One that passes 2**62 is MONEY_MAX + 1.
    """
    amount = _loss_limit(command, latch)
    if latch == codes.LATCH_DRAWDOWN_BPS:
        return amount
    more = s.currencies[s.watches[account].reporting].decimals - np.int64(command["order_type"])
    for _ in range(more):
        if amount > MONEY_MAX // 10:
            return LARGEST + 1
        amount *= 10
    for _ in range(-more):
        if amount % 10 != 0:
            return np.int64(0)
        amount //= 10
    return amount


@kernel
def _check_amounts(s, command, account):
    """Check that every limit of loss is a whole number of minor units within 2**62."""
    for latch in range(FIRST_LIMIT, LAST_LIMIT + 1):
        if _loss_limit(command, latch) > 0:
            amount = _in_measure(s, command, account, latch)
            if amount == 0:
                return codes.INVALID_FIELD
            if amount > LARGEST:
                return codes.OVERFLOW
    return codes.OK


@kernel
def _limit_losses(s, command, account):
    """Write an account's limits of loss; the first that needs a reference begins it at the equity now."""
    if _sets_loss_limit(command):
        watch(s, account)
    equity, _ = equity_of(s, account)
    drawdown, drawdown_bps = codes.LATCH_DRAWDOWN, codes.LATCH_DRAWDOWN_BPS
    has_drawdown = (s.watches[account].limit[drawdown] | s.watches[account].limit[drawdown_bps]) != 0
    has_daily_loss = s.watches[account].limit[codes.LATCH_DAILY_LOSS] != 0
    for latch in range(FIRST_LIMIT, LAST_LIMIT + 1):
        given = _loss_limit(command, latch)
        if given == 0:
            continue
        s.watches[account].limit[latch] = _in_measure(s, command, account, latch) if given > 0 else 0
        s.watches[account].on_breach[latch] = command["side"] if command["side"] != 0 else codes.LEVEL_BLOCK
        if given > 0 and latch == codes.LATCH_DAILY_LOSS and not has_daily_loss:
            s.watches[account].day_start = equity
        if given > 0 and latch != codes.LATCH_DAILY_LOSS and not has_drawdown:
            s.watches[account].peak = equity
        if given < 0:
            s.watches[account].is_warned[latch] = 0
    unwatch_idle(s, account)
