"""The records that cross process borders: COMMAND (128 bytes) in, EVENT (256 bytes) out.

A gateway writes a COMMAND, the engine answers with EVENTs. Both are fixed-size,
little-endian and padded to whole cache lines. Every price is `px` in ticks, every
quantity `qty` in lots, every amount in minor units of its currency (exchange rule S1).
Numbers in the enums are never reused: a new meaning takes a new number.
"""

from enum import IntEnum, IntFlag

import numpy as np

from engine.contract.records import ROLES_ALL, Operation, entry_dtype

COMMAND_VERSION = 1
UNCHANGED = -(2**63)
"""In a REPLACE or LIMITS field: leave it as it is."""
LIFTED = -(2**63) + 1
"""In a LIMITS field: no limit from now on."""
ALL_INSTRUMENTS = -1
FEES = 0
"""In a TRANSFER, in place of an account: the fee account of the currency."""
TEXT_BYTES = 24
"""Longest textual client id or symbol, held as three int64 words."""
MONEY_MAX = 2**62
"""No balance, reserve, position or exposure may pass this (exchange rule S1)."""
PX_MAX = 2**40
"""Highest price in ticks: keeps px * basis points exact in int64."""


class Op(IntEnum):
    """What a command asks for."""

    TICK = Operation.TICK
    NEW = 2
    CANCEL = 3
    REPLACE = 4
    MASS_CANCEL = 5
    SESSION_DOWN = Operation.SESSION_DOWN
    QUARANTINED = Operation.QUARANTINED
    CURRENCY = 20
    INSTRUMENT = 21
    ACCOUNT = 22
    LIMITS = 23
    PHASE = 24
    MARK = 25
    TIME = 26
    SESSION_END = 27
    KILL = 28
    RESET_LATCH = 29
    SESSION_START = 30
    RATE = 31
    ACCOUNT_LIMITS = 32
    GROUP = 33
    DEPOSIT = 34
    WITHDRAW = 35
    TRANSFER = 36
    RULES_REGISTER = 40
    RULES_ACTIVATE = 41
    RULES_ROLLBACK = 42
    RULE_PARAM = 43


RULE_OPS = (Op.RULES_REGISTER, Op.RULES_ACTIVATE, Op.RULES_ROLLBACK, Op.RULE_PARAM)
OP_NAMES = {int(op): op.name.lower() for op in Op} | {int(Op.ACCOUNT_LIMITS): "limits"}
OP_NAMES |= {int(op): "rules" for op in RULE_OPS}
"""Operation -> its name in lines and answers: several records carry a `limits` or a `rules` line."""


class Role(IntFlag):
    """What a session may do; stamped by the door, checked again by the kernel."""

    TRADER = 1
    OPERATOR = 2
    VIEWER = 4
    ALL = ROLES_ALL


class Side(IntEnum):
    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    LIMIT = 1
    MARKET = 2
    MARKET_TO_LIMIT = 3
    STOP = 4
    STOP_LIMIT = 5
    TRAILING_STOP = 6


class TimeInForce(IntEnum):
    GTC = 1
    DAY = 2
    GTD = 3
    IOC = 4
    FOK = 5


class SelfTradePrevention(IntEnum):
    NONE = 1
    CANCEL_NEWEST = 2
    CANCEL_OLDEST = 3
    CANCEL_BOTH = 4
    DECREMENT = 5


class SizingMethod(IntEnum):
    """How the engine chooses the quantity of an order (exchange rule S21)."""

    FIXED_RISK = 1
    FIXED_NOTIONAL = 2
    VOL_TARGET = 3
    KELLY = 4


class Funding(IntEnum):
    """What an account's orders are paid from (exchange rule S21)."""

    CASH = 1
    MARGIN = 2


class CommandFlag(IntFlag):
    POST_ONLY = 1
    REDUCE_ONLY = 2
    SIZED = 4  # NEW only
    UNLIMITED = 1  # ACCOUNT only
    OF_GROUP = 8  # ACCOUNT_LIMITS only
    REBASE = 1  # RESET_LATCH only


class Phase(IntEnum):
    """Trading phases of an instrument (exchange rule S17)."""

    PRE_OPEN = 1
    AUCTION = 2
    CONTINUOUS = 3
    VOLATILITY_PAUSE = 4
    HALTED = 5
    CANCEL_ONLY = 6
    POST_ONLY = 7
    CLOSED = 8
    DISABLED = 9


class KillScope(IntEnum):
    """What a kill switch stops (exchange rule S22)."""

    ORDER = 1
    ACCOUNT = 2
    INSTRUMENT = 3
    VENUE = 4
    GROUP = 5


class Latch(IntEnum):
    """What stops an account: a kill, or a limit that it reached (exchange rule S21)."""

    KILL = 1
    MAX_DAILY_LOSS = 2
    MAX_DRAWDOWN = 3
    MAX_DRAWDOWN_BPS = 4
    MAX_FILL_RATE = 5
    MAX_ORDER_TRADE_RATIO = 6  # warns alone, and then refuses
    MAINTENANCE_MARGIN = 7


class LatchLevel(IntEnum):
    """What a latch lets happen; in LATCHED the status: the level that holds now (exchange rule S21)."""

    NONE = 0
    WARN = 1
    REDUCE_ONLY = 2
    CANCEL_AND_BLOCK = 3


class EventKind(IntEnum):
    """What happened. DONE closes a command that has no other event of its own."""

    ACCEPTED = 1
    REJECTED = 2
    TRADE = 3
    CANCELLED = 4
    REPLACED = 5
    TRIGGERED = 6
    PREVENTED = 7
    PHASE = 8
    LATCHED = 9
    DONE = 10
    MOVED = 20
    RULES = 24


class EventFlag(IntFlag):
    LAST = 1  # last event of its command
    PRIORITY_KEPT = 2  # REPLACED
    SELL = 4  # the order, or the aggressor of a TRADE, sells
    SIZED = 8  # ACCEPTED: the engine has chosen qty, or could have lowered it (reduce-only)


class Status(IntEnum):
    """Where an order stands."""

    OPEN = 1
    FILLED = 2
    CANCELLED = 3


class Reason(IntEnum):
    """The closed list of reasons: 1xx validation, 2xx risk, 3xx matching, 4xx cancellation."""

    NONE = 0
    BAD_VERSION = 100
    UNKNOWN_OP = 101
    UNSUPPORTED = 102
    UNKNOWN_ACCOUNT = 103
    ACCOUNT_DISABLED = 104
    NOT_PERMITTED = 105
    UNKNOWN_INSTRUMENT = 106
    NOT_ALLOWED_IN_PHASE = 107
    DUPLICATE = 108
    DUPLICATE_REQUEST = 109
    UNKNOWN_ORDER = 110
    INVALID_SIDE = 111
    INVALID_TYPE = 112
    INVALID_TIME_IN_FORCE = 113
    INVALID_QUANTITY = 114
    INVALID_PRICE = 115
    INVALID_EXPIRY = 116
    INVALID_FIELD = 117
    NO_LIQUIDITY = 118
    ALREADY_DEFINED = 119
    INVALID_CLIENT_ORDER_ID = 120
    UNKNOWN_SYMBOL = 121  # given by doors: no record can name one
    OFF_TICK = 122  # given by doors
    OFF_LOT = 123  # given by doors
    OUT_OF_RANGE = 124  # given by doors
    UNKNOWN_CURRENCY = 125
    BOOK_CROSSED = 126
    QUARANTINED = 127
    RATE_LIMIT = 200
    MAX_QUANTITY = 201
    MAX_NOTIONAL = 202
    PRICE_BAND = 203
    PRICE_COLLAR = 204
    MAX_OPEN_ORDERS = 205
    MAX_POSITION = 206
    INSUFFICIENT_FUNDS = 207
    OVERFLOW = 208
    BLOCKED = 209
    NOT_LATCHED = 210
    MAX_DAILY_LOSS = 211  # in LATCHED: the limit that was reached; so the next two
    MAX_DRAWDOWN = 212
    MAX_DRAWDOWN_BPS = 213
    NO_RATE = 214
    STILL_BREACHED = 215
    MAX_GROSS_EXPOSURE = 216
    MAX_CONCENTRATION = 217
    ORDER_TRADE_RATIO = 218
    MAX_FILL_RATE = 219  # in LATCHED
    ORDERS_FULL = 220
    LEVELS_FULL = 221
    CLIENT_IDS_FULL = 222
    ACCOUNTS_FULL = 223
    INSTRUMENTS_FULL = 224
    CURRENCIES_FULL = 225
    POSITIONS_FULL = 226
    GROUPS_FULL = 227
    UNKNOWN_GROUP = 241
    IN_ANOTHER_GROUP = 242
    REPORTING_CURRENCY = 243  # of a group, which its accounts share
    REDUCE_ONLY = 228
    INSUFFICIENT_MARGIN = 229
    NOT_FLAT = 244
    MAINTENANCE_MARGIN = 245  # in LATCHED
    RULE = 230
    UNKNOWN_RULES = 231
    NO_RULES_BEFORE = 232
    UNKNOWN_PARAM = 233
    RULE_PARAMS_FULL = 234
    POST_ONLY_WOULD_CROSS = 300
    FOK_UNFILLABLE = 301
    USER = 400
    MASS = 401
    IOC_REMAINDER = 402
    MARKET_REMAINDER = 403
    STP = 404
    GTD = 405
    DAY = 406
    AMEND_BELOW_FILLED = 407
    HALT = 408
    DISABLE = 409
    DISCONNECT = 410
    LATCH = 411
    TRIGGER_REJECTED = 412
    BAND = 413
    OCO = 414
    ADMIN = 415


COMMAND = np.dtype(
    [
        ("op", "<i1"),
        ("version", "<i1"),
        ("side", "<i1"),
        ("order_type", "<i1"),
        ("time_in_force", "<i1"),
        ("stp_mode", "<i1"),
        ("flags", "<i1"),
        ("roles", "<i1"),
        ("instrument", "<i4"),  # index given by the engine, in order of creation from 0
        ("session", "<i4"),
        ("account", "<i8"),
        ("client_order_id", "<i8"),  # 0 = none
        ("order_id", "<i8"),
        ("px", "<i8"),
        ("qty", "<i8"),
        ("display_qty", "<i8"),
        ("stop_px", "<i8"),
        ("expiry", "<i8"),  # engine clock, ns
        ("req_seq", "<i8"),  # the door's own number of this request, echoed in every event
        ("gw_ts", "<i8"),  # CLOCK_REALTIME ns when the door finished the record; latency only
        ("text", "<i8", (3,)),  # textual client id, zero padded, echoed in reports
        ("value", "<i8"),
    ]
)
assert COMMAND.itemsize == 128

EVENT = np.dtype(
    [
        ("event_idx", "<i8"),  # global index of this event in its epoch, from 0
        ("seq", "<i8"),  # of the command
        ("eng_ts", "<i8"),
        ("kind", "<i1"),
        ("flags", "<i1"),
        ("op", "<i1"),  # of the command
        ("status", "<i1"),  # Status of order_id after it; in PHASE the Phase, in LATCHED the LatchLevel
        ("reason", "<i2"),
        ("ring", "<i1"),  # ring, session and req_seq: of the command, so whose answer this is; ring -1:
        # of nobody's, the event came about at its head
        ("maker_ring", "<i1"),  # with maker_session: of the maker's order in TRADE and PREVENTED, of the
        # order itself in CANCELLED and REPLACED (its session hears of it whoever asked), else -1
        ("instrument", "<i4"),
        ("session", "<i4"),
        ("req_seq", "<i8"),  # of the command
        ("account", "<i8"),  # the order's; of a TRADE or PREVENTED the aggressor's (taker); of a MOVED
        # whose money it is, of a TRANSFER from whom
        ("order_id", "<i8"),  # of a refused movement's DUPLICATE: the seq of the original
        ("client_order_id", "<i8"),  # in LATCHED of a group its number
        (
            "px",
            "<i8",
        ),  # in MOVED, and in LATCHED of a limit, the index of the currency; in REJECTED the group
        # whose limit or latch refuses, 0: none
        ("qty", "<i8"),  # traded, prevented or new total; in DONE and LATCHED the number of orders cancelled;
        # in MOVED the amount, minor units
        ("cum_qty", "<i8"),  # in LATCHED what was measured, minor units; in MOVED what `account` has then
        ("leaves_qty", "<i8"),  # left; in CANCELLED what was taken off; in LATCHED what is allowed; in
        # MOVED of a TRANSFER what `maker_account` has then; of rules see fields.py
        ("notional", "<i8"),  # sum of px * qty over the order's fills: numerator of its average price
        ("fee", "<i8"),  # of the taker, minor units of the quote currency, positive when charged
        ("prev_px", "<i8"),  # REPLACED: before
        ("prev_qty", "<i8"),  # REPLACED: total before
        ("maker_account", "<i8"),  # in MOVED of a TRANSFER: to whom
        ("maker_order_id", "<i8"),
        ("maker_client_order_id", "<i8"),
        ("maker_cum_qty", "<i8"),
        ("maker_leaves_qty", "<i8"),
        ("maker_notional", "<i8"),
        ("maker_fee", "<i8"),
        ("maker_session", "<i4"),
        ("rev", "<i4"),  # times the order was replaced
        ("md_seq", "<i8"),  # of the instrument's book, counted from 1
        ("text", "<i8", (3,)),
        ("maker_text", "<i8", (3,)),
    ]
)
assert EVENT.itemsize == 256

JOURNAL_ENTRY = entry_dtype(COMMAND)
"""A command as the journal keeps it: seq, eng_ts, ring, ring_seq, command."""
assert JOURNAL_ENTRY.itemsize == 160


def text_words(text: bytes) -> tuple[int, int, int]:
    """Return `text` (at most TEXT_BYTES bytes) as the three int64 words of a record."""
    if len(text) > TEXT_BYTES:
        raise ValueError(f"text {text!r} has {len(text)} bytes; at most {TEXT_BYTES} are carried")
    first, second, third = np.frombuffer(text.ljust(TEXT_BYTES, b"\0"), "<i8").tolist()
    return first, second, third


def words_text(words: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> bytes:
    """Return the text that `text_words` stored."""
    return np.ascontiguousarray(words, "<i8").tobytes().rstrip(b"\0")
