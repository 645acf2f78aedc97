"""Conversion of a state to other capacities: `pinion journal migrate`, and replays over that place.

Whatever has an index keeps it: accounts, positions, books, levels, nodes, orders. So queues,
tries and free lists are valid as they are, and what lies beyond the `*_used` marks is zero, as
in a state that never had more. What follows from a capacity is made anew:

    hash buckets and chains   in the order in which the entries came
    window of client ids      the oldest first, where the ring had come around
    version words             those of accounts lie behind those of all books

Nothing is decided again: what was refused for lack of room stays refused.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.trading.capacities import Capacities
from engine.trading.kernels.accounts import account_bucket_of, position_bucket_of
from engine.trading.kernels.identity import client_hash
from engine.trading.kernels.state import ACCOUNT_IDX_BITS
from ringbuf.kernel import COMPILED

USED_BY_CAPACITY = {
    "orders": "orders_used",
    "instruments": "books_used",
    "accounts": "accounts_used",
    "currencies": "currencies_used",
    "positions": "positions_used",
    "client_ids": "ids_used",
}
"""Capacity -> the counter of the state that says how much of it was ever in use at once."""

MADE_ANEW = (
    *("account_bucket", "position_bucket", "order_bucket", "live_bucket", "id_bucket"),
    *("ids", "version", "opened", "hints", "out"),
)

Ints = npt.NDArray[np.int64]


def too_small(state: Any, capacities: Capacities) -> dict[str, tuple[int, int]]:
    """Return the capacities that do not hold what `state` uses: name -> (what is set, what is used)."""
    given = asdict(capacities)
    used = {name: int(state[0][counter]) for name, counter in USED_BY_CAPACITY.items()}
    return {name: (given[name], used[name]) for name in used if given[name] < used[name]}


def convert(old: Any, new: Any) -> None:
    """Bring `new` to the state that `old` is in.

    old : array of one STATE record, at rest between two commands
    new : array of one STATE record of other capacities, all zeros, that hold what `old` uses
    """
    s, t = old[0], new[0]
    assert s["opened_count"] == 0
    assert all(s[counter] <= len(_pool(t, name)) for name, counter in USED_BY_CAPACITY.items())
    for name in old.dtype.names:
        if name in MADE_ANEW or name.startswith("pad_"):
            continue
        if old.dtype[name].shape:
            shared = tuple(slice(min(pair)) for pair in zip(s[name].shape, t[name].shape, strict=True))
            t[name][shared] = s[name][shared]
        else:
            t[name] = s[name]
    t["out_count"] = t["out_first"] = 0
    books = int(s["books_used"])
    accounts = int(s["accounts_used"])
    t["version"][:books] = s["version"][:books]
    t["version"][len(t["books"]) :][:accounts] = s["version"][len(s["books"]) :][:accounts]
    _move_window(s, t)
    _link_all(new.view(np.recarray)[0])


def _pool(s: Any, capacity: str) -> Any:
    return s[{"orders": "hot", "instruments": "books", "client_ids": "ids"}.get(capacity, capacity)]


def _move_window(s: Any, t: Any) -> None:
    """Copy the ended client ids; a ring that had come around begins with its oldest."""
    used, oldest = int(s["ids_used"]), int(s["ids_next"])
    window = s["ids"][:used]
    if used == len(s["ids"]):
        window = np.roll(window, -oldest)
    t["ids"][:used] = window
    t["ids_next"] = used % len(t["ids"])


def _link_all(t: Any) -> None:
    """Fill every hash table from its pool; t : STATE record whose fields are attributes."""
    hash_of = _plain(client_hash)
    accounts = np.arange(t.accounts_used)
    buckets = _plain(account_bucket_of)(t, t.accounts["account"][accounts])
    _link(t.account_bucket, t.accounts["next"], accounts, buckets)

    positions = np.arange(t.positions_used)
    keys = t.positions["key"][positions]
    owner, instrument = keys >> ACCOUNT_IDX_BITS, keys & ((1 << ACCOUNT_IDX_BITS) - 1)
    buckets = _plain(position_bucket_of)(t, owner, instrument)
    _link(t.position_bucket, t.positions["next"], positions, buckets)

    order_id, client_id = t.hot["order_id"], t.cold["client_order_id"]
    live = np.flatnonzero(order_id[: t.orders_used])
    live = live[np.argsort(order_id[live])]  # ids grow: the order in which they came
    _link(t.order_bucket, t.cold["next"], live, order_id[live] & (len(t.order_bucket) - 1))
    named = live[client_id[live] != 0]
    hashed = hash_of(t.hot["account"][named], client_id[named])
    _link(t.live_bucket, t.cold["id_next"], named, hashed & (len(t.live_bucket) - 1))

    ended = np.arange(t.ids_used)
    hashed = hash_of(t.ids["account"][ended], t.ids["client_order_id"][ended])
    _link(t.id_bucket, t.ids["next"], ended, hashed & (len(t.id_bucket) - 1))


def _link(heads: Any, following: Any, members: Ints, buckets: Ints) -> None:
    """Chain members (idx, oldest first) by their buckets, each new one ahead of those before it.

    heads : int[buckets], idx + 1 of the newest; following : int[pool], idx + 1 of the one before
    """
    order = np.argsort(buckets, kind="stable")
    members, buckets = members[order], buckets[order]
    is_first = np.ones(len(members), bool)
    is_first[1:] = buckets[1:] != buckets[:-1]
    before = np.roll(members, 1) + 1
    before[is_first] = 0
    following[members] = before
    heads[buckets] = members + 1  # of equal buckets the last one stays


def _plain(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel as plain Python: over whole columns, and without a second signature of it."""
    function: Callable[..., Any] = kernel.py_func if COMPILED else kernel  # type: ignore[attr-defined]  # numba's
    return function
