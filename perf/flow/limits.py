"""Every limit of every account, none of which refuses or latches, and marks among a flow's commands."""

import numpy as np
import numpy.typing as npt

from engine.trading.fields import ACCOUNT_LIMITS_HALVES, ACCOUNT_LIMITS_WORDS, HALF_MAX, AccountLimit
from engine.trading.records import COMMAND, COMMAND_VERSION, Op, Role
from perf.flow.commands import ANCHOR_PX, MAX_OPEN_ORDERS, MAX_POSITION, ORDER_BURST, ORDER_RATE

HALF_BITS = 32
MONEY_DECIMALS = 6
OUT_OF_REACH = 10**18
VALUES = {
    AccountLimit.MAX_OPEN_ORDERS: MAX_OPEN_ORDERS,
    AccountLimit.MAX_POSITION: MAX_POSITION,
    AccountLimit.ORDER_RATE: ORDER_RATE,
    AccountLimit.ORDER_BURST: ORDER_BURST,
    AccountLimit.MODIFY_RATE: ORDER_RATE,
    AccountLimit.MODIFY_BURST: ORDER_BURST,
    AccountLimit.MAX_DAILY_LOSS: OUT_OF_REACH,
    AccountLimit.MAX_DRAWDOWN: OUT_OF_REACH,
    AccountLimit.MAX_DRAWDOWN_BPS: 10_000,
    AccountLimit.MAX_GROSS_EXPOSURE: OUT_OF_REACH,
    AccountLimit.MAX_CONCENTRATION_PPM: 1_000_000,
    AccountLimit.MAX_FILL_RATE: OUT_OF_REACH,
    AccountLimit.FILL_WINDOW_MS: 1_000,
    AccountLimit.MAX_ORDER_TRADE_RATIO: HALF_MAX,
    AccountLimit.ORDER_TRADE_WINDOW_MS: 60_000,
}
"""What each limit is set to: it is measured, and never reached."""


def limits_of(account_count: int) -> npt.NDArray[np.void]:
    """Return the COMMAND array that sets every limit of the accounts 1 .. account_count."""
    commands = np.zeros(account_count, COMMAND)
    commands["version"] = COMMAND_VERSION
    commands["roles"] = int(Role.OPERATOR)
    commands["op"] = Op.ACCOUNT_LIMITS
    commands["account"] = np.arange(1, account_count + 1)
    commands["order_type"] = MONEY_DECIMALS
    values = {limit.name.lower(): value for limit, value in VALUES.items()}
    values |= {"named": sum(1 << limit for limit in VALUES), "lifted": 0}
    for name, field in ACCOUNT_LIMITS_WORDS.items():
        commands[field] = values[name]
    for field, low, high in ACCOUNT_LIMITS_HALVES:
        word = values[low] | values[high] << HALF_BITS
        if field.startswith("text_"):
            commands["text"][:, int(field.removeprefix("text_"))] = word
        else:
            commands[field] = word
    return commands


def with_marks(
    commands: npt.NDArray[np.void], first: int, every: int, symbol_count: int
) -> npt.NDArray[np.void]:
    """Return the commands with a mark in front of each `every` from `first` on, and numbered anew.

    Each mark changes the one before of its symbol: whoever holds it is due for valuation.
    """
    places = np.arange(first, len(commands), every)
    turns = np.arange(len(places))
    marks = np.zeros(len(places), COMMAND)
    marks["version"] = COMMAND_VERSION
    marks["roles"] = int(Role.OPERATOR)
    marks["op"] = Op.MARK
    marks["instrument"] = turns % symbol_count
    marks["px"] = ANCHOR_PX + turns // symbol_count % 2
    commands = np.insert(commands, places, marks)
    commands["req_seq"] = np.arange(1, len(commands) + 1)
    return commands
