"""Reads a whole trading state the slow way, for comparison and for its invariants.

Books are read through the levels' own links and the trie, not through the kernels, so
that a kernel's mistake cannot hide itself.
"""

from collections import Counter
from typing import Any

import numpy as np

from engine.trading.client_text import given_id
from engine.trading.instruments import catalogue
from engine.trading.kernels.levels import DEPTH_MAX
from engine.trading.kernels.risk import BPS
from engine.trading.kernels.state import ACCOUNT_IDX_BITS, LEAVES_KNOWN, NIL, NO_LIMIT, NODE_WAYS
from engine.trading.records import MONEY_MAX, PX_MAX, Side
from tests.engine.trading.group_reading import check_groups, group_position
from tests.engine.trading.watch_reading import check_watches

SIDE_NAMES = {Side.BUY: "bids", Side.SELL: "asks"}


def books(state: Any) -> dict[str, Any]:
    """Return every book in the shape of `--book`."""
    s, known = state[0], catalogue(state)
    result = {}
    for instrument in known.instruments:
        book = s["books"][instrument.instrument_idx]
        sides = {
            name: [
                [
                    instrument.price_text(int(level["px"])),
                    instrument.quantity_text(int(level["qty"])),
                    int(level["order_count"]),
                    [client_id(s, order) for order in queue_of(s, level)],
                ]
                for level in levels_of(s, book, side)
            ]
            for side, name in SIDE_NAMES.items()
        }
        last = instrument.price_text(int(book["last_px"])) if book["last_px"] else None
        result[instrument.symbol] = {**sides, "stops": [], "last": last}
    return result


def client_id(s: Any, order: int) -> int | str | None:
    return given_id(int(s["cold"][order]["client_order_id"]), *s["texts"][order]["words"].tolist())


def levels_of(s: Any, book: Any, side: int) -> list[Any]:
    """Return the levels of one side, best first, by walking the trie from its root."""
    root = int(book["root"][side]) - 1
    return [] if root == NIL else [s["levels"][idx] for idx in levels_below(s, root)]


def levels_below(s: Any, node: int) -> list[int]:
    found = []
    for digit in range(NODE_WAYS):
        if int(s["nodes"][node]["bits"]) >> digit & 1:
            child = int(s["child"][node, digit])
            found += [child] if s["nodes"][node]["shift"] == 0 else levels_below(s, child)
    return found


def nodes_below(s: Any, node: int) -> list[int]:
    found = [node]
    if s["nodes"][node]["shift"] != 0:
        for digit in range(NODE_WAYS):
            if int(s["nodes"][node]["bits"]) >> digit & 1:
                found += nodes_below(s, int(s["child"][node, digit]))
    return found


def queue_of(s: Any, level: Any) -> list[int]:
    """Return the orders of a level by its links, checking them both ways."""
    orders, before, order = [], int(NIL), int(level["head"])
    while order != NIL:
        assert s["hot"][order]["prev"] == before
        orders.append(order)
        before, order = order, int(s["hot"][order]["next"])
    assert level["tail"] == before
    return orders


def money(state: Any) -> dict[int, dict[str, tuple[int, int]]]:
    """Return account -> currency -> (total, reserved), zeros left out."""
    s, known = state[0], catalogue(state)
    result: dict[int, dict[str, tuple[int, int]]] = {}
    for idx in range(int(s["accounts_used"])):
        if s["accounts"][idx]["account"] < 0:  # a group has no money
            assert not s["balances"][:, idx]["total"].any()
            continue
        held = {}
        for currency in known.currencies:
            balance = s["balances"][currency.currency_idx, idx]
            if balance["total"] or balance["reserved"]:
                held[currency.code] = (int(balance["total"]), int(balance["reserved"]))
        result[int(s["accounts"][idx]["account"])] = held
    return result


def fees(state: Any) -> dict[str, int]:
    """Return what the house earned, per currency, in minor units."""
    rows = state[0]["currencies"]
    return {each.code: int(rows[each.currency_idx]["fees"]) for each in catalogue(state).currencies}


def deposited(state: Any) -> dict[str, int]:
    """Return what came from outside less what went there, per currency, in minor units."""
    rows = state[0]["currencies"]
    return {each.code: int(rows[each.currency_idx]["deposited"]) for each in catalogue(state).currencies}


def positions(state: Any) -> dict[tuple[int, str], tuple[int, int, int]]:
    """Return (account, symbol) -> (lots, cost, realised), zeros left out."""
    s, known = state[0], catalogue(state)
    result = {}
    for row in s["positions"][: s["positions_used"]]:
        account = int(s["accounts"][row["key"] >> ACCOUNT_IDX_BITS]["account"])
        if account < 0:
            continue
        symbol = known.instruments[row["key"] & ((1 << ACCOUNT_IDX_BITS) - 1)].symbol
        held = (int(row["qty"]), int(row["cost"]), int(row["realised"]))
        if any(held):
            result[account, symbol] = held
    return result


def check_invariants(state: Any) -> None:
    """Assert everything that must hold of a state between commands."""
    s = state[0]
    seen_levels: list[int] = []
    resting: list[int] = []
    seen_nodes: list[int] = []
    for number, book in enumerate(s["books"][: s["books_used"]]):
        check_free_prices(book)
        for side in (Side.BUY, Side.SELL):
            root = int(book["root"][side]) - 1
            check_known(s, number, side, root)
            if root == NIL:
                assert book["best"][side] == 0
                continue
            levels = levels_below(s, root)
            keys = [PX_MAX - px if side == Side.BUY else px for px in s["levels"][levels]["px"].tolist()]
            assert keys == sorted(set(keys)), "levels are in order of price"
            assert book["best"][side] - 1 == levels[0]
            seen_levels += levels
            seen_nodes += nodes_below(s, root)
            resting += check_levels(s, levels, side)
    check_pools(s, resting, seen_levels, seen_nodes)
    check_exposure(s, resting)
    check_ids(s, resting)
    check_limits(s)
    check_kills(s, resting)
    check_watches(s, resting)
    check_groups(s)
    check_texts(s, resting)
    check_movements(s)
    assert money_is_conserved(state)


def check_known(s: Any, book: int, side: int, root: int) -> None:
    """A side knows leaves of its own alone, each at its place; no leaf lies deeper than it may."""
    nodes = [] if root == NIL else nodes_below(s, root)
    for place, known in enumerate(s["known"][book, side - 1].tolist()):
        if known:
            assert known - 1 in nodes
            assert s["nodes"][known - 1]["shift"] == 0
            assert s["nodes"][known - 1]["prefix"] % LEAVES_KNOWN == place
    for node in nodes:
        depth, above = 1, int(s["nodes"][node]["parent"])
        while above != NIL:
            depth, above = depth + 1, int(s["nodes"][above]["parent"])
        assert depth <= DEPTH_MAX


def check_free_prices(book: Any) -> None:
    """The prices called free are those that lie in the band and within the collar."""
    low, high = int(book["band_low"]), int(book["band_high"])
    ref, bps = int(book["mark_px"]) or int(book["last_px"]), int(book["collar_bps"])
    if bps and ref:
        low, high = max(low, ref - bps * ref // BPS), min(high, ref + bps * ref // BPS)
    assert (book["free_low"], book["free_high"]) == (low, high)


def check_levels(s: Any, levels: list[int], side: int) -> list[int]:
    """A level's total and count are those of its queue; every order knows where it is."""
    orders = []
    for level in levels:
        queue = queue_of(s, s["levels"][level])
        assert queue, "an empty level does not exist"
        assert s["levels"][level]["qty"] == s["hot"][queue]["leaves"].sum()
        assert s["levels"][level]["order_count"] == len(queue)
        for order in queue:
            assert s["hot"][order]["level"] == level
            assert s["hot"][order]["px"] == s["levels"][level]["px"]
            assert s["cold"][order]["side"] == side
            assert s["hot"][order]["leaves"] == s["cold"][order]["qty"] - s["cold"][order]["cum"] > 0
        orders += queue
    return orders


def chain(head: int, following: Any) -> list[int]:
    """Follow a list of idx + 1 links from its head."""
    found = []
    while head:
        found.append(head - 1)
        assert len(found) <= len(following), "a free list does not run in circles"
        head = int(following[head - 1])
    return found


def check_pools(s: Any, orders: list[int], levels: list[int], nodes: list[int]) -> None:
    """Every slot ever used is either live or free, and never both."""
    for live, free, used in (
        (orders, chain(int(s["orders_free"]), s["hot"]["next"]), s["orders_used"]),
        (levels, chain(int(s["levels_free"]), s["levels"]["node"]), s["levels_used"]),
        (nodes, chain(int(s["nodes_free"]), s["nodes"]["parent"]), s["nodes_used"]),
    ):
        assert sorted(live + free) == list(range(int(used)))
    assert s["orders_live"] == len(orders)


def check_exposure(s: Any, orders: list[int]) -> None:
    """What is reserved, open and counted is exactly what rests."""
    reserved: Counter[tuple[int, int]] = Counter()
    selling: Counter[tuple[int, int]] = Counter()
    open_lots: Counter[tuple[int, int]] = Counter()
    per_account: Counter[int] = Counter()
    for order in orders:
        hot, cold = s["hot"][order], s["cold"][order]
        book = s["books"][hot["instrument"]]
        notional = int(hot["px"]) * int(hot["leaves"]) * int(book["scale"])
        where = (int(hot["account"]), int(book["quote"]))
        rate = max(int(cold["maker_ppm"]), int(cold["taker_ppm"]), 0)
        if cold["side"] == Side.BUY:
            reserved[where] += notional + -(-notional * rate // 10**6)
            assert hot["held"] == notional + -(-notional * rate // 10**6)
        else:
            selling[where] += notional
            assert hot["held"] == notional
        for position in (int(hot["position"]), group_position(s, hot)):
            open_lots[position, int(cold["side"])] += int(hot["leaves"])
        per_account[int(hot["account"])] += 1
        per_account[int(s["members"][hot["account"]]["group"]) - 1] += 1
    for account in range(int(s["accounts_used"])):
        assert s["accounts"][account]["open_orders"] == per_account[account]
        for currency in range(int(s["currencies_used"])):
            balance = s["balances"][currency, account]
            assert balance["reserved"] == reserved[account, currency]
            assert balance["selling"] == selling[account, currency]
    for idx, position in enumerate(s["positions"][: s["positions_used"]]):
        assert position["open_buy"] == open_lots[idx, int(Side.BUY)]
        assert position["open_sell"] == open_lots[idx, int(Side.SELL)]
        assert position["cost"] >= 0


def check_ids(s: Any, orders: list[int]) -> None:
    """Every live order is found by its ids, every ended client id stands in the window, and nothing else."""
    named = [order for order in orders if s["cold"][order]["client_order_id"]]
    assert sorted(in_buckets(s["order_bucket"], s["hot"]["chain"])) == sorted(orders)
    assert sorted(in_buckets(s["live_bucket"], s["hot"]["id_chain"])) == sorted(named)
    assert sorted(in_buckets(s["id_bucket"], s["ids"]["next"])) == list(range(int(s["ids_used"])))
    ids = [(int(s["hot"][order]["account"]), int(s["cold"][order]["client_order_id"])) for order in named]
    window = s["ids"][: s["ids_used"]]
    ids += zip(window["account"].tolist(), window["client_order_id"].tolist(), strict=True)
    assert len(ids) == len(set(ids)), "an id is used once"


def check_limits(s: Any) -> None:
    """What is resolved for an account is its own limit, or the default's where it has none."""
    for account in s["accounts"][: s["accounts_used"]]:
        is_group = account["account"] < 0
        rate, burst, open_orders, position = (
            stored - 1 if stored > 0 else None
            for name in ("order_rate", "order_burst", "max_open_orders", "max_position")
            for stored in (int(account[name]) or int(s[f"default_{name}"]) * (not is_group),)
        )
        assert account["rate_limit"] == (NO_LIMIT if rate is None else rate)
        if rate is not None:
            assert account["burst_limit"] == (rate if burst is None else burst) * 10**9
        assert account["open_orders_limit"] == (MONEY_MAX if open_orders is None else open_orders)
        assert account["position_limit"] == (NO_LIMIT if position is None else position)


def check_kills(s: Any, orders: list[int]) -> None:
    """No live order is in what is killed."""
    accounts, books = s["accounts"][: s["accounts_used"]], s["books"][: s["books_used"]]
    killed = int(np.count_nonzero(accounts["is_killed"])) + int(np.count_nonzero(books["is_killed"]))
    assert s["kill_count"] == killed + int(s["is_venue_killed"])
    assert not (orders and s["is_venue_killed"])
    for order in orders:
        assert not accounts[s["hot"][order]["account"]]["is_killed"]
        group = int(s["members"][s["hot"][order]["account"]]["group"])
        assert not group or not accounts[group - 1]["is_killed"]
        assert not books[s["hot"][order]["instrument"]]["is_killed"]


def check_texts(s: Any, orders: list[int]) -> None:
    """A text stands where a live order has one, and nowhere else."""
    named = [order for order in orders if s["cold"][order]["has_text"]]
    assert sorted(np.flatnonzero(s["texts"]["words"].any(axis=1)).tolist()) == sorted(named)


def check_movements(s: Any) -> None:
    """Every id of a movement that is remembered is found, once; in a full ring the oldest is next to go."""
    used, window = int(s["moves_used"]), s["moves"][: s["moves_used"]]
    assert sorted(in_buckets(s["move_bucket"], s["moves"]["next"])) == list(range(used))
    ids = [(int(each["op"]), int(each["account"]), each["words"].tobytes()) for each in window]
    assert len(ids) == len(set(ids)), "an id is used once"
    came = np.roll(window["seq"], -int(s["moves_next"])) if used == len(s["moves"]) else window["seq"]
    assert (np.diff(came) > 0).all()


def in_buckets(buckets: Any, following: Any) -> list[int]:
    """Return everything a hash table holds."""
    return [each for head in buckets[buckets != 0].tolist() for each in chain(head, following)]


def money_is_conserved(state: Any) -> bool:
    """Tell whether accounts and house together hold exactly what was paid in."""
    s = state[0]
    for currency in range(int(s["currencies_used"])):
        held = sum(s["balances"][currency, : s["accounts_used"]]["total"].tolist())
        if held + int(s["currencies"][currency]["fees"]) != s["currencies"][currency]["deposited"]:
            return False
    return True
