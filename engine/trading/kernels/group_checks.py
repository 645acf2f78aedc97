"""What an account's group refuses: behind the account's own check of the same step, with the same reason.

Where it refuses, `refused_by` says so in the report. Steps are those of exchange rule S3.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import find_position
from engine.trading.kernels.groups import group_of
from engine.trading.kernels.risk import check_open_orders, check_position, take_token
from engine.trading.kernels.state import NIL
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import apart, kernel

LARGEST = np.int64(MONEY_MAX)


@kernel
def refused_by(s, group, reason):
    """Return a reason that a group gave, and note whose it is."""
    if reason != codes.OK:
        s.refused_by = -s.accounts[group].account
    return reason


@apart
def check_group_killed(s, account):
    """Step 8: whether the account's group is killed."""
    group = group_of(s, account)
    if group == NIL or s.accounts[group].is_killed == 0:
        return codes.OK
    return refused_by(s, group, codes.BLOCKED)


@apart
def take_group_token(s, account, bucket):
    """Step 9: a token of the group's bucket, which is one for all its accounts."""
    group = group_of(s, account)
    return codes.OK if group == NIL else refused_by(s, group, take_token(s, group, bucket))


@apart
def check_group_open_orders(s, account):
    """Step 13: open orders of all accounts of the group."""
    group = group_of(s, account)
    return codes.OK if group == NIL else refused_by(s, group, check_open_orders(s, group))


@apart
def check_group_position(s, account, book, side, qty):
    """Step 14: the net position of the group; nothing that it sums up passes 2**62."""
    group = group_of(s, account)
    if group == NIL:
        return codes.OK
    position = find_position(s, group, book)
    if position != NIL:
        held = s.gross_qty[position] + s.positions[position].open_buy + s.positions[position].open_sell
        if held > LARGEST - qty:
            return refused_by(s, group, codes.OVERFLOW)
    return refused_by(s, group, check_position(s, group, book, position, side, qty))
