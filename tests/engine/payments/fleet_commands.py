"""COMMANDs of a fleet as tests make them."""

from typing import Any

from engine.payments.fleet_records import (
    SHARE_CURRENCY,
    SHARE_GIVEN,
    SHARE_ROW_WORDS,
    SHARE_TAKEN,
    OnStoreDown,
    ShareMove,
)
from engine.payments.records import Op
from tests.engine.payments.building import DAY_MS, NAME, T0, command

TODAY = T0 // DAY_MS


def join(instances: int, on_store_down: OnStoreDown = OnStoreDown.LOCAL) -> Any:
    """Return FLEET."""
    return command(Op.FLEET, payment=instances, kind=on_store_down)


def store(is_up: bool = True) -> Any:
    """Return STORE."""
    return command(Op.STORE, kind=is_up)


def shares(move: ShareMove, *rows: tuple[int, int, int, int], day: int = TODAY) -> Any:
    """Return SHARES; rows: number of the merchant, currency, given, taken."""
    words: dict[int, int] = {}
    for place, (number, currency, given, taken) in enumerate(rows):
        at = place * SHARE_ROW_WORDS
        words |= {at: NAME + number, at + SHARE_CURRENCY: currency}
        words |= {at + SHARE_GIVEN: given, at + SHARE_TAKEN: taken}
    return command(Op.SHARES, kind=move, amount=day, payment=len(rows), words=words)
