"""Conversion of a state to other capacities or from an earlier layout: `pinion journal migrate`, and replays.

Fields are found by name. Whatever has an index keeps it: accounts, positions, books, levels, nodes,
orders. So queues, tries and free lists are valid as they are, and what lies beyond the `*_used` marks
is zero, as in a state that never had more. What follows from a capacity is made anew:

    hash buckets and chains   in the order in which the entries came
    window of client ids      the oldest first, where the ring had come around; so that of movements,
                              of which the newest that fit are kept
    version words             those of accounts lie behind those of all books

Nothing is decided again: what was refused for lack of room stays refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.records import LayoutError, copy_by_name
from engine.trading.capacities import Capacities
from engine.trading.kernels.accounts import TOKEN, account_bucket_of, position_bucket_of
from engine.trading.kernels.identity import client_hash
from engine.trading.kernels.money import PPM
from engine.trading.kernels.movements import movement_hash
from engine.trading.kernels.risk import BPS
from engine.trading.kernels.state import ACCOUNT_IDX_BITS, NO_LIMIT
from engine.trading.records import MONEY_MAX, PX_MAX, Side
from ringbuf.kernel import COMPILED

USED_BY_CAPACITY = {
    "orders": "orders_used",
    "instruments": "books_used",
    "accounts": "accounts_used",
    "currencies": "currencies_used",
    "positions": "positions_used",
    "client_ids": "ids_used",
    "groups": "groups_used",
}
"""Capacity -> the counter of the state that says how much of it was ever in use at once."""

MADE_ANEW = (
    *("account_bucket", "position_bucket", "order_bucket", "live_bucket", "id_bucket", "ids"),
    *("move_bucket", "moves", "judged"),
    *(
        "version",
        "opened",
        "hints",
        "known",
        "noted",
        "out",
        "out_count",
        "out_hashed",
        "out_first",
        "out_last",
    ),
)
Fill = Callable[[Any, Any], None]


def _count_slots(s: Any, t: Any) -> None:
    """Count one for each event so far: a position in the event ring, from which the worker goes on."""
    t["slot_count"] = s["event_count"]


def _reckon_free_prices(s: Any, t: Any) -> None:
    """Reckon which prices of each book neither band nor collar refuses."""
    books = t["books"][: t["books_used"]]
    ref = np.where(books["mark_px"] != 0, books["mark_px"], books["last_px"])
    has_collar = (books["collar_bps"] != 0) & (ref != 0)
    distance = np.where(has_collar, books["collar_bps"] * ref // BPS, PX_MAX)
    books["free_low"] = np.maximum(books["band_low"], ref - distance)
    books["free_high"] = np.minimum(books["band_high"], ref + distance)


def _count_guards(s: Any, t: Any) -> None:
    """Count what guards: the kills, for states without this word had no watches."""
    t["guard_count"] = t["kill_count"]


def _ask_whole_margin(s: Any, t: Any) -> None:
    """Let each book ask for the whole value as margin: nobody gave it another."""
    t["books"]["initial_ppm"][: t["books_used"]] = PPM
    t["books"]["maintenance_ppm"][: t["books_used"]] = PPM


def _resolve_limits(s: Any, t: Any) -> None:
    """Write down which limits hold for each account: its own, or the default's where it has none."""
    accounts = t["accounts"][: t["accounts_used"]]
    rate, burst, open_orders, position = (
        np.where(stored > 0, stored - 1, NO_LIMIT)
        for name in ("order_rate", "order_burst", "max_open_orders", "max_position")
        for stored in (np.where(accounts[name] != 0, accounts[name], t[f"default_{name}"]),)
    )
    accounts["rate_limit"] = rate
    accounts["burst_limit"] = np.where(burst == NO_LIMIT, rate, burst) * TOKEN
    accounts["open_orders_limit"] = np.where(open_orders == NO_LIMIT, MONEY_MAX, open_orders)
    accounts["position_limit"] = position


def _gather_orders(s: Any, t: Any) -> None:
    """Bring what matching touches of an order together, and its text away from it."""
    used = int(t["orders_used"])
    hot, cold = t["hot"][:used], t["cold"][:used]
    hot["instrument"] = s["cold"]["instrument"][:used]
    live = hot["order_id"] != 0
    # Links that count were made already. The rest keeps what was left there: the digest covers it.
    for chain, before, linked in (
        ("chain", "next", live),
        ("id_chain", "id_next", live & (cold["client_order_id"] != 0)),
    ):
        hot[chain][~linked] = s["cold"][before][:used][~linked]
    named = live & (cold["has_text"] != 0)
    t["texts"]["words"][:used][named] = s["cold"]["text"][:used][named]
    books = t["books"][hot["instrument"]]
    hot["held"] = np.where(live, hot["px"] * hot["leaves"] * books["scale"], 0)
    rates = np.maximum(cold["maker_ppm"], cold["taker_ppm"])
    for order in np.flatnonzero(live & (cold["side"] == Side.BUY) & (rates > 0)).tolist():
        notional = int(hot["held"][order])
        hot["held"][order] = notional - -notional * int(rates[order]) // PPM  # a charge is rounded up


ADDED: Mapping[str, Fill | None] = {
    "slot_count": _count_slots,
    "guard_count": _count_guards,
    **dict.fromkeys(
        ("kill_count", "is_venue_killed", "accounts.is_killed", "books.is_killed", "books.max_open_orders")
    ),
    **dict.fromkeys(("accounts.is_watched", "watches", "stakes", "rounds", "round_bits")),
    **dict.fromkeys(("rates", "cash_stakes", "dealings")),
    **dict.fromkeys(("watch_count", "noted_count", "rounds_due", "round_idx", "round_left", "events_before")),
    **dict.fromkeys(("moves", "moves_used", "moves_next")),
    **dict.fromkeys(("members", "groups", "groups_used", "gross_qty", "refused_by", "refused_account")),
    **dict.fromkeys(("cold.reduce_only", "watches.reducers", "reducings", "reducers", "valued")),
    **dict.fromkeys(("books.initial_ppm", "books.maintenance_ppm"), _ask_whole_margin),
    **dict.fromkeys(("rule_sets", "rule_accounts", "rule_positions", "rule_realised", "rule_books")),
    **dict.fromkeys(("governing", "governed_before", "last_ruleset", "rules_term")),
    **dict.fromkeys(("rule_params", "rule_params_used", "rule_params_free")),
    "books.free_low": _reckon_free_prices,
    "books.free_high": _reckon_free_prices,
    **dict.fromkeys(
        (f"accounts.{each}_limit" for each in ("rate", "burst", "open_orders", "position")), _resolve_limits
    ),
    **dict.fromkeys((f"hot.{each}" for each in ("instrument", "held", "chain", "id_chain")), _gather_orders),
    "texts": _gather_orders,
}
"""Field that states had not always, as `hot.rev` -> what fills it, given the old and the new record.

None: zero is right, as in an empty state. A field that is missing here stops every conversion from a
layout without it: nobody said what it was then. Fields are filled last, so all others are there.
"""

Ints = npt.NDArray[np.int64]


def too_small(state: Any, capacities: Capacities) -> dict[str, tuple[int, int]]:
    """Return the capacities that do not hold what `state` uses: name -> (what is set, what is used)."""
    given = asdict(capacities)
    used = _used(state[0])
    return {name: (given[name], used[name]) for name in used if given[name] < used[name]}


def capacities_of(state: Any) -> dict[str, int]:
    """Return the capacities of an array of one STATE record, of this layout or an earlier one."""
    return {name: _capacity(state[0], name) for name in _used(state[0])}


def _used(s: Any) -> dict[str, int]:
    """Return how much of each capacity was ever in use; earlier layouts have not all of them."""
    names = s.dtype.names
    used = {name: int(s[counter]) for name, counter in USED_BY_CAPACITY.items() if counter in names}
    return used | {"accounts": used["accounts"] - used.get("groups", 0)}


def _capacity(s: Any, name: str) -> int:
    """Return a capacity: accounts and groups share the pool of accounts."""
    groups = len(s["groups"]) if name == "accounts" and "groups" in s.dtype.names else 0
    return len(_pool(s, name)) - groups


def convert(old: Any, new: Any) -> None:
    """Bring `new` to the state that `old` is in.

    old : array of one STATE record, of this layout or an earlier one, at rest between two commands
    new : array of one STATE record, all zeros, of capacities that hold what `old` uses
    Raises LayoutError where it is not known what a field was in the layout of `old`.
    """
    s, t = old[0], new[0]
    assert s["opened_count"] == 0
    assert all(used <= _capacity(t, name) for name, used in _used(s).items())
    absent = *copy_by_name(old, new, MADE_ANEW), *_move_window(s, t), *_move_movements(s, t)
    for name in absent:
        if name not in ADDED:
            raise LayoutError(
                f"{name}: states of before have no such field, and ADDED does not say what it was"
            )
    books = int(s["books_used"])
    accounts = int(s["accounts_used"])
    t["version"][:books] = s["version"][:books]
    t["version"][len(t["books"]) :][:accounts] = s["version"][len(s["books"]) :][:accounts]
    _link_all(new.view(np.recarray)[0])
    for fill in dict.fromkeys(ADDED[name] for name in absent):  # one may fill several fields
        if fill is not None:
            fill(s, t)


def _pool(s: Any, capacity: str) -> Any:
    return s[{"orders": "hot", "instruments": "books", "client_ids": "ids"}.get(capacity, capacity)]


def _move_window(s: Any, t: Any) -> tuple[str, ...]:
    """Copy the ended client ids; return the fields that new ones alone have.

    A ring that had come around and gets another size begins with its oldest.
    """
    used, oldest = int(s["ids_used"]), int(s["ids_next"])
    window = s["ids"][:used]
    if len(t["ids"]) != len(s["ids"]):
        if used == len(s["ids"]):
            window = np.roll(window, -oldest)
        t["ids_next"] = used % len(t["ids"])
    return tuple(f"ids.{name}" for name in copy_by_name(window, t["ids"][:used]))


def _move_movements(s: Any, t: Any) -> tuple[str, ...]:
    """Copy the ids of movements, the newest that fit; return the fields that the new state alone has."""
    if "moves" not in s.dtype.names:
        return ("moves",)
    used, oldest, room = int(s["moves_used"]), int(s["moves_next"]), len(t["moves"])
    window = s["moves"][:used]
    if room != len(s["moves"]):
        if used == len(s["moves"]):
            window = np.roll(window, -oldest)
        window = window[-room:]
        t["moves_used"], t["moves_next"] = len(window), len(window) % room
    return tuple(f"moves.{name}" for name in copy_by_name(window, t["moves"][: len(window)]))


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
    _link(t.order_bucket, t.hot["chain"], live, order_id[live] & (len(t.order_bucket) - 1))
    named = live[client_id[live] != 0]
    hashed = hash_of(t.hot["account"][named], client_id[named])
    _link(t.live_bucket, t.hot["id_chain"], named, hashed & (len(t.live_bucket) - 1))

    ended = np.arange(t.ids_used)
    if t.ids_used == len(t.ids):
        ended = np.roll(ended, -t.ids_next)  # as above: the oldest first
    hashed = hash_of(t.ids["account"][ended], t.ids["client_order_id"][ended])
    _link(t.id_bucket, t.ids["next"], ended, hashed & (len(t.id_bucket) - 1))

    moves = np.arange(t.moves_used)
    if t.moves_used == len(t.moves):
        moves = np.roll(moves, -t.moves_next)
    first, second, third = t.moves["words"][moves].T
    hashed = _plain(movement_hash)(
        t.moves["account"][moves], t.moves["op"][moves].astype(np.int64), first, second, third
    )
    _link(t.move_bucket, t.moves["next"], moves, hashed & (len(t.move_bucket) - 1))


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
