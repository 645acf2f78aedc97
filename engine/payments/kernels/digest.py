"""A digest of the whole state: two engines that agree on it agree on everything that is to come.

What lies beyond the `*_used` mark of a pool is zero by construction, so only what was ever used is
hashed. What has happened is judged by the hash of all events, which is compared beside the digest.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

USED = {
    "accounts": ("accounts_used",),
    "balances": ("balances_used",),
    "merchants": ("merchants_used",),
    "rows": ("rows_used",),
    "cards": ("card_table", "used"),
    "pairs": ("pair_table", "used"),
    "bins": ("bin_table", "used"),
    "devices": ("device_table", "used"),
    "ips": ("ip_table", "used"),
    "emails": ("email_table", "used"),
    "listed": ("listed_used",),
    "answers": ("answers_used",),
    "payments": ("payments_used",),
    "operations": ("operations_used",),
}
"""Pool -> where the state says how much of it was ever used."""
LEFT_OUT = (
    "out",
    "out_count",
    "out_hashed",
    "out_first",
    "out_last",
    "opened",
    "version",
    "found",
    "other",
    "user",
    "context",
)
"""Scratch and seqlock words; of the context its `limit` counts. Buckets follow from the pools."""
BUCKET, PAD, CHAIN = "_bucket", "pad", "chain"
CHUNK_ROWS = 2**16


def used_of(s: Any, pool: str) -> int:
    """Return how many rows of a pool were ever used."""
    found = s
    for name in USED[pool]:
        found = found[name]
    return int(found)


def digest(state: Any) -> str:
    """Return the digest of `state` (an array of one STATE record) in hexadecimal."""
    total = hashlib.blake2b(digest_size=16)
    for _, content in _fields(state):
        total.update(content)
    return total.hexdigest()


def first_difference(one: Any, other: Any) -> str:
    """Return the first field in which two states differ, with the index in a pool; "" where none does."""
    for (name, content), (_, contrary) in zip(_fields(one), _fields(other), strict=False):
        if content == contrary:
            continue
        if name not in USED:
            return f"{name} ({_shown(one, name)} and {_shown(other, name)})"
        pair = zip(one[0][name], other[0][name], strict=False)
        index = next((i for i, (a, b) in enumerate(pair) if not _is_same(a, b)), 0)
        return f"{name}[{index}]"
    return ""


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether two rows are the same but for their chains."""
    return all((one[name] == other[name]).all() for name in one.dtype.names if name not in (CHAIN, PAD))


def _unchained(rows: Any) -> Iterator[Any]:
    """Yield rows in parts, without their chains: the order of rows in a bucket decides nothing."""
    for begin in range(0, len(rows), CHUNK_ROWS):
        part = rows[begin : begin + CHUNK_ROWS]
        if CHAIN in part.dtype.names:
            part = part.copy()
            part[CHAIN] = 0
        yield part


def _shown(state: Any, name: str) -> Any:
    return state[0]["context"][0]["limit"] if name == "limit" else state[0][name]


def _fields(state: Any) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of every field that counts."""
    s = state[0]
    for name in state.dtype.names:
        if name in LEFT_OUT or name.endswith(BUCKET) or name.startswith(PAD):
            continue
        if name in USED:
            yield from ((name, part.tobytes()) for part in _unchained(s[name][: used_of(s, name)]))
        else:
            yield name, s[name].tobytes()
    yield "limit", s["context"][0]["limit"].tobytes()
