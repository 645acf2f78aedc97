"""Administration as commands (design decision D9): currencies, instruments, accounts, marks, rates.

Every command here ends in DONE or REJECTED. Where a field of COMMAND carries another
meaning, engine.trading.fields names it.
"""

import numpy as np

from engine.trading import codes
from engine.trading.fields import POSITION_LIMIT_DECIMALS, REPORTING_WORD
from engine.trading.kernels.accounts import add_account, find_account
from engine.trading.kernels.equity import change_balance, is_countable, note_mark, note_rate
from engine.trading.kernels.events import done, rejected
from engine.trading.kernels.funding import check_funding, fund, funded_by, is_convertible
from engine.trading.kernels.rates import fraction_of, has_rate
from engine.trading.kernels.risk import reference_px, renew_free_prices
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account, touch_book
from engine.trading.kernels.validate import check_operator
from engine.trading.kernels.watch_records import WATCHED_EQUITY, WATCHED_EXPOSURE, WATCHED_GROUP
from engine.trading.records import ALL_INSTRUMENTS, LIFTED, MONEY_MAX, PX_MAX, UNCHANGED
from ringbuf.kernel import kernel

DECIMALS_MAX = 18
LOT_DECIMALS_MAX = POSITION_LIMIT_DECIMALS
MANTISSA_MAX = 2**31 - 1
PPM_MAX = 1_000_000
BPS_MAX = 1_000_000
ROOT_MAX = 2**31
DEPOSIT_COUNT = 7
BYTE = 0xFF
CODE_WORDS = np.int64(3)
SYMBOL_WORDS = np.int64(2)
NOTHING = np.int64(0)
HALF, HALF_MASK, HALF_BITS = np.int64(2**31), np.int64(2**32 - 1), np.int64(32)
IN_MONEY = WATCHED_EQUITY | WATCHED_EXPOSURE
"""What is kept in an account's reporting currency."""


@kernel
def apply_currency(s, command):
    """Apply a CURRENCY; the same again is fine, other decimals are not."""
    reason = check_operator(command)
    decimals = command["value"]
    if reason == codes.OK and (decimals < 0 or decimals > DECIMALS_MAX or command["text"][0] == 0):
        reason = codes.INVALID_FIELD
    if reason == codes.OK:
        reason = _define_currency(s, command, decimals)
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    done(s, command, NIL)


@kernel
def _define_currency(s, command, decimals):
    for currency in range(s.currencies_used):
        if _is_same_text(s.currencies[currency].code, command["text"], CODE_WORDS):
            return codes.OK if s.currencies[currency].decimals == decimals else codes.ALREADY_DEFINED
    if s.currencies_used == len(s.currencies):
        return codes.CURRENCIES_FULL
    currency = s.currencies_used
    s.currencies_used += 1
    for word in range(3):
        s.currencies[currency].code[word] = command["text"][word]
    s.currencies[currency].decimals = decimals
    return codes.OK


@kernel
def _is_same_text(words, others, count):
    for word in range(count):
        if words[word] != others[word]:
            return False
    return True


@kernel
def scale_of(tick, tick_decimals, lot, lot_decimals, quote_decimals):
    """Return the minor units of one tick x one lot, or 0 where that is no whole number below 2**62."""
    scale = tick * lot  # mantissas are below 2**31
    for _ in range(quote_decimals - tick_decimals - lot_decimals):
        if scale >= MONEY_MAX // 10:
            return 0
        scale *= 10
    for _ in range(tick_decimals + lot_decimals - quote_decimals):
        if scale % 10 != 0:
            return 0
        scale //= 10
    return scale


@kernel
def integer_root(value):
    """Return isqrt(value) for 0 <= value < 2**62, by halving an interval (no floats in the engine)."""
    low = 0
    high = ROOT_MAX
    while high - low > 1:  # 31 rounds
        middle = (low + high) // 2
        if middle * middle <= value:
            low = middle
        else:
            high = middle
    return low


@kernel
def low_half(word):
    """Return the signed number in the lower 32 bits of a word."""
    return ((word + HALF) & HALF_MASK) - HALF


@kernel
def _margins(command):
    """Return an INSTRUMENT's initial and maintenance margin, in 1e-6; left out: the whole, the initial."""
    initial = (command["value"] - low_half(command["value"])) >> HALF_BITS
    maintenance = (command["text"][2] - low_half(command["text"][2])) >> HALF_BITS
    initial = np.int64(PPM_MAX) if initial == 0 else initial
    return initial, initial if maintenance == 0 else maintenance


@kernel
def apply_instrument(s, command):
    """Apply an INSTRUMENT: it takes the next index and opens CONTINUOUS."""
    reason = check_operator(command)
    if reason == codes.OK:
        reason = _check_instrument(s, command)
    if reason == codes.OK:
        reason = _define_instrument(s, command)
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    done(s, command, s.books_used - 1)


@kernel
def _check_instrument(s, command):
    """Check what does not depend on the scale."""
    tick = command["account"]
    lot = command["client_order_id"]
    if command["text"][0] == 0 or tick < 1 or tick > MANTISSA_MAX or lot < 1 or lot > MANTISSA_MAX:
        return codes.INVALID_FIELD
    if command["side"] < 0 or command["side"] > DECIMALS_MAX:
        return codes.INVALID_FIELD
    if command["order_type"] < 0 or command["order_type"] > LOT_DECIMALS_MAX:
        return codes.INVALID_FIELD
    base = command["time_in_force"]
    quote = command["stp_mode"]
    if base < 0 or base >= s.currencies_used or quote < 0 or quote >= s.currencies_used:
        return codes.UNKNOWN_CURRENCY
    initial, maintenance = _margins(command)
    if abs(low_half(command["value"])) > PPM_MAX or abs(low_half(command["text"][2])) > PPM_MAX:
        return codes.INVALID_FIELD
    if initial < 1 or initial > PPM_MAX or maintenance < 1 or maintenance > initial:
        return codes.INVALID_FIELD
    if command["instrument"] < 0 or command["instrument"] > BPS_MAX:
        return codes.INVALID_FIELD
    if command["order_id"] < 0 and command["order_id"] != UNCHANGED:
        return codes.INVALID_FIELD
    if command["display_qty"] < 0 and command["display_qty"] != LIFTED:
        return codes.INVALID_FIELD
    for book in range(s.books_used):
        if _is_same_text(s.listings[book].symbol, command["text"], SYMBOL_WORDS):
            return codes.ALREADY_DEFINED
    if s.books_used == len(s.books):
        return codes.INSTRUMENTS_FULL
    return codes.OK


@kernel
def _define_instrument(s, command):
    """Prove the ranges (exchange rule S1), then write the book and its listing."""
    quote = np.int64(command["stp_mode"])
    tick_decimals = np.int64(command["side"])
    lot_decimals = np.int64(command["order_type"])
    tick = command["account"]
    lot = command["client_order_id"]
    scale = scale_of(tick, tick_decimals, lot, lot_decimals, s.currencies[quote].decimals)
    if scale == 0:
        return codes.INVALID_FIELD
    largest = (MONEY_MAX - 1) // scale
    max_px, max_qty = command["px"], command["qty"]
    root = integer_root(largest)
    if max_px == UNCHANGED:
        max_px = root if max_qty == UNCHANGED or max_qty <= root else min(largest // max_qty, PX_MAX)
    if max_qty == UNCHANGED:
        max_qty = root if max_px <= root else largest // max_px
    if max_px < 1 or max_px > PX_MAX or max_qty < 1 or max_qty > largest // max_px:
        return codes.OVERFLOW
    band_low = command["stop_px"] if command["stop_px"] != LIFTED else 1
    band_high = command["expiry"] if command["expiry"] != LIFTED else PX_MAX
    if band_low < 1 or band_high < band_low or band_high > PX_MAX:
        return codes.INVALID_PRICE
    book = s.books_used
    touch_book(s, book)
    s.books_used += 1
    s.books[book].phase = codes.CONTINUOUS
    s.books[book].scale = scale
    s.books[book].max_px = max_px
    s.books[book].max_qty = max_qty
    s.books[book].max_notional = command["display_qty"] if command["display_qty"] != LIFTED else MONEY_MAX
    s.books[book].band_low = band_low
    s.books[book].band_high = band_high
    s.books[book].collar_bps = command["instrument"]
    renew_free_prices(s, book)
    s.books[book].protect_ticks = command["order_id"] if command["order_id"] != UNCHANGED else NIL
    s.books[book].maker_ppm = low_half(command["value"])
    s.books[book].taker_ppm = low_half(command["text"][2])
    s.books[book].initial_ppm, s.books[book].maintenance_ppm = _margins(command)
    s.books[book].quote = quote
    lot_nano = lot * 10 ** (LOT_DECIMALS_MAX - lot_decimals)  # below 2**31 * 1e9
    s.books[book].lot_nano = lot_nano
    while lot_nano > 1 << s.books[book].lot_nano_bits:  # at most 61 rounds
        s.books[book].lot_nano_bits += 1
    s.listings[book].symbol[0] = command["text"][0]
    s.listings[book].symbol[1] = command["text"][1]
    s.listings[book].base = command["time_in_force"]
    s.listings[book].tick_mantissa = tick
    s.listings[book].tick_decimals = tick_decimals
    s.listings[book].lot_mantissa = lot
    s.listings[book].lot_decimals = lot_decimals
    return codes.OK


@kernel
def _deposit(command, k):
    """Return the k-th amount of an ACCOUNT command, in the order of DEPOSIT_FIELDS."""
    if k == 0:
        return command["client_order_id"]
    if k == 1:
        return command["order_id"]
    if k == 2:
        return command["px"]
    if k == 3:
        return command["qty"]
    if k == 4:
        return command["display_qty"]
    if k == 5:
        return command["stop_px"]
    return command["expiry"]


@kernel
def _deposit_currency(command, k):
    """Return the currency of the k-th amount: byte k of the text."""
    return (command["text"][k // 8] >> (8 * (k % 8))) & BYTE


@kernel
def apply_account(s, command):
    """Apply an ACCOUNT: create it if it is new, set what it says of it, add the deposits."""
    reason = check_operator(command)
    account = NIL
    if reason == codes.OK and command["account"] < 1:
        reason = codes.INVALID_FIELD
    if reason == codes.OK:
        account = find_account(s, command["account"])
        if account == NIL and s.accounts_used - s.groups_used == len(s.accounts) - len(s.groups):
            reason = codes.ACCOUNTS_FULL
    if reason == codes.OK:
        reason = _check_deposits(s, command, account)
    if reason == codes.OK:
        reason = _check_reporting(s, command, account)
    if reason == codes.OK:
        reason = _check_funding(s, command, account)
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    if account == NIL:
        account = add_account(s, command["account"])
    touch_account(s, account)
    if command["text"][REPORTING_WORD] != 0:
        s.watches[account].reporting = command["text"][REPORTING_WORD] - 1
    for k in range(DEPOSIT_COUNT):
        amount = _deposit(command, k)
        if amount != 0:
            currency = _deposit_currency(command, k)
            change_balance(s, account, currency, amount)
            s.currencies[currency].deposited += amount
    fund(s, command, account)
    done(s, command, NIL)


@kernel
def _check_deposits(s, command, account):
    """Check that every amount is positive, of a known currency, and takes no balance past 2**62."""
    for k in range(DEPOSIT_COUNT):
        amount = _deposit(command, k)
        if amount == 0:
            continue
        currency = _deposit_currency(command, k)
        if amount < 0:
            return codes.INVALID_FIELD
        if currency >= s.currencies_used:
            return codes.UNKNOWN_CURRENCY
        if amount > MONEY_MAX or s.currencies[currency].deposited > MONEY_MAX - amount:
            return codes.OVERFLOW
        if account != NIL:
            if not is_countable(s, account, currency):
                return codes.NO_RATE
            held = s.balances[currency, account].total + s.balances[currency, account].selling
            if held > MONEY_MAX - amount:
                return codes.OVERFLOW
        for other in range(k):
            if _deposit(command, other) != 0 and _deposit_currency(command, other) == currency:
                return codes.INVALID_FIELD
    return codes.OK


@kernel
def _check_reporting(s, command, account):
    """Check the reporting currency: it is known, and stays what it is while a limit or a group needs it."""
    given = command["text"][REPORTING_WORD]
    if given == 0:
        return codes.OK
    if given < 0 or given > s.currencies_used:
        return codes.UNKNOWN_CURRENCY
    is_fixed = account != NIL and s.accounts[account].is_watched & (IN_MONEY | WATCHED_GROUP) != 0
    return codes.ALREADY_DEFINED if is_fixed and given - 1 != s.watches[account].reporting else codes.OK


@kernel
def _check_funding(s, command, account):
    """Check what the account is funded by; on margin, all that it has and gets can be counted."""
    reason = check_funding(s, command, account)
    if reason != codes.OK or funded_by(s, command, account) == 0:
        return reason
    given = command["text"][REPORTING_WORD]
    reporting = given - 1 if given != 0 else NOTHING
    if given == 0 and account != NIL:
        reporting = s.watches[account].reporting
    for k in range(DEPOSIT_COUNT):
        if _deposit(command, k) != 0 and not has_rate(s, _deposit_currency(command, k), reporting):
            return codes.NO_RATE
    return codes.OK if is_convertible(s, account, reporting) else codes.NO_RATE


@kernel
def apply_mark(s, command):
    """Apply a MARK: the reference px of collars and of unrealised profit."""
    reason = check_operator(command)
    book = np.int64(command["instrument"])
    if reason == codes.OK and (book == ALL_INSTRUMENTS or book < 0 or book >= s.books_used):
        reason = codes.UNKNOWN_INSTRUMENT
    if reason == codes.OK and (command["px"] < 1 or command["px"] > s.books[book].max_px):
        reason = codes.INVALID_PRICE
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    touch_book(s, book)
    if command["px"] != reference_px(s, book):
        note_mark(s, book)
    s.books[book].mark_px = command["px"]
    renew_free_prices(s, book)
    done(s, command, book)


@kernel
def apply_rate(s, command):
    """Apply a RATE: what one currency is in another; whoever has something in it is valued anew."""
    reason = check_operator(command)
    currency, into = np.int64(command["time_in_force"]), np.int64(command["stp_mode"])
    price = command["px"]
    if reason == codes.OK and (min(currency, into) < 0 or max(currency, into) >= s.currencies_used):
        reason = codes.UNKNOWN_CURRENCY
    if reason == codes.OK and currency == into:
        reason = codes.INVALID_FIELD
    if reason == codes.OK and (price < 1 or price > MONEY_MAX):
        reason = codes.INVALID_PRICE
    times, parts = NOTHING, NOTHING
    if reason == codes.OK:
        times, parts = fraction_of(price, s.currencies[currency].decimals, s.currencies[into].decimals)
        if times == 0:
            reason = codes.OVERFLOW
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    if price != s.rates[currency, into].price:
        note_rate(s, currency)
    s.rates[currency, into].price = price
    s.rates[currency, into].times = times
    s.rates[currency, into].parts = parts
    done(s, command, NIL)
