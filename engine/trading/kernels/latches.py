"""Limits that latch: daily loss, drawdown and the rate of fills stop an account (exchange rule S21).

    measured                                     allowed
    day_start - equity                           max_daily_loss
    peak - equity                                max_drawdown
    peak - equity                                max_drawdown_bps * peak / 1e4, rounded up
    quantity filled in an instrument             max_fill_rate
    messages                                     max_order_trade_ratio * (trades + 1)
    maintenance margin                           equity

A limit is reached when what is measured is as much as is allowed. It then latches at the level that was
chosen: CANCEL_AND_BLOCK cancels every order of the account within the same command, and refuses new ones
until a RESET_LATCH; REDUCE_ONLY does so with what could open a position. So a group's does with every
account of it. A level only rises until then. At four fifths of it a warning is given, once until it is below
again. Accounts are judged when the matching of a command is over, and where the sweep values something of
theirs; groups behind them. The ratio of messages to trades warns alone: what is too much of it is refused
where it is asked for (messages.py). The maintenance margin latches at REDUCE_ONLY, and where it is more than
the equity.
"""

import numpy as np

from engine.trading import codes
from engine.trading.fields import BPS
from engine.trading.kernels.cancel import cancel_holder
from engine.trading.kernels.equity import equity_of, has_equity, value_all
from engine.trading.kernels.events import done, latched, rejected
from engine.trading.kernels.fills import fastest_filled, filled_in, forget_fills, forget_warnings
from engine.trading.kernels.group_checks import refused_by
from engine.trading.kernels.groups import group_of, is_group
from engine.trading.kernels.margin import is_on_margin, maintenance
from engine.trading.kernels.messages import messages_of
from engine.trading.kernels.rates import has_rate
from engine.trading.kernels.reduce_only import cancel_opening, fit_reducing
from engine.trading.kernels.reducing import level_held, level_room
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.kernels.touch import touch_account
from engine.trading.kernels.validate import check_operator
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import apart, kernel

FIRST_LIMIT, LAST_LIMIT = codes.LATCH_DAILY_LOSS, codes.LATCH_MAINTENANCE
"""The limits that latch."""
NOTHING = np.int64(0)
WARNING_PARTS = 5
"""A warning is given when all but one of so many parts of a limit are reached."""


@apart
def judge_noted(s, command):
    """Judge the accounts that this command concerned, in the order in which it did; then the groups.

    First of all reduce-only orders are made to fit: they follow the trades.
    """
    for place in range(s.noted_count):
        position = s.watches[np.int64(s.noted[place])].noted_position
        if position != NIL:
            fit_reducing(s, command, position)
    group_count = np.int64(0)
    for place in range(s.noted_count):
        holder = np.int64(s.noted[place])
        if is_group(s, holder):
            group_count += 1
        else:
            _judge_holder(s, command, holder)
    if group_count != 0:
        for place in range(s.noted_count):
            if is_group(s, np.int64(s.noted[place])):
                _judge_holder(s, command, np.int64(s.noted[place]))
    s.noted_count = 0


@kernel
def _judge_holder(s, command, account):
    """Measure an account or a group by all its limits that latch or warn, those of fills where it had one."""
    position = s.watches[account].noted_position
    if position != NIL and has_equity(s, account):
        judge(s, command, account)
    if position != NIL and s.watches[account].limit[codes.LATCH_FILL_RATE] != 0:
        _judge_fills(s, command, account, position)
    if s.watches[account].limit[codes.LATCH_RATIO] != 0:
        _judge_ratio(s, command, account)


@kernel
def judge(s, command, account):
    """Measure an account by its limits of loss; latch and warn."""
    equity, is_bounded = equity_of(s, account)
    if is_bounded and equity > s.watches[account].peak:
        touch_account(s, account)
        s.watches[account].peak = equity
    for latch in range(FIRST_LIMIT, codes.LATCH_DRAWDOWN_BPS + 1):
        if s.watches[account].limit[latch] != 0 and _can_rise(s, account, latch):
            measured = measured_loss(s, account, latch, equity, is_bounded)
            is_warned = s.watches[account].is_warned[latch] != 0
            allowed = allowed_by(s, account, latch)
            is_warned = _judge(s, command, account, latch, NIL, is_warned, measured, allowed)
            s.watches[account].is_warned[latch] = is_warned
    if is_on_margin(s, account) and s.watches[account].level[codes.LATCH_MAINTENANCE] == codes.LEVEL_NONE:
        _judge_margin(s, command, account)


@kernel
def _judge_margin(s, command, account):
    """Measure the maintenance margin of an account by its equity; latch and warn."""
    latch = codes.LATCH_MAINTENANCE
    used, equity, is_below = maintenance(s, account)
    if is_below:
        _latch(s, command, account, latch, NIL, codes.LEVEL_REDUCE_ONLY, used, equity)
        return
    is_near = used != 0 and used >= equity - equity // WARNING_PARTS
    if is_near != (s.watches[account].is_warned[latch] != 0):
        touch_account(s, account)
        s.watches[account].is_warned[latch] = is_near
        if is_near:
            _tell(s, command, account, latch, NIL, codes.LEVEL_WARN, NOTHING, used, equity)


@kernel
def _judge_fills(s, command, account, position):
    """Measure how fast a position was filled; latch and warn."""
    latch = codes.LATCH_FILL_RATE
    if _can_rise(s, account, latch):
        book = s.positions[position].key & INSTRUMENT_MASK
        measured, allowed = filled_in(s, account, position), s.watches[account].limit[latch]
        is_warned = s.dealings[position].is_warned != 0
        is_warned = _judge(s, command, account, latch, book, is_warned, measured, allowed)
        s.dealings[position].is_warned = is_warned


@kernel
def _judge_ratio(s, command, account):
    """Measure the messages of an account by its trades; warn."""
    latch = codes.LATCH_RATIO
    messages, trades = messages_of(s, account)
    is_warned = s.watches[account].is_warned[latch] != 0
    allowed = s.watches[account].limit[latch] * (trades + 1)
    is_warned = _judge(s, command, account, latch, NIL, is_warned, messages, allowed)
    s.watches[account].is_warned[latch] = is_warned


@kernel
def _can_rise(s, account, latch):
    """Tell whether a limit has not latched yet, or at a lower level than it would now."""
    level = s.watches[account].level[latch]
    return level == codes.LEVEL_NONE or level < s.watches[account].on_breach[latch]


@kernel
def _judge(s, command, account, latch, book, is_warned, measured, allowed):
    """Latch, warn, or take note that neither is due; return whether the account has been warned."""
    level = np.int64(s.watches[account].on_breach[latch])
    if measured >= allowed and level >= codes.LEVEL_REDUCE_ONLY:
        _latch(s, command, account, latch, book, level, measured, allowed)
        return is_warned
    if s.watches[account].level[latch] != codes.LEVEL_NONE:
        return is_warned
    is_near = measured >= allowed - allowed // WARNING_PARTS
    if is_near != is_warned:
        touch_account(s, account)
        if is_near:
            _tell(s, command, account, latch, book, codes.LEVEL_WARN, np.int64(0), measured, allowed)
    return is_near


@kernel
def _latch(s, command, account, latch, book, level, measured, allowed):
    """Let a limit stand at a level, cancel what that does not let rest, and report it."""
    touch_account(s, account)
    s.watches[account].level[latch] = level
    before = s.orders_live
    if level == codes.LEVEL_BLOCK:
        cancel_holder(s, command, account, codes.REASON_LATCH)
    else:
        cancel_opening(s, command, account)
    _tell(s, command, account, latch, book, level, before - s.orders_live, measured, allowed)


@kernel
def _tell(s, command, account, latch, book, level, cancel_count, measured, allowed):
    """Report LATCHED of an account's limit; of fills with the instrument, book."""
    whose, currency = s.accounts[account].account, s.watches[account].reporting
    if latch == codes.LATCH_FILL_RATE or latch == codes.LATCH_RATIO:
        currency = NIL
    latched(s, command, whose, book, level, reason_of(latch), cancel_count, measured, allowed, currency)


@kernel
def reason_of(latch):
    """Return the reason that names a limit."""
    if latch == codes.LATCH_FILL_RATE:
        return codes.REASON_FILL_RATE
    if latch == codes.LATCH_RATIO:
        return codes.ORDER_TRADE_RATIO
    if latch == codes.LATCH_MAINTENANCE:
        return codes.REASON_MAINTENANCE
    return codes.REASON_DAILY_LOSS + (latch - FIRST_LIMIT)


@kernel
def measured_loss(s, account, latch, equity, is_bounded):
    """Return what counts against a limit of loss, minor units; 2**62 where equity is out of bounds."""
    if not is_bounded:
        return np.int64(MONEY_MAX)
    is_daily = latch == codes.LATCH_DAILY_LOSS
    reference = s.watches[account].day_start if is_daily else s.watches[account].peak
    if reference - MONEY_MAX > equity:  # their difference may pass 2**62
        return np.int64(MONEY_MAX)
    return max(reference - equity, np.int64(0))


@kernel
def measured_by(s, account, latch):
    """Return (what counts against a limit that an account has; the position that it is about, or NIL)."""
    if latch == codes.LATCH_FILL_RATE:
        position, measured = fastest_filled(s, account)
        return measured, position
    if latch == codes.LATCH_RATIO:
        messages, _ = messages_of(s, account)
        return messages, NIL
    if latch == codes.LATCH_MAINTENANCE:
        used, _, _ = maintenance(s, account)
        return used, NIL
    equity, is_bounded = equity_of(s, account)
    return measured_loss(s, account, latch, equity, is_bounded), NIL


@kernel
def allowed_by(s, account, latch):
    """Return what a limit allows: of a loss minor units, and 1 at least, for nothing lost is no breach."""
    limit = s.watches[account].limit[latch]
    if latch == codes.LATCH_RATIO:
        _, trades = messages_of(s, account)
        return limit * (trades + 1)
    if latch == codes.LATCH_MAINTENANCE:
        equity, _ = equity_of(s, account)
        return equity
    if latch != codes.LATCH_DRAWDOWN_BPS:
        return limit
    peak = max(s.watches[account].peak, np.int64(0))
    whole = peak // BPS
    return max(whole * limit + ((peak - whole * BPS) * limit + (BPS - 1)) // BPS, np.int64(1))


@kernel
def is_breached(s, account, latch):
    """Tell whether a limit that an account has is reached at this moment."""
    if latch == codes.LATCH_MAINTENANCE:
        _, _, is_below = maintenance(s, account)
        return is_below and is_on_margin(s, account)
    if s.watches[account].limit[latch] == 0:
        return False
    measured, _ = measured_by(s, account, latch)
    return measured >= allowed_by(s, account, latch)


@kernel
def check_latched(s, account, book, position, side, qty):
    """Step 16 of a new order: what latched lets it pass, and its currency can be counted in the equity."""
    reason = check_reducing(s, account, position, side, qty)
    if reason != codes.OK:
        return reason
    if has_equity(s, account) and not has_rate(s, s.books[book].quote, s.watches[account].reporting):
        return codes.NO_RATE
    return codes.OK


@kernel
def check_reducing(s, account, position, side, more):
    """Step 16: `more` open lots of an account that is blocked, or whose orders may only reduce."""
    return _allowed_at(level_held(s, account), s, position, side, more)


@apart
def check_group_latched(s, account, position, side, more):
    """Step 16 of an account's group; what may still be closed is what the account itself holds."""
    group = group_of(s, account)
    if group == NIL:
        return codes.OK
    return refused_by(s, group, _allowed_at(level_held(s, group), s, position, side, more))


@kernel
def _allowed_at(level, s, position, side, more):
    """Return what a LatchLevel answers to `more` open lots."""
    if level == codes.LEVEL_BLOCK:
        return codes.BLOCKED
    if level == codes.LEVEL_REDUCE_ONLY and more > level_room(s, position, side):
        return codes.REDUCE_ONLY
    return codes.OK


@kernel
def lift(s, command, account, latch, is_rebased):
    """Lift an account's latch of a limit and report it; rebased, it is measured from now on."""
    touch_account(s, account)
    if is_rebased:
        _rebase(s, account, latch)
    s.watches[account].level[latch] = codes.LEVEL_NONE
    s.watches[account].is_warned[latch] = 0
    if latch == codes.LATCH_FILL_RATE:
        forget_warnings(s, account)
    measured, position = measured_by(s, account, latch)
    book = s.positions[position].key & INSTRUMENT_MASK if position != NIL else NIL
    allowed = allowed_by(s, account, latch)
    _tell(s, command, account, latch, book, codes.LEVEL_NONE, NOTHING, measured, allowed)


@kernel
def _rebase(s, account, latch):
    """Measure a limit from now on: from the equity of this moment, or without the fills before."""
    if latch == codes.LATCH_FILL_RATE:
        forget_fills(s, account)
        return
    if latch == codes.LATCH_MAINTENANCE:  # nothing that it is measured from
        return
    equity, is_bounded = equity_of(s, account)
    if is_bounded and latch == codes.LATCH_DAILY_LOSS:
        s.watches[account].day_start = equity
    elif is_bounded:
        s.watches[account].peak = equity


@kernel
def apply_session_start(s, command):
    """Apply a SESSION_START: the day of watched accounts, then of groups, begins at their equity of now."""
    reason = check_operator(command)
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    for account in range(s.accounts_used):
        if has_equity(s, account) and not is_group(s, account):
            value_all(s, account)
            _begin_day(s, command, account)
    for place in range(s.groups_used):
        if has_equity(s, np.int64(s.groups[place])):
            _begin_day(s, command, np.int64(s.groups[place]))
    done(s, command, NIL)


@kernel
def _begin_day(s, command, account):
    """Measure the loss of the day from the equity of now."""
    touch_account(s, account)
    equity, _ = equity_of(s, account)
    s.watches[account].day_start = equity
    judge(s, command, account)
