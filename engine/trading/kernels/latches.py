"""Limits of loss and their latches: daily loss and drawdown stop an account (exchange rule S21).

    measured                            allowed
    day_start - equity                  max_daily_loss
    peak - equity                       max_drawdown
    peak - equity                       max_drawdown_bps * peak / 1e4, rounded up

A limit is reached when what is measured is as much as is allowed. It then latches at the level that was
chosen: CANCEL_AND_BLOCK cancels every order of the account within the same command, and refuses new ones
until a RESET_LATCH. At four fifths of it a warning is given, once until it is below again. Accounts are
judged when the matching of a command is over, and where the sweep values a position of theirs.
"""

import numpy as np

from engine.trading import codes
from engine.trading.fields import BPS
from engine.trading.kernels.cancel import cancel_account
from engine.trading.kernels.equity import equity_of, value_position
from engine.trading.kernels.events import done, latched, rejected
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account
from engine.trading.kernels.validate import check_operator
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import apart, kernel

FIRST_LIMIT, LAST_LIMIT = codes.LATCH_DAILY_LOSS, codes.LATCH_DRAWDOWN_BPS
WARNING_PARTS = 5
"""A warning is given when all but one of so many parts of a limit are reached."""


@apart
def judge_noted(s, command):
    """Judge the watched accounts that had a fill in this command, in the order of their first fills."""
    for place in range(s.noted_count):
        judge(s, command, np.int64(s.noted[place]))
    s.noted_count = 0


@kernel
def judge(s, command, account):
    """Measure an account by its limits of loss; latch and warn."""
    equity, is_bounded = equity_of(s, account)
    if is_bounded and equity > s.watches[account].peak:
        touch_account(s, account)
        s.watches[account].peak = equity
    for latch in range(FIRST_LIMIT, LAST_LIMIT + 1):
        if s.watches[account].limit[latch] != 0 and s.watches[account].level[latch] < codes.LEVEL_BLOCK:
            measured = measured_by(s, account, latch, equity, is_bounded)
            _judge_limit(s, command, account, latch, measured, allowed_by(s, account, latch))


@kernel
def _judge_limit(s, command, account, latch, measured, allowed):
    is_warned = s.watches[account].is_warned[latch] != 0
    if measured >= allowed and s.watches[account].on_breach[latch] == codes.LEVEL_BLOCK:
        touch_account(s, account)
        s.watches[account].level[latch] = codes.LEVEL_BLOCK
        before = s.event_count
        cancel_account(s, command, account, codes.REASON_LATCH)
        _tell(s, command, account, latch, codes.LEVEL_BLOCK, s.event_count - before, measured, allowed)
    elif measured >= allowed - allowed // WARNING_PARTS:
        if not is_warned:
            touch_account(s, account)
            s.watches[account].is_warned[latch] = 1
            _tell(s, command, account, latch, codes.LEVEL_WARN, np.int64(0), measured, allowed)
    elif is_warned:
        touch_account(s, account)
        s.watches[account].is_warned[latch] = 0


@kernel
def _tell(s, command, account, latch, level, cancel_count, measured, allowed):
    """Report LATCHED of an account's limit."""
    reason = codes.REASON_DAILY_LOSS + (latch - FIRST_LIMIT)
    whose, currency = s.accounts[account].account, s.watches[account].reporting
    latched(s, command, whose, NIL, level, reason, cancel_count, measured, allowed, currency)


@kernel
def measured_by(s, account, latch, equity, is_bounded):
    """Return what counts against a limit, minor units; 2**62 where equity is out of bounds."""
    if not is_bounded:
        return np.int64(MONEY_MAX)
    is_daily = latch == codes.LATCH_DAILY_LOSS
    reference = s.watches[account].day_start if is_daily else s.watches[account].peak
    if reference - MONEY_MAX > equity:  # their difference may pass 2**62
        return np.int64(MONEY_MAX)
    return max(reference - equity, np.int64(0))


@kernel
def allowed_by(s, account, latch):
    """Return what a limit allows, minor units; 1 at least, for nothing lost is no breach."""
    limit = s.watches[account].limit[latch]
    if latch != codes.LATCH_DRAWDOWN_BPS:
        return limit
    peak = max(s.watches[account].peak, np.int64(0))
    whole = peak // BPS
    return max(whole * limit + ((peak - whole * BPS) * limit + (BPS - 1)) // BPS, np.int64(1))


@kernel
def is_breached(s, account, latch):
    """Tell whether a limit that an account has is reached at this moment."""
    if s.watches[account].limit[latch] == 0:
        return False
    equity, is_bounded = equity_of(s, account)
    return measured_by(s, account, latch, equity, is_bounded) >= allowed_by(s, account, latch)


@kernel
def is_blocked(s, account):
    """Tell whether a limit of loss has blocked an account."""
    for latch in range(FIRST_LIMIT, LAST_LIMIT + 1):
        if s.watches[account].level[latch] == codes.LEVEL_BLOCK:
            return True
    return False


@apart
def check_watched(s, account, quote):
    """Steps 15 and 16 of a watched account: it is not blocked, and what it trades in can be measured."""
    if is_blocked(s, account):
        return codes.BLOCKED
    return codes.OK if quote == s.watches[account].reporting else codes.NO_RATE


@kernel
def lift(s, command, account, latch, is_rebased):
    """Lift an account's latch of a limit and report it; rebased, it is measured from the equity of now."""
    touch_account(s, account)
    equity, is_bounded = equity_of(s, account)
    if is_rebased and is_bounded:
        if latch == codes.LATCH_DAILY_LOSS:
            s.watches[account].day_start = equity
        else:
            s.watches[account].peak = equity
    s.watches[account].level[latch] = codes.LEVEL_NONE
    s.watches[account].is_warned[latch] = 0
    measured, allowed = measured_by(s, account, latch, equity, is_bounded), allowed_by(s, account, latch)
    _tell(s, command, account, latch, codes.LEVEL_NONE, np.int64(0), measured, allowed)


@kernel
def apply_session_start(s, command):
    """Apply a SESSION_START: the day of every watched account begins at its equity, valued now."""
    reason = check_operator(command)
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    for account in range(s.accounts_used):
        if s.accounts[account].is_watched == 0:
            continue
        position = np.int64(s.accounts[account].positions_head) - 1
        while position != NIL:
            value_position(s, position, account)
            position = np.int64(s.positions[position].account_next) - 1
        touch_account(s, account)
        equity, _ = equity_of(s, account)
        s.watches[account].day_start = equity
        judge(s, command, account)
    done(s, command, NIL)
