"""What the state keeps of watched accounts, checked against what it is made from (state_reading.py)."""

from collections import Counter
from typing import Any

import numpy as np

from engine.trading.kernels.state import ACCOUNT_IDX_BITS
from engine.trading.kernels.watch_records import (
    CURRENCIES_MAX,
    WATCHED_EQUITY,
    WATCHED_EXPOSURE,
    WATCHED_FILLS,
    WATCHED_MESSAGES,
)
from engine.trading.records import Latch, LatchLevel, Side


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
        assert accounts[account]["is_watched"] == wanted
    check_equity(s, set(np.flatnonzero(accounts["is_watched"] & WATCHED_EQUITY).tolist()))
    check_open_notional(s, orders, set(np.flatnonzero(accounts["is_watched"] & WATCHED_EXPOSURE).tolist()))
    for idx, position in enumerate(s["positions"][: s["positions_used"]]):
        watch = watches[int(position["key"]) >> ACCOUNT_IDX_BITS]
        assert watch["limit"][Latch.MAX_FILL_RATE] or not s["dealings"][idx]["lots"].any()
    for order in orders:
        assert not (watches[s["hot"][order]["account"]]["level"] == LatchLevel.CANCEL_AND_BLOCK).any()


def check_open_notional(s: Any, orders: list[int], watched: set[int]) -> None:
    """The notional of open orders is kept for the accounts whose exposure is watched, and for no others."""
    wanted: Counter[tuple[int, str]] = Counter()
    for order in orders:
        hot = s["hot"][order]
        if int(hot["account"]) in watched:
            side = "open_buys" if s["cold"][order]["side"] == Side.BUY else "open_sells"
            scale = int(s["books"][hot["instrument"]]["scale"])
            wanted[int(hot["position"]), side] += int(hot["px"]) * int(hot["leaves"]) * scale
    for idx, dealing in enumerate(s["dealings"][: s["positions_used"]]):
        for side in ("open_buys", "open_sells"):
            assert dealing[side] == wanted[idx, side]


def check_equity(s: Any, watched: set[int]) -> None:
    """The worth kept of an account is the sum of its stakes, which are in the rings, and no others."""
    watches = s["watches"]
    wanted: Counter[int] = Counter()
    in_ring: dict[int, set[int]] = {}
    for idx, position in enumerate(s["positions"][: s["positions_used"]]):
        account, book = divmod(int(position["key"]), 2**24)
        if account in watched:
            wanted[account] += int(s["stakes"][idx]["worth"])
            in_ring.setdefault(CURRENCIES_MAX + book, set()).add(idx)
        else:
            assert s["stakes"][idx].tobytes() == bytes(16)
    for currency, account in zip(*np.nonzero(s["cash_stakes"]["next"]), strict=True):
        assert account in watched
        assert currency != watches[account]["reporting"]
        wanted[int(account)] += int(s["cash_stakes"][currency, account]["worth"])
        in_ring.setdefault(int(currency), set()).add(int(account))
    assert not s["cash_stakes"]["worth"][s["cash_stakes"]["next"] == 0].any()
    for currency, account in zip(*np.nonzero(s["balances"]["total"]), strict=True):
        is_foreign = account in watched and currency != watches[account]["reporting"]
        assert not is_foreign or account in in_ring[currency]
    for account, watch in enumerate(watches[: s["accounts_used"]]):
        assert (int(watch["worth_high"]) << 32) + int(watch["worth_low"]) == wanted[account]
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
