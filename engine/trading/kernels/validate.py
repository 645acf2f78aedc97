"""Validation: who asks, of what, and whether the fields make sense (exchange rule S3, steps 1 to 6).

First failure wins and the order is contract. Nothing here writes.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.accounts import account_asked
from engine.trading.kernels.identity import find_ended, find_live
from engine.trading.kernels.levels import best_level
from engine.trading.kernels.size_by import is_legal_size
from engine.trading.kernels.state import NIL
from engine.trading.records import (
    COMMAND_VERSION,
)
from ringbuf.kernel import inlined, kernel

LAST_TYPE = codes.TRAILING_STOP
STP_FIRST = codes.STP_NONE
STP_LAST = codes.STP_DECREMENT


@kernel
def check_operator(command):
    """Steps 1 and 2 of an administration command."""
    if command["version"] != COMMAND_VERSION:
        return codes.BAD_VERSION
    if command["roles"] & codes.ROLE_OPERATOR == 0:
        return codes.NOT_PERMITTED
    return codes.OK


@inlined
def check_trader(s, command):
    """Steps 1 and 2 of a trading command: return (reason, account idx)."""
    if command["version"] != COMMAND_VERSION:
        return codes.BAD_VERSION, NIL
    account = account_asked(s, command["account"])
    if account == NIL:
        return codes.UNKNOWN_ACCOUNT, NIL
    if s.accounts[account].enabled == 0:
        return (codes.ACCOUNT_DISABLED if command["account"] > 0 else codes.UNKNOWN_ACCOUNT), NIL
    if command["roles"] & codes.ROLE_TRADER == 0:
        return codes.NOT_PERMITTED, NIL
    return codes.OK, account


@inlined
def check_new(s, command, account):
    """Steps 3 to 6 of a NEW: return (reason, length of the client id's chain)."""
    book = np.int64(command["instrument"])
    if book < 0 or book >= s.books_used:
        return codes.UNKNOWN_INSTRUMENT, 0
    phase = s.books[book].phase
    if phase != codes.CONTINUOUS:
        if phase != codes.PRE_OPEN or not _is_collectable(command):
            return codes.NOT_ALLOWED_IN_PHASE, 0
    chain = 0
    if command["client_order_id"] != 0:
        if command["client_order_id"] < 0:
            return codes.INVALID_CLIENT_ORDER_ID, 0
        order, chain = find_live(s, account, command["client_order_id"])
        if order != NIL:
            return codes.DUPLICATE, chain
        entry, ended_chain = find_ended(s, account, command["client_order_id"])
        if entry != NIL:
            return codes.DUPLICATE, chain
        chain = max(chain, ended_chain)
    return _check_fields(s, command, book), chain


@kernel
def _is_collectable(command):
    """Tell whether an order may rest before the opening (exchange rule S17)."""
    tif = command["time_in_force"]
    return command["order_type"] == codes.LIMIT and (tif == codes.GTC or tif == codes.DAY or tif == codes.GTD)


@inlined
def _check_fields(s, command, book):
    """Step 6: side, type/TIF pair, quantity, price, expiry."""
    if _is_usual(command, s.books[book].max_px):
        return codes.OK
    return _first_fault(s, command, book)


@inlined
def _is_usual(command, max_px):
    """Tell whether this is a limit order without a fault in its fields; without branches, for most are."""
    side, tif, flags = command["side"], command["time_in_force"], command["flags"]
    rests = (tif == codes.GTC) | (tif == codes.DAY)
    is_legal = (rests & ((flags == 0) | (flags == codes.FLAG_POST_ONLY))) | (
        ((tif == codes.IOC) | (tif == codes.FOK)) & (flags == 0)
    )
    unused = command["display_qty"] | command["value"] | command["stop_px"] | command["expiry"]
    return (
        is_legal
        & (command["order_type"] == codes.LIMIT)
        & ((side == codes.BUY) | (side == codes.SELL))
        & (command["stp_mode"] >= STP_FIRST)
        & (command["stp_mode"] <= STP_LAST)
        & (unused == 0)
        & (command["qty"] > 0)
        & (command["px"] > 0)
        & (command["px"] <= max_px)
    )


@kernel
def _first_fault(s, command, book):
    """Return the reason for the first of the faults of step 6, OK for none."""
    side = np.int64(command["side"])
    kind = command["order_type"]
    tif = command["time_in_force"]
    if side != codes.BUY and side != codes.SELL:
        return codes.INVALID_SIDE
    if kind < codes.LIMIT or kind > LAST_TYPE:
        return codes.INVALID_TYPE
    if tif < codes.GTC or tif > codes.FOK:
        return codes.INVALID_TIME_IN_FORCE
    if kind > codes.MARKET or tif == codes.GTD:
        return codes.UNSUPPORTED
    if command["display_qty"] != 0 or command["value"] != 0:
        return codes.UNSUPPORTED
    if command["flags"] & ~(codes.FLAG_POST_ONLY | codes.FLAG_REDUCE_ONLY | codes.FLAG_SIZED):
        return codes.INVALID_FIELD
    if command["stop_px"] != 0 or command["stp_mode"] < STP_FIRST or command["stp_mode"] > STP_LAST:
        return codes.INVALID_FIELD
    if command["flags"] & codes.FLAG_POST_ONLY and (kind != codes.LIMIT or tif >= codes.IOC):
        return codes.INVALID_TIME_IN_FORCE
    if kind == codes.MARKET and tif < codes.IOC:
        return codes.INVALID_TIME_IN_FORCE
    if command["flags"] & codes.FLAG_SIZED:
        if not is_legal_size(s, book, command["qty"], command["order_id"]):
            return codes.INVALID_FIELD
    elif command["qty"] <= 0:  # above max_qty: step 10
        return codes.INVALID_QUANTITY
    px = command["px"]
    if px > s.books[book].max_px or px < 0 or (px == 0 and kind == codes.LIMIT):
        return codes.INVALID_PRICE
    if command["expiry"] != 0:
        return codes.INVALID_EXPIRY
    if kind == codes.MARKET and best_level(s, book, codes.BUY + codes.SELL - side) == NIL:
        return codes.NO_LIQUIDITY
    return codes.OK
