"""COMMANDs of a fleet as tests make them."""

from typing import Any

from engine.payments.fleet_records import (
    SHARE_CURRENCY,
    SHARE_GIVEN,
    SHARE_ROW_WORDS,
    SHARE_TAKEN,
    SIGHTING_ROW_WORDS,
    OnStoreDown,
    ShareMove,
    Sighted,
)
from engine.payments.records import Op
from tests.engine.payments.building import DAY_MS, NAME, T0, command

TODAY = T0 // DAY_MS


def join(
    instances: int, on_store_down: OnStoreDown = OnStoreDown.LOCAL, on_sightings: tuple[int, ...] = ()
) -> Any:
    """Return FLEET."""
    return command(Op.FLEET, payment=instances, kind=on_store_down, words=dict(enumerate(on_sightings)))


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


def sightings(kind: Sighted, *rows: tuple[int, int, int]) -> Any:
    """Return SIGHTINGS; rows: bucket of T, numbers of what was seen and of the card, as `pay` has them."""
    words: dict[int, int] = {}
    for place, (bucket, seen, card) in enumerate(rows):
        for at, word in enumerate((bucket, seen, 1, card)):
            words[place * SIGHTING_ROW_WORDS + at] = word
    return command(Op.SIGHTINGS, kind=kind, payment=len(rows), words=words)
