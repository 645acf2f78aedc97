"""Messages: the rate of changes, and how many messages an account sends for each trade (exchange rule S21).

    new + replace + cancel  <=  max_order_trade_ratio * (trades + 1)      within the window

A cancel counts and always passes; a new or replace that this refuses does not count, or an account that goes
on asking would never come back. What is refused for another reason counts: it was a message. Messages and
trades of all its accounts are a group's.
"""

from engine.trading import codes
from engine.trading.kernels.accounts import TOKEN
from engine.trading.kernels.group_checks import refused_by
from engine.trading.kernels.groups import group_of
from engine.trading.kernels.risk import BUCKET_REPLACE, drained, take_token
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account
from engine.trading.kernels.watch_records import BUCKETS
from engine.trading.kernels.windows import advance, total_in
from ringbuf.kernel import apart, kernel


@kernel
def note_account(s, account):
    """Have a watched account judged behind the command."""
    if s.watches[account].noted_seq != s.seq:
        s.watches[account].noted_seq = s.seq
        s.watches[account].noted_position = NIL
        s.noted[s.noted_count] = account
        s.noted_count += 1


@kernel
def message_bucket(s, account):
    """Return the number of the bucket of now in an account's windows of messages and trades."""
    return s.eng_ts // s.watches[account].message_bucket_ns


@kernel
def _count(s, account, window):
    """Count one in a window of messages or trades."""
    touch_account(s, account)
    now = message_bucket(s, account)
    newest = s.watches[account].message_bucket
    advance(s.watches[account].messages, newest, now)
    advance(s.watches[account].trades, newest, now)
    s.watches[account].message_bucket = now
    window[now % BUCKETS] += 1
    note_account(s, account)


@kernel
def has_ratio(s, holder):
    """Tell whether an account or a group has a ratio; NIL has none."""
    return holder != NIL and s.watches[holder].limit[codes.LATCH_RATIO] != 0


@kernel
def count_trade(s, account):
    """Count a trade of an account that has a ratio."""
    if s.watches[account].limit[codes.LATCH_RATIO] != 0:
        _count(s, account, s.watches[account].trades)


@apart
def count_cancel(s, account):
    """Count a cancel of a watched account, where it or its group has a ratio."""
    count_message(s, account)
    count_message(s, group_of(s, account))


@kernel
def count_message(s, holder):
    """Count a message of an account or a group that has a ratio."""
    if has_ratio(s, holder):
        _count(s, holder, s.watches[holder].messages)


@kernel
def forget_messages(s, account):
    """Empty the windows of an account's messages and trades."""
    s.watches[account].message_bucket = 0
    s.watches[account].is_warned[codes.LATCH_RATIO] = 0
    for bucket in range(BUCKETS):
        s.watches[account].messages[bucket] = 0
        s.watches[account].trades[bucket] = 0


@kernel
def messages_of(s, account):
    """Return (messages, trades) in the window of an account that has a ratio."""
    now, newest = message_bucket(s, account), s.watches[account].message_bucket
    messages = total_in(s.watches[account].messages, newest, now)
    return messages, total_in(s.watches[account].trades, newest, now)


@kernel
def check_ratios(s, account):
    """Step 9, behind the rates: count a new or replace for account and group, or ORDER_TRADE_RATIO."""
    if s.accounts[account].is_watched == 0:
        return codes.OK
    group = group_of(s, account)
    if _is_exceeded(s, account):
        return codes.ORDER_TRADE_RATIO
    if _is_exceeded(s, group):
        return refused_by(s, group, codes.ORDER_TRADE_RATIO)
    count_message(s, account)
    count_message(s, group)
    return codes.OK


@kernel
def _is_exceeded(s, holder):
    """Tell whether one more message would be too many."""
    if not has_ratio(s, holder):
        return False
    messages, trades = messages_of(s, holder)
    return messages + 1 > s.watches[holder].limit[codes.LATCH_RATIO] * (trades + 1)


@apart
def check_replace_rate(s, account):
    """Step 9 of a replace where some account is watched: the rates of account and group, then the ratios."""
    reason = _take_replace_token(s, account)
    group = group_of(s, account)
    if reason == codes.OK and group != NIL:
        reason = refused_by(s, group, _take_replace_token(s, group))
    return check_ratios(s, account) if reason == codes.OK else reason


@kernel
def _take_replace_token(s, account):
    """Take a token of the account's own rate of changes where it has one, else of its rate of orders."""
    is_own = s.accounts[account].is_watched != 0 and s.watches[account].modify_rate != 0
    return _take_modify_token(s, account) if is_own else take_token(s, account, BUCKET_REPLACE)


@kernel
def _take_modify_token(s, account):
    """Take a token of the account's bucket for changes, or RATE_LIMIT; as risk.take_token."""
    rate = s.watches[account].modify_rate - 1
    burst = s.watches[account].modify_burst - 1 if s.watches[account].modify_burst != 0 else rate
    used = drained(s.watches[account].modify_used, s.eng_ts - s.watches[account].modify_ts, rate)
    s.watches[account].modify_ts = s.eng_ts
    is_refused = used + TOKEN > burst * TOKEN
    s.watches[account].modify_used = used if is_refused else used + TOKEN
    return codes.RATE_LIMIT if is_refused else codes.OK
