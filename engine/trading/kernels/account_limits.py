"""ACCOUNT_LIMITS, and LIMITS of accounts in journals of before: all that one names is set, or nothing.

Of an account or, where the flags say so, of a group, whose limits hold for the sum of its accounts.

A limit is unset, set or lifted. Of the plain four (open orders, position, order rate and burst) there is a
default for accounts that have none of their own; the others are an account's own (watch.py).
"""

import numpy as np

from engine.trading import codes
from engine.trading.fields import BPS, HALF_MAX, AccountLimit
from engine.trading.kernels.accounts import find_account, resolve_limits
from engine.trading.kernels.admin import DECIMALS_MAX
from engine.trading.kernels.equity import equity_of, has_equity
from engine.trading.kernels.fills import forget_fills
from engine.trading.kernels.groups import find_group, is_group
from engine.trading.kernels.messages import forget_messages
from engine.trading.kernels.state import LIMIT_LIFTED, NIL
from engine.trading.kernels.touch import touch_account
from engine.trading.kernels.watch import is_measurable, open_money, renew_watch
from engine.trading.kernels.watch_records import BUCKETS
from engine.trading.records import LIFTED, MONEY_MAX, UNCHANGED
from ringbuf.kernel import kernel

LARGEST = np.int64(MONEY_MAX)
RATE_MAX = np.int64(1_000_000_000)
"""Orders a second, and burst: keeps a bucket's 1e-9 tokens in int64."""
PPM = np.int64(1_000_000)
WINDOW_MS_MAX = np.int64(86_400_000)
FILL_WINDOW_MS = np.int64(1000)
RATIO_WINDOW_MS = np.int64(60_000)
"""The windows of accounts that name none."""
MS_NS = np.int64(1_000_000)
HALF_BITS = np.int64(32)
HALF_MASK = np.int64(2**32 - 1)
LIMITS = len(AccountLimit)
NO_LIMITS = np.int64(0)


@kernel
def limit_accounts(s, command):
    """Write the limits of one account, or the default when the account is 0; return the reason if refused."""
    reason = _check_ranges(command)
    if reason != codes.OK:
        return reason
    is_of_group = _is_of_group(command)
    if command["account"] == 0 and not is_of_group:
        for limit in range(codes.LIMIT_DAILY_LOSS, LIMITS):
            if _given(command, limit) != UNCHANGED:
                return codes.INVALID_FIELD
        s.default_max_open_orders = _stored(command, codes.LIMIT_OPEN_ORDERS, s.default_max_open_orders)
        s.default_max_position = _stored(command, codes.LIMIT_POSITION, s.default_max_position)
        s.default_order_rate = _stored(command, codes.LIMIT_ORDER_RATE, s.default_order_rate)
        s.default_order_burst = _stored(command, codes.LIMIT_ORDER_BURST, s.default_order_burst)
        for each in range(s.accounts_used):
            resolve_limits(s, each)
        return codes.OK
    account = find_group(s, command["account"]) if is_of_group else find_account(s, command["account"])
    if account == NIL:
        return codes.UNKNOWN_GROUP if is_of_group else codes.UNKNOWN_ACCOUNT
    reason = _check_amounts(s, command, account)
    if reason != codes.OK:
        return reason
    touch_account(s, account)
    held = s.accounts[account]
    held.max_open_orders = _stored(command, codes.LIMIT_OPEN_ORDERS, held.max_open_orders)
    held.max_position = _stored(command, codes.LIMIT_POSITION, held.max_position)
    held.order_rate = _stored(command, codes.LIMIT_ORDER_RATE, held.order_rate)
    held.order_burst = _stored(command, codes.LIMIT_ORDER_BURST, held.order_burst)
    resolve_limits(s, account)
    if command["op"] == codes.OP_ACCOUNT_LIMITS:  # a journal of before names none of them
        _limit_rarer(s, command, account)
    return codes.OK


@kernel
def _is_of_group(command):
    """Tell whether `account` is the number of a group."""
    return command["op"] == codes.OP_ACCOUNT_LIMITS and command["flags"] & codes.FLAG_OF_GROUP != 0


@kernel
def _given(command, limit):
    """Return what a command says of an AccountLimit: UNCHANGED, LIFTED or the new value (fields.py)."""
    if command["op"] == codes.OP_LIMITS:
        return _given_before(command, limit)
    if (command["client_order_id"] >> limit) & 1 == 0:
        return UNCHANGED
    if (command["client_order_id"] >> (HALF_BITS + limit)) & 1 != 0:
        return LIFTED
    if limit == codes.LIMIT_POSITION:
        return command["px"]
    if limit == codes.LIMIT_GROSS_EXPOSURE:
        return command["qty"]
    if limit == codes.LIMIT_DAILY_LOSS:
        return command["display_qty"]
    if limit == codes.LIMIT_DRAWDOWN:
        return command["stop_px"]
    if limit == codes.LIMIT_FILL_RATE:
        return command["expiry"]
    return _given_half(command, limit)


@kernel
def _given_half(command, limit):
    """Return a limit that half a word carries."""
    if limit == codes.LIMIT_OPEN_ORDERS:
        return command["order_id"] & HALF_MASK
    if limit == codes.LIMIT_CONCENTRATION:
        return command["order_id"] >> HALF_BITS
    if limit == codes.LIMIT_ORDER_RATE:
        return command["text"][0] & HALF_MASK
    if limit == codes.LIMIT_ORDER_BURST:
        return command["text"][0] >> HALF_BITS
    if limit == codes.LIMIT_MODIFY_RATE:
        return command["text"][1] & HALF_MASK
    if limit == codes.LIMIT_MODIFY_BURST:
        return command["text"][1] >> HALF_BITS
    if limit == codes.LIMIT_DRAWDOWN_BPS:
        return command["text"][2] & HALF_MASK
    if limit == codes.LIMIT_RATIO:
        return command["text"][2] >> HALF_BITS
    if limit == codes.LIMIT_FILL_WINDOW:
        return command["value"] & HALF_MASK
    return command["value"] >> HALF_BITS


@kernel
def _given_before(command, limit):
    """Return what a LIMITS of a journal of before says."""
    if limit == codes.LIMIT_OPEN_ORDERS:
        return command["px"]
    if limit == codes.LIMIT_POSITION:
        return command["qty"]
    if limit == codes.LIMIT_ORDER_RATE:
        return command["display_qty"]
    return command["stop_px"] if limit == codes.LIMIT_ORDER_BURST else UNCHANGED


@kernel
def _stored(command, limit, held):
    """Return a limit as the state keeps it: limit + 1, LIMIT_LIFTED, or what was there."""
    given = _given(command, limit)
    if given == UNCHANGED:
        return held
    return LIMIT_LIFTED if given == LIFTED else given + 1


@kernel
def _highest(limit):
    """Return the highest value of a limit."""
    if limit == codes.LIMIT_DRAWDOWN_BPS:
        return np.int64(BPS)
    if limit == codes.LIMIT_CONCENTRATION:
        return PPM
    if limit == codes.LIMIT_FILL_WINDOW or limit == codes.LIMIT_RATIO_WINDOW:
        return WINDOW_MS_MAX
    if limit == codes.LIMIT_ORDER_RATE or limit == codes.LIMIT_ORDER_BURST:
        return RATE_MAX
    if limit == codes.LIMIT_MODIFY_RATE or limit == codes.LIMIT_MODIFY_BURST:
        return RATE_MAX
    return np.int64(HALF_MAX) if limit == codes.LIMIT_RATIO else LARGEST


@kernel
def _lowest(limit):
    """Return the lowest value of a limit: what stops an account is 1 at least."""
    is_rate = limit == codes.LIMIT_MODIFY_RATE or limit == codes.LIMIT_MODIFY_BURST
    return np.int64(0) if is_rate or limit <= codes.LIMIT_ORDER_BURST else np.int64(1)


@kernel
def _latches(limit):
    """Tell whether an account that reaches a limit is stopped until an operator lifts that."""
    is_loss = limit >= codes.LIMIT_DAILY_LOSS and limit <= codes.LIMIT_DRAWDOWN_BPS
    return is_loss or limit == codes.LIMIT_FILL_RATE


@kernel
def _check_ranges(command):
    """Check what does not depend on the account."""
    is_latching = False
    for limit in range(LIMITS):
        given = _given(command, limit)
        if given == UNCHANGED:
            continue
        is_latching |= _latches(limit)
        if given != LIFTED and (given < _lowest(limit) or given > _highest(limit)):
            return codes.INVALID_FIELD
    if command["op"] == codes.OP_LIMITS:
        return codes.OK
    if command["order_type"] < 0 or command["order_type"] > DECIMALS_MAX:
        return codes.INVALID_FIELD
    level = command["side"]
    if level < 0 or level > codes.LEVEL_BLOCK or (level != 0 and not is_latching):
        return codes.INVALID_FIELD
    return codes.OK


@kernel
def _is_money(limit):
    """Tell whether a limit is an amount of the account's reporting currency."""
    is_loss = limit == codes.LIMIT_DAILY_LOSS or limit == codes.LIMIT_DRAWDOWN
    return is_loss or limit == codes.LIMIT_GROSS_EXPOSURE


@kernel
def _in_minor_units(s, command, account, amount):
    """Return an amount in minor units of the account's reporting currency; 0 for a part of one.

    Amounts come with decimals of their own, in `order_type`. One that passes 2**62 is MONEY_MAX + 1.
    """
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
    """Check that amounts are whole minor units within 2**62, and that what they measure can be counted."""
    is_in_money = False
    for limit in range(codes.LIMIT_DAILY_LOSS, LIMITS):
        given = _given(command, limit)
        if given == UNCHANGED or given == LIFTED:
            continue
        is_part = limit == codes.LIMIT_DRAWDOWN_BPS or limit == codes.LIMIT_CONCENTRATION
        is_in_money |= is_part or _is_money(limit)
        if _is_money(limit):
            amount = _in_minor_units(s, command, account, given)
            if amount == 0:
                return codes.INVALID_FIELD
            if amount > LARGEST:
                return codes.OVERFLOW
    if is_in_money and not has_equity(s, account) and not is_measurable(s, account):
        return codes.NO_RATE
    if is_in_money and is_group(s, account) and open_money(s, account) > MONEY_MAX:
        return codes.OVERFLOW
    return codes.OK


@kernel
def _own(s, command, account, limit, held):
    """Return an account's own limit, 0 for none, after the command."""
    given = _given(command, limit)
    if given == UNCHANGED:
        return held
    if given == LIFTED:
        return NO_LIMITS
    return _in_minor_units(s, command, account, given) if _is_money(limit) else given


@kernel
def _own_rate(command, limit, held):
    """Return a rate or burst of changes, 1 more than it is and 0 for none, after the command."""
    given = _given(command, limit)
    if given == UNCHANGED:
        return held
    return NO_LIMITS if given == LIFTED else given + 1


@kernel
def _limit_rarer(s, command, account):
    """Write an account's rarer limits; the first that needs a reference begins it at the equity now."""
    drawdown, drawdown_bps = codes.LATCH_DRAWDOWN, codes.LATCH_DRAWDOWN_BPS
    had_drawdown = (s.watches[account].limit[drawdown] | s.watches[account].limit[drawdown_bps]) != 0
    had_daily_loss = s.watches[account].limit[codes.LATCH_DAILY_LOSS] != 0
    _limit_latching(s, command, account, codes.LIMIT_DAILY_LOSS, codes.LATCH_DAILY_LOSS)
    _limit_latching(s, command, account, codes.LIMIT_DRAWDOWN, drawdown)
    _limit_latching(s, command, account, codes.LIMIT_DRAWDOWN_BPS, drawdown_bps)
    _limit_latching(s, command, account, codes.LIMIT_FILL_RATE, codes.LATCH_FILL_RATE)
    watch = s.watches[account]
    ratio = watch.limit[codes.LATCH_RATIO]
    s.watches[account].limit[codes.LATCH_RATIO] = _own(s, command, account, codes.LIMIT_RATIO, ratio)
    if _given(command, codes.LIMIT_RATIO) == LIFTED:
        forget_messages(s, account)
    watch.gross_limit = _own(s, command, account, codes.LIMIT_GROSS_EXPOSURE, watch.gross_limit)
    part = watch.concentration_limit
    watch.concentration_limit = _own(s, command, account, codes.LIMIT_CONCENTRATION, part)
    watch.modify_rate = _own_rate(command, codes.LIMIT_MODIFY_RATE, watch.modify_rate)
    watch.modify_burst = _own_rate(command, codes.LIMIT_MODIFY_BURST, watch.modify_burst)
    _choose_windows(s, command, account)
    renew_watch(s, account)
    equity, _ = equity_of(s, account)
    has_drawdown = (s.watches[account].limit[drawdown] | s.watches[account].limit[drawdown_bps]) != 0
    if has_drawdown and not had_drawdown:
        s.watches[account].peak = equity
    if s.watches[account].limit[codes.LATCH_DAILY_LOSS] != 0 and not had_daily_loss:
        s.watches[account].day_start = equity


@kernel
def _limit_latching(s, command, account, limit, latch):
    """Write a limit that latches, and the level that it latches at."""
    given = _given(command, limit)
    if given == UNCHANGED:
        return
    s.watches[account].limit[latch] = _own(s, command, account, limit, NO_LIMITS)
    s.watches[account].on_breach[latch] = command["side"] if command["side"] != 0 else codes.LEVEL_BLOCK
    if given == LIFTED and limit == codes.LIMIT_FILL_RATE:
        forget_fills(s, account)
    elif given == LIFTED:
        s.watches[account].is_warned[latch] = 0


@kernel
def _choose_windows(s, command, account):
    """Write how long the windows are; another length begins them anew."""
    fills = _bucket_ns(command, codes.LIMIT_FILL_WINDOW, s.watches[account].fill_bucket_ns, FILL_WINDOW_MS)
    if fills != s.watches[account].fill_bucket_ns:
        forget_fills(s, account)
        s.watches[account].fill_bucket_ns = fills
    held = s.watches[account].message_bucket_ns
    messages = _bucket_ns(command, codes.LIMIT_RATIO_WINDOW, held, RATIO_WINDOW_MS)
    if messages != held:
        forget_messages(s, account)
        s.watches[account].message_bucket_ns = messages


@kernel
def _bucket_ns(command, limit, held, otherwise_ms):
    """Return the length of a twelfth of a window after the command."""
    given = _given(command, limit)
    if given == UNCHANGED and held != 0:
        return held
    window_ms = otherwise_ms if given == UNCHANGED or given == LIFTED else given
    return window_ms * MS_NS // BUCKETS
