"""A digest of the whole state: two engines that agree on it agree on everything that is to come.

What lies beyond the `*_used` mark of a pool is zero by construction, so only what was
ever used is hashed, and the events of the last command are left out. What has happened is judged
by the hash of all events, which is compared beside the digest.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

USED = {
    "accounts": "accounts_used",
    "watches": "accounts_used",
    "balances": "currencies_used",
    "currencies": "currencies_used",
    "positions": "positions_used",
    "stakes": "positions_used",
    "books": "books_used",
    "rounds": "books_used",
    "listings": "books_used",
    "levels": "levels_used",
    "nodes": "nodes_used",
    "child": "nodes_used",
    "hot": "orders_used",
    "cold": "orders_used",
    "texts": "orders_used",
    "ids": "ids_used",
    "moves": "moves_used",
    "members": "accounts_used",
    "groups": "groups_used",
    "gross_qty": "positions_used",
    "rule_accounts": "accounts_used",
    "rule_positions": "positions_used",
    "rule_realised": "positions_used",
    "rule_books": "books_used",
    "rule_params": "rule_params_used",
}
"""Pool -> the counter that says how much of it was ever used."""

LEFT_OUT = (
    "known",
    "out",
    "out_count",
    "out_hashed",
    "out_first",
    "out_last",
    "hints",
    "noted",
    "events_before",
    "refused_by",
    "refused_account",
    "round_bits",
    "opened",
    "version",
    "account_bucket",
    "position_bucket",
    "order_bucket",
    "live_bucket",
    "id_bucket",
    "move_bucket",
    "judged",
)
"""Scratch, seqlock words, and what follows from the pools (buckets, leaves that are known, rounds due)."""

OF_THE_PAST = ("event_hash", "slot_count")
"""What tells of the events so far and decides none to come. A state that an earlier version laid out hashed
and counted them in its own way, and goes on from there: a replay from the first command differs in these."""


def digest(state: Any) -> str:
    """Return the digest of `state` (an array of one STATE record) in hexadecimal."""
    total = hashlib.blake2b(digest_size=16)
    for name, content in _fields(state):
        if name not in OF_THE_PAST:
            total.update(content)
    return total.hexdigest()


def first_difference(one: Any, other: Any) -> str:
    """Return the first field in which two states differ, with the index in a pool; "" where none does."""
    for (name, content), (_, contrary) in zip(_fields(one), _fields(other), strict=True):
        if content == contrary:
            continue
        if name not in USED:
            return f"{name} ({one[0][name]} and {other[0][name]})"
        pair = zip(np.atleast_1d(one[0][name]), np.atleast_1d(other[0][name]), strict=True)
        index = next((i for i, (a, b) in enumerate(pair) if a.tobytes() != b.tobytes()), 0)
        return f"{name}[{index}]"
    return ""


def _fields(state: Any) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of every field that counts."""
    s = state[0]
    for name in state.dtype.names:
        if name in LEFT_OUT:
            continue
        field = s[name]
        if name in USED:
            field = field[: s[USED[name]]]
        yield name, field.tobytes()
