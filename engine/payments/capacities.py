"""Fixed sizes of the payments state."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacities:
    """Fixed sizes of the payments state: nothing grows after the start."""

    accounts: int = 2**17
    balances: int = 2**18
    """Of an account one a currency."""
    merchants: int = 2**12
    merchant_currencies: int = 2**14
    """Pairs of a merchant and a currency that it has limits in, or was paid in."""
    cards: int = 2**18
    pairs: int = 2**18
    """Of a card and a merchant that it was declined at."""
    devices: int = 2**17
    ips: int = 2**17
    emails: int = 2**16
    bins: int = 2**14
    payments: int = 2**20
    operations: int = 2**19
    """Captures, voids and refunds that are remembered."""
    answers: int = 2**22
    """Replies that a repeated request gets again."""
    list_entries: int = 2**22
    """Cards, BINs, accounts, devices, addresses that stand on a list; on several, each counts once."""
