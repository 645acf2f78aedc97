"""Fixed sizes of the trading state."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacities:
    """Fixed sizes of the trading state: nothing grows after the start (design decision D8)."""

    orders: int = 2**18
    instruments: int = 2**14
    accounts: int = 2**14
    currencies: int = 32
    positions: int = 2**18
    client_ids: int = 2**22
    groups: int = 2**10
