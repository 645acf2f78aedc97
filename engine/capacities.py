"""Fixed sizes: of the trading state, and what an instance never has more or less of."""

from dataclasses import dataclass

RING_COUNT_MAX = 64
"""Command rings of an instance at most."""
EVENT_RING_MIN = 1024
"""Twice what the worker keeps between itself and the slowest visible event (loop.SLACK + loop.CHUNK)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacities:
    """Fixed sizes of the trading state: nothing grows after the start (DESIGN D8)."""

    orders: int = 2**18
    instruments: int = 2**14
    accounts: int = 2**14
    currencies: int = 32
    positions: int = 2**18
    client_ids: int = 2**22
