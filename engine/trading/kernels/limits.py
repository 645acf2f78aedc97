"""LIMITS of an instrument; a lowered limit leaves resting orders alone. Of accounts: account_limits.py."""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.account_limits import limit_accounts
from engine.trading.kernels.admin import integer_root
from engine.trading.kernels.events import done, rejected
from engine.trading.kernels.risk import renew_free_prices
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_book
from engine.trading.kernels.validate import check_operator
from engine.trading.records import ALL_INSTRUMENTS, LIFTED, MONEY_MAX, PX_MAX, UNCHANGED
from ringbuf.kernel import kernel

NO_BAND_LOW = np.int64(1)
NO_BAND_HIGH = np.int64(PX_MAX)
LARGEST = np.int64(MONEY_MAX)
NO_LIMIT = np.int64(0)


@kernel
def apply_limits(s, command):
    """Apply a LIMITS or ACCOUNT_LIMITS: of one instrument, of one account, or of every account's default."""
    reason = check_operator(command)
    book = np.int64(command["instrument"])
    if reason == codes.OK:
        if command["op"] == codes.OP_ACCOUNT_LIMITS or book == ALL_INSTRUMENTS:
            reason = limit_accounts(s, command)
            book = NIL
        else:
            reason = _limit_instrument(s, command, book)
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
    open_orders = command["order_id"]
    if open_orders < 0 and open_orders != LIFTED:
        return codes.INVALID_FIELD
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
    if open_orders != 0:
        _limit_open_orders(s, book, NO_LIMIT if open_orders == LIFTED else open_orders)
    return codes.OK


@kernel
def _limit_open_orders(s, book, stored):
    """Write how many orders may be open in an instrument, limit + 1 or 0 for any; count who has a limit."""
    s.guard_count += np.int64(stored != 0) - np.int64(s.books[book].max_open_orders != 0)
    s.books[book].max_open_orders = stored
