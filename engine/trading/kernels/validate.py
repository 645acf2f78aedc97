"""Validation: who asks, of what, and whether the fields make sense (exchange rule S3, steps 1 to 6).

First failure wins and the order is contract. Nothing here writes.
"""

import numpy as np

from engine.contract.records import Role
from engine.trading.kernels.accounts import find_account
from engine.trading.kernels.identity import find_ended, find_live
from engine.trading.kernels.levels import best_level
from engine.trading.kernels.state import NIL
from engine.trading.records import (
    COMMAND_VERSION,
    CommandFlag,
    OrderType,
    Phase,
    Reason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from ringbuf.kernel import inlined, kernel

OK = np.int64(Reason.NONE)
BAD_VERSION = np.int64(Reason.BAD_VERSION)
NOT_PERMITTED = np.int64(Reason.NOT_PERMITTED)
UNKNOWN_ACCOUNT = np.int64(Reason.UNKNOWN_ACCOUNT)
ACCOUNT_DISABLED = np.int64(Reason.ACCOUNT_DISABLED)
UNKNOWN_INSTRUMENT = np.int64(Reason.UNKNOWN_INSTRUMENT)
NOT_ALLOWED_IN_PHASE = np.int64(Reason.NOT_ALLOWED_IN_PHASE)
DUPLICATE = np.int64(Reason.DUPLICATE)
INVALID_CLIENT_ORDER_ID = np.int64(Reason.INVALID_CLIENT_ORDER_ID)
INVALID_SIDE = np.int64(Reason.INVALID_SIDE)
INVALID_TYPE = np.int64(Reason.INVALID_TYPE)
INVALID_TIME_IN_FORCE = np.int64(Reason.INVALID_TIME_IN_FORCE)
INVALID_QUANTITY = np.int64(Reason.INVALID_QUANTITY)
INVALID_PRICE = np.int64(Reason.INVALID_PRICE)
INVALID_EXPIRY = np.int64(Reason.INVALID_EXPIRY)
INVALID_FIELD = np.int64(Reason.INVALID_FIELD)
NO_LIQUIDITY = np.int64(Reason.NO_LIQUIDITY)
UNSUPPORTED = np.int64(Reason.UNSUPPORTED)

BUY = np.int64(Side.BUY)
SELL = np.int64(Side.SELL)
LIMIT = np.int64(OrderType.LIMIT)
MARKET = np.int64(OrderType.MARKET)
LAST_TYPE = np.int64(OrderType.TRAILING_STOP)
GTC = np.int64(TimeInForce.GTC)
DAY = np.int64(TimeInForce.DAY)
GTD = np.int64(TimeInForce.GTD)
IOC = np.int64(TimeInForce.IOC)
FOK = np.int64(TimeInForce.FOK)
STP_FIRST = np.int64(SelfTradePrevention.NONE)
STP_LAST = np.int64(SelfTradePrevention.DECREMENT)
PRE_OPEN = np.int64(Phase.PRE_OPEN)
CONTINUOUS = np.int64(Phase.CONTINUOUS)
POST_ONLY = np.int64(CommandFlag.POST_ONLY)
REDUCE_ONLY = np.int64(CommandFlag.REDUCE_ONLY)
OPERATOR = np.int64(Role.OPERATOR)
TRADER = np.int64(Role.TRADER)


@kernel
def check_operator(command):
    """Steps 1 and 2 of an administration command."""
    if command["version"] != COMMAND_VERSION:
        return BAD_VERSION
    if command["roles"] & OPERATOR == 0:
        return NOT_PERMITTED
    return OK


@inlined
def check_trader(s, command):
    """Steps 1 and 2 of a trading command: return (reason, account idx)."""
    if command["version"] != COMMAND_VERSION:
        return BAD_VERSION, NIL
    account = find_account(s, command["account"])
    if account == NIL:
        return UNKNOWN_ACCOUNT, NIL
    if s.accounts[account].enabled == 0:
        return ACCOUNT_DISABLED, NIL
    if command["roles"] & TRADER == 0:
        return NOT_PERMITTED, NIL
    return OK, account


@inlined
def check_new(s, command, account):
    """Steps 3 to 6 of a NEW: return (reason, length of the client id's chain)."""
    book = np.int64(command["instrument"])
    if book < 0 or book >= s.books_used:
        return UNKNOWN_INSTRUMENT, 0
    phase = s.books[book].phase
    if phase != CONTINUOUS:
        if phase != PRE_OPEN or not _is_collectable(command):
            return NOT_ALLOWED_IN_PHASE, 0
    chain = 0
    if command["client_order_id"] != 0:
        if command["client_order_id"] < 0:
            return INVALID_CLIENT_ORDER_ID, 0
        order, chain = find_live(s, account, command["client_order_id"])
        if order != NIL:
            return DUPLICATE, chain
        entry, ended_chain = find_ended(s, account, command["client_order_id"])
        if entry != NIL:
            return DUPLICATE, chain
        chain = max(chain, ended_chain)
    return _check_fields(s, command, book), chain


@kernel
def _is_collectable(command):
    """Tell whether an order may rest before the opening (exchange rule S17)."""
    tif = command["time_in_force"]
    return command["order_type"] == LIMIT and (tif == GTC or tif == DAY or tif == GTD)


@inlined
def _check_fields(s, command, book):
    """Step 6: side, type/TIF pair, quantity, price, expiry."""
    side = np.int64(command["side"])
    kind = command["order_type"]
    tif = command["time_in_force"]
    if side != BUY and side != SELL:
        return INVALID_SIDE
    if kind < LIMIT or kind > LAST_TYPE:
        return INVALID_TYPE
    if tif < GTC or tif > FOK:
        return INVALID_TIME_IN_FORCE
    if kind > MARKET or tif == GTD:
        return UNSUPPORTED
    if command["flags"] & REDUCE_ONLY or command["display_qty"] != 0 or command["value"] != 0:
        return UNSUPPORTED
    if command["flags"] & ~(POST_ONLY | REDUCE_ONLY):
        return INVALID_FIELD
    if command["stop_px"] != 0 or command["stp_mode"] < STP_FIRST or command["stp_mode"] > STP_LAST:
        return INVALID_FIELD
    if command["flags"] & POST_ONLY and (kind != LIMIT or tif >= IOC):
        return INVALID_TIME_IN_FORCE
    if kind == MARKET and tif < IOC:
        return INVALID_TIME_IN_FORCE
    if command["qty"] <= 0:  # above max_qty: step 10
        return INVALID_QUANTITY
    px = command["px"]
    if px > s.books[book].max_px or px < 0 or (px == 0 and kind == LIMIT):
        return INVALID_PRICE
    if command["expiry"] != 0:
        return INVALID_EXPIRY
    if kind == MARKET and best_level(s, book, BUY + SELL - side) == NIL:
        return NO_LIQUIDITY
    return OK
