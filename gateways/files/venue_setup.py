"""The lines that make a venue's symbol tradable here: one instrument, a house and an aggressor account."""

from decimal import Decimal
from typing import Any

HOUSE_ACCOUNT = 1  # owns what rests
AGGRESSOR_ACCOUNT = 2  # owns what trades against it
CURRENCY = "USD"
UNIT = "UNIT"
PX_MAX = 2**31 - 1
"""Highest price in ticks: wide enough for every listed share in ten-thousandths."""


def instrument_line(symbol: str, tick: Decimal) -> dict[str, Any]:
    """Return the command that defines a venue's symbol; the venue counts whole contracts or shares."""
    return {
        "op": "instrument",
        "symbol": symbol,
        "base": UNIT,
        "quote": CURRENCY,
        "tick_size": f"{tick:f}",
        "lot_size": 1,
        "max_price": f"{PX_MAX * tick:f}",
    }


def account_lines() -> list[dict[str, Any]]:
    """Return the commands that make both accounts: a replayed market has no buying power to check."""
    return [
        {"op": "account", "account": account, "unlimited": True}
        for account in (HOUSE_ACCOUNT, AGGRESSOR_ACCOUNT)
    ]
