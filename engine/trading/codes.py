"""Numbers of the enums as kernels take them: numba knows np.int64 constants, and no enum's members.

Reasons have their own names, OK for none; OP_, EVENT_, STATUS_, ROLE_, FLAG_ and STP_ tell other enums apart.
"""

import numpy as np

from engine.trading.records import (
    CommandFlag,
    EventFlag,
    EventKind,
    KillScope,
    LatchLevel,
    Op,
    OrderType,
    Phase,
    Reason,
    Role,
    SelfTradePrevention,
    Side,
    Status,
    TimeInForce,
)

OP_TICK = np.int64(Op.TICK)
OP_NEW = np.int64(Op.NEW)
OP_CANCEL = np.int64(Op.CANCEL)
OP_REPLACE = np.int64(Op.REPLACE)
OP_MASS_CANCEL = np.int64(Op.MASS_CANCEL)
OP_SESSION_DOWN = np.int64(Op.SESSION_DOWN)
OP_QUARANTINED = np.int64(Op.QUARANTINED)
OP_CURRENCY = np.int64(Op.CURRENCY)
OP_INSTRUMENT = np.int64(Op.INSTRUMENT)
OP_ACCOUNT = np.int64(Op.ACCOUNT)
OP_LIMITS = np.int64(Op.LIMITS)
OP_PHASE = np.int64(Op.PHASE)
OP_MARK = np.int64(Op.MARK)
OP_TIME = np.int64(Op.TIME)
OP_SESSION_END = np.int64(Op.SESSION_END)
OP_KILL = np.int64(Op.KILL)
OP_RESET_LATCH = np.int64(Op.RESET_LATCH)

KILL_ORDER = np.int64(KillScope.ORDER)
KILL_ACCOUNT = np.int64(KillScope.ACCOUNT)
KILL_INSTRUMENT = np.int64(KillScope.INSTRUMENT)
KILL_VENUE = np.int64(KillScope.VENUE)
LEVEL_NONE = np.int64(LatchLevel.NONE)
LEVEL_BLOCK = np.int64(LatchLevel.CANCEL_AND_BLOCK)

BUY = np.int64(Side.BUY)
SELL = np.int64(Side.SELL)

LIMIT = np.int64(OrderType.LIMIT)
MARKET = np.int64(OrderType.MARKET)
TRAILING_STOP = np.int64(OrderType.TRAILING_STOP)

GTC = np.int64(TimeInForce.GTC)
DAY = np.int64(TimeInForce.DAY)
GTD = np.int64(TimeInForce.GTD)
IOC = np.int64(TimeInForce.IOC)
FOK = np.int64(TimeInForce.FOK)

STP_NONE = np.int64(SelfTradePrevention.NONE)
STP_CANCEL_NEWEST = np.int64(SelfTradePrevention.CANCEL_NEWEST)
STP_CANCEL_OLDEST = np.int64(SelfTradePrevention.CANCEL_OLDEST)
STP_DECREMENT = np.int64(SelfTradePrevention.DECREMENT)

FLAG_POST_ONLY = np.int64(CommandFlag.POST_ONLY)
FLAG_REDUCE_ONLY = np.int64(CommandFlag.REDUCE_ONLY)
FLAG_UNLIMITED = np.int64(CommandFlag.UNLIMITED)

ROLE_TRADER = np.int64(Role.TRADER)
ROLE_OPERATOR = np.int64(Role.OPERATOR)

PRE_OPEN = np.int64(Phase.PRE_OPEN)
CONTINUOUS = np.int64(Phase.CONTINUOUS)
HALTED = np.int64(Phase.HALTED)
CANCEL_ONLY = np.int64(Phase.CANCEL_ONLY)
CLOSED = np.int64(Phase.CLOSED)
DISABLED = np.int64(Phase.DISABLED)

EVENT_ACCEPTED = np.int64(EventKind.ACCEPTED)
EVENT_REJECTED = np.int64(EventKind.REJECTED)
EVENT_TRADE = np.int64(EventKind.TRADE)
EVENT_CANCELLED = np.int64(EventKind.CANCELLED)
EVENT_REPLACED = np.int64(EventKind.REPLACED)
EVENT_PREVENTED = np.int64(EventKind.PREVENTED)
EVENT_PHASE = np.int64(EventKind.PHASE)
EVENT_LATCHED = np.int64(EventKind.LATCHED)
EVENT_DONE = np.int64(EventKind.DONE)

FLAG_LAST = np.int64(EventFlag.LAST)
FLAG_PRIORITY_KEPT = np.int64(EventFlag.PRIORITY_KEPT)
FLAG_SELL = np.int64(EventFlag.SELL)

STATUS_OPEN = np.int64(Status.OPEN)
STATUS_FILLED = np.int64(Status.FILLED)
STATUS_CANCELLED = np.int64(Status.CANCELLED)

OK = np.int64(Reason.NONE)
BAD_VERSION = np.int64(Reason.BAD_VERSION)
UNKNOWN_OP = np.int64(Reason.UNKNOWN_OP)
UNSUPPORTED = np.int64(Reason.UNSUPPORTED)
UNKNOWN_ACCOUNT = np.int64(Reason.UNKNOWN_ACCOUNT)
ACCOUNT_DISABLED = np.int64(Reason.ACCOUNT_DISABLED)
NOT_PERMITTED = np.int64(Reason.NOT_PERMITTED)
UNKNOWN_INSTRUMENT = np.int64(Reason.UNKNOWN_INSTRUMENT)
NOT_ALLOWED_IN_PHASE = np.int64(Reason.NOT_ALLOWED_IN_PHASE)
DUPLICATE = np.int64(Reason.DUPLICATE)
UNKNOWN_ORDER = np.int64(Reason.UNKNOWN_ORDER)
INVALID_SIDE = np.int64(Reason.INVALID_SIDE)
INVALID_TYPE = np.int64(Reason.INVALID_TYPE)
INVALID_TIME_IN_FORCE = np.int64(Reason.INVALID_TIME_IN_FORCE)
INVALID_QUANTITY = np.int64(Reason.INVALID_QUANTITY)
INVALID_PRICE = np.int64(Reason.INVALID_PRICE)
INVALID_EXPIRY = np.int64(Reason.INVALID_EXPIRY)
INVALID_FIELD = np.int64(Reason.INVALID_FIELD)
NO_LIQUIDITY = np.int64(Reason.NO_LIQUIDITY)
ALREADY_DEFINED = np.int64(Reason.ALREADY_DEFINED)
INVALID_CLIENT_ORDER_ID = np.int64(Reason.INVALID_CLIENT_ORDER_ID)
UNKNOWN_CURRENCY = np.int64(Reason.UNKNOWN_CURRENCY)
BOOK_CROSSED = np.int64(Reason.BOOK_CROSSED)
QUARANTINED = np.int64(Reason.QUARANTINED)
RATE_LIMIT = np.int64(Reason.RATE_LIMIT)
MAX_QUANTITY = np.int64(Reason.MAX_QUANTITY)
MAX_NOTIONAL = np.int64(Reason.MAX_NOTIONAL)
PRICE_BAND = np.int64(Reason.PRICE_BAND)
PRICE_COLLAR = np.int64(Reason.PRICE_COLLAR)
MAX_OPEN_ORDERS = np.int64(Reason.MAX_OPEN_ORDERS)
MAX_POSITION = np.int64(Reason.MAX_POSITION)
INSUFFICIENT_FUNDS = np.int64(Reason.INSUFFICIENT_FUNDS)
OVERFLOW = np.int64(Reason.OVERFLOW)
BLOCKED = np.int64(Reason.BLOCKED)
NOT_LATCHED = np.int64(Reason.NOT_LATCHED)
ORDERS_FULL = np.int64(Reason.ORDERS_FULL)
CLIENT_IDS_FULL = np.int64(Reason.CLIENT_IDS_FULL)
ACCOUNTS_FULL = np.int64(Reason.ACCOUNTS_FULL)
INSTRUMENTS_FULL = np.int64(Reason.INSTRUMENTS_FULL)
CURRENCIES_FULL = np.int64(Reason.CURRENCIES_FULL)
POSITIONS_FULL = np.int64(Reason.POSITIONS_FULL)
POST_ONLY_WOULD_CROSS = np.int64(Reason.POST_ONLY_WOULD_CROSS)
FOK_UNFILLABLE = np.int64(Reason.FOK_UNFILLABLE)
REASON_USER = np.int64(Reason.USER)
REASON_MASS = np.int64(Reason.MASS)
IOC_REMAINDER = np.int64(Reason.IOC_REMAINDER)
MARKET_REMAINDER = np.int64(Reason.MARKET_REMAINDER)
REASON_STP = np.int64(Reason.STP)
REASON_DAY = np.int64(Reason.DAY)
AMEND_BELOW_FILLED = np.int64(Reason.AMEND_BELOW_FILLED)
REASON_LATCH = np.int64(Reason.LATCH)
REASON_BAND = np.int64(Reason.BAND)
REASON_ADMIN = np.int64(Reason.ADMIN)
