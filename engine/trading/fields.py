"""What fields of COMMAND carry that is not what they are named for, by operation.

NEW          px 0 = none given (market); value unused; flags bit 2: the engine chooses the
             quantity, and qty and order_id say how (SIZING_FIELDS)
CANCEL       order_id, or client_order_id when order_id is 0
REPLACE      as CANCEL; px, qty = UNCHANGED when left out
MASS_CANCEL  instrument ALL_INSTRUMENTS or one; side BUY, SELL or 0 for both
SESSION_DOWN session: the session that ended (runtime and doors)
CURRENCY     text: code; value: decimals
INSTRUMENT   INSTRUMENT_FIELDS
ACCOUNT      account; flags bit 0: unlimited; side: Funding or 0; DEPOSIT_FIELDS, REPORTING_WORD
LIMITS       account 0 and instrument ALL_INSTRUMENTS: default of every account;
             INSTRUMENT_LIMIT_FIELDS, ACCOUNT_LIMIT_FIELDS
             (of accounts in journals of before alone)
ACCOUNT_LIMITS account, 0: default of every; ACCOUNT_LIMITS_WORDS, _HALVES; flags bit 3: a group's
GROUP        account: the number of a group; side: Membership; MEMBER_FIELDS
PHASE        instrument or ALL_INSTRUMENTS; value: Phase
MARK         instrument; px
TIME         value: the clock asked for (replay only: the driver moves eng_ts)
SESSION_END, SESSION_START -
RATE         time_in_force, stp_mode: currency idx, of what and in what; px: the rate in 1e-9
KILL         value: KillScope; order_id, account (that or a group) or instrument, as it says
RESET_LATCH  as KILL, no order; of account or group side: Latch, 0 for all; flags bit 0: measured anew
DEPOSIT      account; px: currency index; qty: amount, minor units; text: its id
WITHDRAW     as DEPOSIT
TRANSFER     as DEPOSIT, account: from whom; order_id: to whom; either may be FEES
"""

from enum import IntEnum

INSTRUMENT_FIELDS = {
    "symbol": "text",  # 16 bytes at most: words 0 and 1
    "tick_size": "account",  # mantissa; its decimals in `side`
    "lot_size": "client_order_id",  # mantissa; its decimals in `order_type`
    "base": "time_in_force",  # currency index
    "quote": "stp_mode",  # currency index
    "protect_ticks": "order_id",  # UNCHANGED: to the band, or to the ends of the price range
    "max_price": "px",  # UNCHANGED: isqrt((2**62 - 1) // scale)
    "max_quantity": "qty",  # UNCHANGED: as max_price
    "max_notional": "display_qty",  # LIFTED: none
    "band_low": "stop_px",  # LIFTED: none
    "band_high": "expiry",  # LIFTED: none
    "collar_bps": "instrument",  # 0: none
    "maker_fee_ppm": "value",  # lower half; initial_margin_ppm above it, 0: the whole
    "taker_fee_ppm": "text",  # word 2, lower half; maintenance_margin_ppm above it, 0: the initial
}
"""Field of COMMAND that carries each setting of an INSTRUMENT command."""

SYMBOL_BYTES = 16
INSTRUMENT_LIMIT_FIELDS = {
    "max_quantity": "qty",
    "max_notional": "display_qty",
    "band_low": "stop_px",
    "band_high": "expiry",
}
"""LIMITS of one instrument: UNCHANGED, LIFTED or the new value."""
BOOK_ORDERS_FIELD = "order_id"
"""LIMITS of one instrument, max_open_orders: 0 leaves it (as older journals do), LIFTED, or the limit + 1."""


class AccountLimit(IntEnum):
    """A limit of an account; its number is its bit in an ACCOUNT_LIMITS (exchange rule S21)."""

    MAX_OPEN_ORDERS = 0
    MAX_POSITION = 1
    ORDER_RATE = 2
    ORDER_BURST = 3
    MAX_DAILY_LOSS = 4
    MAX_DRAWDOWN = 5
    MAX_DRAWDOWN_BPS = 6
    MAX_GROSS_EXPOSURE = 7
    MAX_CONCENTRATION_PPM = 8
    MODIFY_RATE = 9
    MODIFY_BURST = 10
    MAX_FILL_RATE = 11
    FILL_WINDOW_MS = 12
    MAX_ORDER_TRADE_RATIO = 13
    ORDER_TRADE_WINDOW_MS = 14


ACCOUNT_LIMITS_WORDS = {
    "max_position": "px",  # in 1e-9 of an instrument's unit, as max_fill_rate
    "max_gross_exposure": "qty",
    "max_daily_loss": "display_qty",
    "max_drawdown": "stop_px",
    "max_fill_rate": "expiry",
}
ACCOUNT_LIMITS_HALVES = (
    ("client_order_id", "named", "lifted"),
    ("order_id", "max_open_orders", "max_concentration_ppm"),
    ("text_0", "order_rate", "order_burst"),
    ("text_1", "modify_rate", "modify_burst"),
    ("text_2", "max_drawdown_bps", "max_order_trade_ratio"),
    ("value", "fill_window_ms", "order_trade_window_ms"),
)
"""ACCOUNT_LIMITS: the field that carries each limit, in whole or in its lower and its upper 32 bits.

`named` has a bit per AccountLimit that is set or lifted, `lifted` one per limit that is lifted. The three in
money have as many decimals as `order_type` says. `side`: the LatchLevel on a breach of those that are
named and latch, 0 for CANCEL_AND_BLOCK.
"""
HALF_MAX = 2**31 - 1

POSITION_LIMIT_DECIMALS = 9
ACCOUNT_LIMIT_FIELDS = {
    "max_open_orders": "px",
    "max_position": "qty",  # in 1e-9 of an instrument's unit: accounts know no lots
    "order_rate": "display_qty",
    "order_burst": "stop_px",
}
"""LIMITS of one account, or of every account's default, in journals of before: as above."""


class Membership(IntEnum):
    """What a GROUP command says of the accounts that it names (exchange rule S21)."""

    WHOLE = 0  # they are the group: who is not named leaves it
    ADDED = 1
    REMOVED = 2


MEMBER_FIELDS = ("client_order_id", "order_id", "px", "qty", "display_qty", "stop_px", "expiry", "value")
MEMBER_TEXT_WORDS = 3
"""GROUP: the accounts that it names, 0 where there is none, and more of them in the words of `text`."""
MEMBERS_MAX = len(MEMBER_FIELDS) + MEMBER_TEXT_WORDS


class RulesStatus(IntEnum):
    """What became of a set of rules; in RULES the status."""

    REGISTERED = 1
    ACTIVATED = 2
    ROLLED_BACK = 3


WHY_FIELDS = ("client_order_id", "order_id", "display_qty", "stop_px", "expiry")
"""RULES_REGISTER, _ACTIVATE, _ROLLBACK: fields that carry why, eight bytes of a text each; `text`: who. `px`
and `qty` are the hash of a set, zeros in RULES_ACTIVATE for none. RULE_PARAM: `account`, or `instrument`, in
which the rule and param of key `px` are `qty`, or RULE_PARAM_LIFTED. Of the events RULES, and REJECTED with
reason RULE, `px` and `qty` are the hash too; `cum_qty` is the id of the set, or the number of the rule in it
from one on; `leaves_qty` the id of the set that governed before, or whether the rule could not compute."""
WHY_BYTES = 8 * len(WHY_FIELDS)
RULE_PARAM_LIFTED = -(2**63) + 1
"""RULE_PARAM: what the rule says itself holds again."""
BPS = 10_000
RATE_DECIMALS = 9
"""RATE: `px` is in 1e-9."""
REPORTING_WORD = 2
"""ACCOUNT: this word of `text` is the index of the reporting currency + 1, 0 where none is given."""

DEPOSIT_FIELDS = ("client_order_id", "order_id", "px", "qty", "display_qty", "stop_px", "expiry")
"""ACCOUNT: amount k (minor units, 0 = none) for the currency whose index is byte k of `text`."""

SIZING_BITS = 8
CAP_BITS = 32
SIZING_PPM_MAX = 1_000_000_000
"""A target, a volatility and a payoff are a thousand times the whole at most."""
SIZING_FIELDS = {
    "fixed_risk": ("risk_ppm", "stop"),  # stop: ticks
    "fixed_notional": ("amount", "decimals"),  # amount: counted with so many decimals
    "vol_target": ("target_ppm", "volatility_ppm"),
    "kelly": ("win_ppm", "payoff_ppm", "cap_ppm"),
}
"""NEW whose quantity the engine chooses (flags SIZED): arguments of each method. `qty` has the first one, and
cap_ppm above it from bit CAP_BITS on; `order_id` has the method and, from bit SIZING_BITS on, the second."""
