"""What a rule of trading may speak of: the order, what the engine knows beside it, words.

FIELDS and CONTEXT stand in the order in which the engine lays them out for compiled rules
(engine/trading/kernels/user_rules.py). Prices are ticks, quantities lots, amounts minor units of the
instrument's quote currency. What is not there is 0 where nothing else is said.
"""

from collections.abc import Mapping

from engine.rules.vocabulary import BIT, INT64, INT64_MAX, Range, Vocabulary
from engine.trading.records import MONEY_MAX, PX_MAX, OrderType, Side, TimeInForce
from engine.trading.rules import words

MS_MAX = INT64_MAX // 10**6
"""The last millisecond of a clock that counts nanoseconds in 64 bits."""
COUNT_MAX = 2**40
"""No window counts as many orders or trades."""
LIMIT_MAX = 2**31
ABSENT = -1
_PX, _LOTS, _MONEY = Range(0, PX_MAX), Range(0, MONEY_MAX), Range(-MONEY_MAX, MONEY_MAX)

FIELDS: Mapping[str, Range] = {
    "account": Range(1, INT64_MAX),
    "instrument": Range(0, 2**31 - 1),
    "symbol": INT64,
    "is_replace": BIT,
    "side": Range(Side.BUY, Side.SELL),
    "type": Range(OrderType.LIMIT, OrderType.MARKET),
    "time_in_force": Range(TimeInForce.GTC, TimeInForce.FOK),
    "post_only": BIT,
    "px": Range(1, PX_MAX),  # of a market order its protection
    "qty": Range(1, MONEY_MAX),  # total; of a replace the new one
    "leaves": Range(1, MONEY_MAX),
    "notional": Range(0, MONEY_MAX),  # px * leaves
    "more": _MONEY,  # lots that come on top of what was open
    "old_px": _PX,  # of a replace
    "ts_ms": Range(0, MS_MAX),
    "scale": Range(1, MONEY_MAX),  # minor units of one tick times one lot
}
CONTEXT: Mapping[str, Range] = {
    "position": _MONEY,  # lots
    "open_buys": _LOTS,
    "open_sells": _LOTS,
    "cost": Range(0, MONEY_MAX),
    "realised": _MONEY,
    "bid": _PX,
    "bid_qty": _LOTS,
    "ask": _PX,
    "ask_qty": _LOTS,
    "last": _PX,
    "mark": _PX,
    "balance": _MONEY,
    "reserved": Range(0, MONEY_MAX),
    "open_orders": Range(0, LIMIT_MAX),
    "max_open_orders": Range(ABSENT, MONEY_MAX),
    "max_position": Range(ABSENT, MONEY_MAX),  # lots
    "order_rate": Range(ABSENT, MONEY_MAX),
    "has_equity": BIT,
    "equity": _MONEY,  # of the reporting currency, so the next two; 0 where it is not kept
    "peak": _MONEY,
    "day_start": _MONEY,
    "orders_1s": Range(0, COUNT_MAX),  # new and replaced orders of the account
    "orders_1m": Range(0, COUNT_MAX),
    "trades_1s": Range(0, COUNT_MAX),
    "trades_1m": Range(0, COUNT_MAX),
    "ordered_1s": _LOTS,  # lots that orders of the account brought to this instrument
    "ordered_1m": _LOTS,
    "filled_1s": _LOTS,
    "filled_1m": _LOTS,
    "volume_1s": _LOTS,  # lots that everybody traded in it
    "volume_1m": _LOTS,
    "loss_age_ms": Range(ABSENT, MS_MAX),  # since the account realised a loss; -1: it has not
    "orders_at_px": Range(0, LIMIT_MAX),  # of the account, resting on this side at this price
}

VOCABULARY = Vocabulary(
    fields=FIELDS,
    context=CONTEXT,
    constants={
        name: getattr(words, name) for name in ("BUY", "SELL", "LIMIT", "MARKET", "GTC", "DAY", "IOC", "FOK")
    },
    functions={"symbol": words.symbol},
    actions={},
    codes={},
    subject="order",
    is_refusing=True,
)
"""What rules of trading are written in."""

_sides_and_types = (Side.BUY, Side.SELL, OrderType.LIMIT, OrderType.MARKET)
_times = (TimeInForce.GTC, TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK)
assert {each.name: int(each) for each in (*_sides_and_types, *_times)} == VOCABULARY.constants
