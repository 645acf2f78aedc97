"""Messages: the rate of changes, and how many messages an account sends for each trade (exchange rule S21).

    new + replace + cancel  <=  max_order_trade_ratio * (trades + 1)      within the window

A cancel counts and always passes; a new or replace that this refuses does not count, or an account that goes
on asking would never come back. What is refused for another reason counts: it was a message.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import TOKEN
from engine.trading.kernels.risk import BUCKET_REPLACE, drained, take_token
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_account
from engine.trading.kernels.watch_records import BUCKETS, WATCHED_MESSAGES
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
def count_trade(s, account):
    """Count a trade of an account that has a ratio."""
    if s.watches[account].limit[codes.LATCH_RATIO] != 0:
        _count(s, account, s.watches[account].trades)


@apart
def count_cancel(s, account):
    """Count a cancel of a watched account that has a ratio."""
    if s.watches[account].limit[codes.LATCH_RATIO] != 0:
        _count(s, account, s.watches[account].messages)


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
def check_ratio(s, account):
    """Step 9, behind the rates: count a new or replace, or ORDER_TRADE_RATIO."""
    ratio = s.watches[account].limit[codes.LATCH_RATIO]
    if ratio == 0:
        return codes.OK
    messages, trades = messages_of(s, account)
    if messages + 1 > ratio * (trades + 1):
        return codes.ORDER_TRADE_RATIO
    _count(s, account, s.watches[account].messages)
    return codes.OK


@apart
def check_replace_rate(s, account):
    """Step 9 of a replace where some account is watched: its own rate where it has one, then the ratio."""
    is_watched = np.int64(s.accounts[account].is_watched) & WATCHED_MESSAGES != 0
    if not is_watched or s.watches[account].modify_rate == 0:
        reason = take_token(s, account, BUCKET_REPLACE)
    else:
        reason = _take_modify_token(s, account)
    return check_ratio(s, account) if reason == codes.OK and is_watched else reason


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
