"""A digest of the whole state: two engines that agree on it agree on everything.

What lies beyond the `*_used` mark of a pool is zero by construction, so only what was
ever used is hashed, and the events of the last command are left out.
"""

import hashlib
from typing import Any

USED = {
    "accounts": "accounts_used",
    "balances": "currencies_used",
    "currencies": "currencies_used",
    "positions": "positions_used",
    "books": "books_used",
    "listings": "books_used",
    "levels": "levels_used",
    "nodes": "nodes_used",
    "child": "nodes_used",
    "hot": "orders_used",
    "cold": "orders_used",
    "ids": "ids_used",
}
"""Pool -> the counter that says how much of it was ever used."""

LEFT_OUT = (
    "out",
    "out_count",
    "out_first",
    "hints",
    "opened",
    "version",
    "account_bucket",
    "position_bucket",
    "order_bucket",
    "live_bucket",
    "id_bucket",
)
"""Scratch, seqlock words, and what follows from the pools (hash buckets)."""


def digest(state: Any) -> str:
    """Return the digest of `state` (an array of one STATE record) in hexadecimal."""
    s = state[0]
    total = hashlib.blake2b(digest_size=16)
    for name in state.dtype.names:
        if name in LEFT_OUT:
            continue
        field = s[name]
        if name in USED:
            field = field[: s[USED[name]]]
        total.update(field.tobytes())
    return total.hexdigest()
