"""COMMAND records written by hand, for what no JSON line can say."""

import numpy as np

from engine.trading.records import (
    COMMAND,
    COMMAND_VERSION,
    LIFTED,
    UNCHANGED,
    CommandFlag,
    Op,
    OrderType,
    Role,
    SelfTradePrevention,
    Side,
    TimeInForce,
    text_words,
)


def record(op: int, **fields: object) -> np.ndarray:
    """Return one record, COMMAND[1], of the right version and with every role."""
    made = np.zeros(1, COMMAND)
    made["op"], made["version"], made["roles"] = op, COMMAND_VERSION, Role.ALL
    for name, value in fields.items():
        made[name] = value
    return made


def order(account: int, instrument: int, side: int, px: int, qty: int, **fields: object) -> np.ndarray:
    """Return a limit order that trades with its own account's too."""
    plain: dict[str, object] = {
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "stp_mode": SelfTradePrevention.NONE,
    }
    named = {"account": account, "instrument": instrument, "side": side, "px": px, "qty": qty}
    return record(Op.NEW, **{**plain, **named, **fields})


def buy(account: int, px: int, qty: int, **fields: object) -> np.ndarray:
    """Return a limit buy of the first instrument."""
    return order(account, 0, Side.BUY, px, qty, **fields)


def currency(code: bytes) -> np.ndarray:
    return record(Op.CURRENCY, text=text_words(code))


def instrument(symbol: bytes, fee_ppm: int = 0, **fields: object) -> np.ndarray:
    """Return an instrument of tick 1, lot 1 and no limits, quoted in the first currency."""
    plain: dict[str, object] = {
        "text": (*text_words(symbol)[:2], fee_ppm),
        "value": fee_ppm,
        "account": 1,
        "client_order_id": 1,
        "px": UNCHANGED,
        "qty": UNCHANGED,
        "order_id": UNCHANGED,
        "display_qty": LIFTED,
        "stop_px": LIFTED,
        "expiry": LIFTED,
    }
    return record(Op.INSTRUMENT, **{**plain, **fields})


def unlimited_account(account: int) -> np.ndarray:
    return record(Op.ACCOUNT, account=account, flags=CommandFlag.UNLIMITED)
