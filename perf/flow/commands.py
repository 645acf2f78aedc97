"""The commands that come before the flow: currency, instruments with every limit, funded accounts.

Every check of the engine is armed and none refuses: the benchmark pays for the checks.
"""

import numpy as np
import numpy.typing as npt

from engine.trading.records import ALL_INSTRUMENTS, COMMAND, COMMAND_VERSION, UNCHANGED, Op, Role, text_words

ANCHOR_PX = 10_000
"""Every symbol's price at the start, in ticks."""
DEPOSITS = 10**18
"""Minor units given to all accounts together: their sum must stay below MONEY_MAX."""
MAX_PX = 2**16
MAX_QTY = 2**20
MAX_NOTIONAL = 10**14
BAND = (5_000, 15_000)
COLLAR_BPS = 5_000
PROTECT_TICKS = 2_000
MAKER_FEE_PPM = 50
TAKER_FEE_PPM = 200
MAX_OPEN_ORDERS = 10**9
MAX_POSITION = 4 * 10**18  # 1e-9 units: four thousand million lots
ORDER_RATE = 10**6
ORDER_BURST = 10**9
TICK_SIZE = (1, 2)  # 0.01
LOT_SIZE = (1, 0)


def set_up_commands(symbol_count: int, account_count: int) -> npt.NDArray[np.void]:
    """Return the COMMAND array that builds the venue of a mix; accounts are 1 .. account_count."""
    commands = np.zeros(2 + symbol_count + account_count, COMMAND)
    commands["version"] = COMMAND_VERSION
    commands["roles"] = int(Role.OPERATOR)
    _currency(commands[0])
    for idx in range(symbol_count):
        _instrument(commands[1 + idx], idx)
    _default_limits(commands[1 + symbol_count])
    accounts = commands[2 + symbol_count :]
    accounts["op"] = Op.ACCOUNT
    accounts["account"] = np.arange(1, account_count + 1)
    accounts["client_order_id"] = DEPOSITS // account_count  # of currency byte 0 of `text`, which is 0
    commands["req_seq"] = np.arange(1, len(commands) + 1)
    return commands


def _currency(command: np.void) -> None:
    command["op"] = Op.CURRENCY
    command["text"] = text_words(b"USD")
    command["value"] = 6


def _instrument(command: np.void, idx: int) -> None:
    """Fill an INSTRUMENT command; field use per INSTRUMENT_FIELDS of engine.trading.records."""
    first, second, _ = text_words(f"SYM{idx:05d}".encode())
    command["op"] = Op.INSTRUMENT
    command["text"] = (first, second, TAKER_FEE_PPM)
    command["value"] = MAKER_FEE_PPM
    command["account"], command["side"] = TICK_SIZE
    command["client_order_id"], command["order_type"] = LOT_SIZE
    command["time_in_force"] = 0  # base: the only currency; the base asset is a position
    command["stp_mode"] = 0
    command["order_id"] = PROTECT_TICKS
    command["px"] = MAX_PX
    command["qty"] = MAX_QTY
    command["display_qty"] = MAX_NOTIONAL
    command["stop_px"], command["expiry"] = BAND
    command["instrument"] = COLLAR_BPS


def _default_limits(command: np.void) -> None:
    """Fill the LIMITS command of every account's default."""
    command["op"] = Op.LIMITS
    command["instrument"] = ALL_INSTRUMENTS
    command["px"] = MAX_OPEN_ORDERS
    command["qty"] = MAX_POSITION
    command["display_qty"] = ORDER_RATE
    command["stop_px"] = ORDER_BURST
    command["value"] = UNCHANGED
