"""What the state keeps of watched accounts, checked against what it is made from (state_reading.py)."""

from collections import Counter
from typing import Any

import numpy as np

from engine.trading.kernels.state import ACCOUNT_IDX_BITS, ON_MARGIN
from engine.trading.kernels.watch_records import (
    CURRENCIES_MAX,
    WATCHED_EQUITY,
    WATCHED_EXPOSURE,
    WATCHED_FILLS,
    WATCHED_GROUP,
    WATCHED_MARGIN,
    WATCHED_MESSAGES,
    WATCHED_OPEN,
    WATCHED_REDUCING,
)
from engine.trading.records import MONEY_MAX, Latch, LatchLevel, Side
from tests.engine.trading.group_reading import group_position


def check_watches(s: Any, orders: list[int]) -> None:
    """What is kept of watched accounts is what their limits and latches need, and is what it sums."""
    accounts, watches = s["accounts"][: s["accounts_used"]], s["watches"][: s["accounts_used"]]
    assert s["watch_count"] == np.count_nonzero(accounts["is_watched"])
    limited = np.count_nonzero(s["books"]["max_open_orders"])
    assert s["guard_count"] == s["watch_count"] + s["kill_count"] + limited + (s["governing"] != 0)
    assert s["noted_count"] == 0
    loss = slice(Latch.MAX_DAILY_LOSS, Latch.MAX_DRAWDOWN_BPS + 1)
    for account, watch in enumerate(watches):
        limit, level = watch["limit"], watch["level"]
        wanted = WATCHED_EQUITY * bool(limit[loss].any() or level[loss].any())
        wanted |= WATCHED_EXPOSURE * bool(watch["gross_limit"] or watch["concentration_limit"])
        wanted |= WATCHED_MESSAGES * bool(watch["modify_rate"] or limit[Latch.MAX_ORDER_TRADE_RATIO])
        wanted |= WATCHED_FILLS * bool(limit[Latch.MAX_FILL_RATE] or level[Latch.MAX_FILL_RATE])
        wanted |= WATCHED_REDUCING * bool(watch["reducers"])
        is_on_margin = bool(accounts[account]["unlimited"] & ON_MARGIN)
        wanted |= (WATCHED_MARGIN | WATCHED_EQUITY) * is_on_margin
        wanted |= WATCHED_EQUITY * bool(level[Latch.MAINTENANCE_MARGIN])
        group = int(s["members"][account]["group"])
        if group:
            wanted |= WATCHED_GROUP | (int(accounts[group - 1]["is_watched"]) & WATCHED_EQUITY)
        assert accounts[account]["is_watched"] == wanted
    has_equity = (accounts["is_watched"] & WATCHED_EQUITY != 0) & (accounts["account"] > 0)
    check_equity(s, set(np.flatnonzero(has_equity).tolist()))
    check_open_notional(s, orders, set(np.flatnonzero(accounts["is_watched"] & WATCHED_OPEN).tolist()))
    for idx, position in enumerate(s["positions"][: s["positions_used"]]):
        watch = watches[int(position["key"]) >> ACCOUNT_IDX_BITS]
        assert watch["limit"][Latch.MAX_FILL_RATE] or not s["dealings"][idx]["lots"].any()
    check_reducers(s, orders)
    for order in orders:
        account = int(s["hot"][order]["account"])
        for holder in {account, int(s["members"][account]["group"]) - 1} - {-1}:
            assert not (watches[holder]["level"] == LatchLevel.CANCEL_AND_BLOCK).any()


def may_only_reduce(s: Any, account: int) -> bool:
    """Tell whether a latch of an account or its group lets it only reduce; a group itself holds no orders."""
    holders = [account] + [int(s["members"][account]["group"]) - 1] * bool(s["members"][account]["group"])
    levels = {int(s["watches"][holder]["level"].max(initial=0)) for holder in holders}
    return int(s["accounts"][account]["account"]) > 0 and LatchLevel.REDUCE_ONLY in levels


def check_reducers(s: Any, orders: list[int]) -> None:
    """Reduce-only orders close positions and fit to them; each is in its position's list, newest first."""
    reducing = [order for order in orders if s["cold"][order]["reduce_only"]]
    assert not s["cold"]["reduce_only"][np.setdiff1d(np.arange(len(s["cold"])), reducing)].any()
    by_position: dict[int, list[int]] = {}
    for order in sorted(reducing, key=lambda each: -int(s["hot"][each]["order_id"])):
        by_position.setdefault(int(s["hot"][order]["position"]), []).append(order)
    for idx, position in enumerate(s["positions"][: s["positions_used"]]):
        mine = by_position.get(idx, [])
        linked = list_of(s["reducers"]["older"], int(s["reducings"][idx]["newest"]))
        assert linked == mine
        assert list_of(s["reducers"]["newer"], mine[-1] + 1 if mine else 0) == mine[::-1]
        lots = sum(int(s["hot"][order]["leaves"]) for order in mine)
        assert s["reducings"][idx]["lots"] == lots <= abs(int(position["qty"]))
        closing = Side.SELL if position["qty"] > 0 else Side.BUY
        assert all(s["cold"][order]["side"] == closing for order in mine)
        if may_only_reduce(s, int(position["key"]) >> ACCOUNT_IDX_BITS):
            is_long = position["qty"] > 0
            assert position["open_sell"] <= (position["qty"] if is_long else 0)
            assert position["open_buy"] <= (0 if is_long else -position["qty"])
    in_lists = s["reducers"]["older"].astype(bool) | s["reducers"]["newer"].astype(bool)
    assert set(np.flatnonzero(in_lists).tolist()) <= set(reducing)
    for account, watch in enumerate(s["watches"][: s["accounts_used"]]):
        assert watch["reducers"] == sum(int(s["hot"][order]["account"]) == account for order in reducing)


def list_of(following: Any, first: int) -> list[int]:
    """Return what a list links, from idx + 1 of its first on."""
    found = []
    while first:
        found.append(first - 1)
        first = int(following[first - 1])
    return found


def check_open_notional(s: Any, orders: list[int], watched: set[int]) -> None:
    """The notional of open orders is kept for the accounts whose exposure is watched, and for no others."""
    wanted: Counter[tuple[int, str]] = Counter()
    for order in orders:
        hot = s["hot"][order]
        if int(hot["account"]) in watched:
            side = "open_buys" if s["cold"][order]["side"] == Side.BUY else "open_sells"
            scale = int(s["books"][hot["instrument"]]["scale"])
            wanted[int(hot["position"]), side] += int(hot["px"]) * int(hot["leaves"]) * scale
        if int(s["members"][hot["account"]]["group"]) - 1 in watched:
            side = "open_buys" if s["cold"][order]["side"] == Side.BUY else "open_sells"
            scale = int(s["books"][hot["instrument"]]["scale"])
            wanted[group_position(s, hot), side] += int(hot["px"]) * int(hot["leaves"]) * scale
    for idx, dealing in enumerate(s["dealings"][: s["positions_used"]]):
        for side in ("open_buys", "open_sells"):
            assert dealing[side] == wanted[idx, side]


def check_equity(s: Any, watched: set[int]) -> None:
    """The worth kept of an account is the sum of its stakes, which are in the rings, and no others."""
    watches = s["watches"]
    wanted: Counter[int] = Counter()
    unbounded: Counter[int] = Counter()
    in_ring: dict[int, set[int]] = {}
    for idx, position in enumerate(s["positions"][: s["positions_used"]]):
        account, book = divmod(int(position["key"]), 2**24)
        if account in watched:
            worth = int(s["stakes"][idx]["worth"])
            wanted[account] += worth if worth <= MONEY_MAX else 0
            unbounded[account] += worth > MONEY_MAX
            in_ring.setdefault(CURRENCIES_MAX + book, set()).add(idx)
        else:
            assert s["stakes"][idx].tobytes() == bytes(16)
            assert s["valued"][idx] == 0
    for currency, account in zip(*np.nonzero(s["cash_stakes"]["next"]), strict=True):
        assert account in watched
        assert currency != watches[account]["reporting"]
        worth = int(s["cash_stakes"][currency, account]["worth"])
        wanted[int(account)] += worth if worth <= MONEY_MAX else 0
        unbounded[int(account)] += worth > MONEY_MAX
        in_ring.setdefault(int(currency), set()).add(int(account))
    assert not s["cash_stakes"]["worth"][s["cash_stakes"]["next"] == 0].any()
    for currency, account in zip(*np.nonzero(s["balances"]["total"]), strict=True):
        is_foreign = account in watched and currency != watches[account]["reporting"]
        assert not is_foreign or account in in_ring[currency]
    for account, watch in enumerate(watches[: s["accounts_used"]]):
        if s["accounts"][account]["account"] < 0:  # check_groups
            continue
        assert (int(watch["worth_high"]) << 32) + int(watch["worth_low"]) == wanted[account]
        assert watch["unbounded"] == unbounded[account]
    for idx, of in enumerate(s["rounds"][: CURRENCIES_MAX + int(s["books_used"])]):
        stakes = s["stakes"] if idx >= CURRENCIES_MAX or not of["length"] else s["cash_stakes"][idx]
        ring = ring_of(stakes, int(of["first"]))
        assert set(ring) == in_ring.get(idx, set())
        assert of["length"] == len(ring) >= of["due"]
        assert (of["at"] - 1 in ring) if ring else of["at"] == 0
        assert bool(s["round_bits"][idx // 32] >> idx % 32 & 1) == (of["due"] > 0)
    assert s["rounds_due"] == np.count_nonzero(s["rounds"]["due"])


def ring_of(stakes: Any, first: int) -> list[int]:
    """Return the stakes of a ring, from idx + 1 of its first on; links in both directions agree."""
    found: list[int] = []
    at = first
    while at and (not found or at != first):
        found.append(at - 1)
        after = int(stakes[at - 1]["next"])
        assert stakes[after - 1]["prev"] == at
        at = after
    return found
