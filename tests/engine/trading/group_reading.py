"""What the state keeps of groups, checked against what their accounts have (state_reading.py)."""

from collections import Counter
from typing import Any

from engine.trading.kernels.state import ACCOUNT_IDX_BITS
from engine.trading.kernels.watch_records import WATCHED_EQUITY

INSTRUMENT_MASK = 2**ACCOUNT_IDX_BITS - 1


def group_position(s: Any, hot: Any) -> int:
    """Return the position, in its instrument, of the group of an order's account; -1 for no group."""
    group = int(s["members"][hot["account"]]["group"]) - 1
    if group < 0:
        return -1
    key = group << ACCOUNT_IDX_BITS | int(hot["instrument"])
    [position] = (s["positions"]["key"][: s["positions_used"]] == key).nonzero()[0].tolist()
    return int(position)


def members_of(s: Any, group: int) -> list[int]:
    """Return the accounts of a group by its links, checking them both ways."""
    found, before, at = [], 0, int(s["members"][group]["head"])
    while at:
        assert s["members"][at - 1]["prev"] == before
        assert s["members"][at - 1]["group"] == group + 1
        found.append(at - 1)
        before, at = at, int(s["members"][at - 1]["next"])
    assert s["members"][group]["tail"] == before
    return found


def check_groups(s: Any) -> None:
    """What is kept of a group is the sum of what its accounts have; who is in none is counted nowhere."""
    accounts = s["accounts"][: s["accounts_used"]]
    groups = s["groups"][: s["groups_used"]].tolist()
    assert sorted(groups) == (accounts["account"] < 0).nonzero()[0].tolist()
    assert s["refused_by"] == s["refused_account"] == 0
    seen: list[int] = []
    for group in groups:
        members = members_of(s, group)
        seen += members
        assert len({int(s["watches"][each]["reporting"]) for each in (group, *members)}) == 1
        check_positions(s, group, members)
        is_watched = bool(accounts[group]["is_watched"] & WATCHED_EQUITY)
        check_worth(s, group, members if is_watched else [])
        for member in members:
            assert bool(s["members"][member]["is_counted"]) == is_watched
    in_one = (s["members"]["group"] != 0).nonzero()[0].tolist()
    assert sorted(seen) == in_one
    of_groups = {(group << ACCOUNT_IDX_BITS) for group in groups}
    for key, gross in zip(s["positions"]["key"].tolist(), s["gross_qty"].tolist(), strict=True):
        assert gross == 0 or key & ~INSTRUMENT_MASK in of_groups


def check_positions(s: Any, group: int, members: list[int]) -> None:
    """Position by position; an instrument in which an account dealt has one of the group."""
    wanted: dict[str, Counter[int]] = {
        name: Counter() for name in ("qty", "open_buy", "open_sell", "open_orders", "gross")
    }
    held: dict[int, int] = {}
    for idx, position in enumerate(s["positions"][: s["positions_used"]]):
        owner, book = divmod(int(position["key"]), 2**ACCOUNT_IDX_BITS)
        if owner == group:
            held[book] = idx
        if owner in members:
            for name in ("qty", "open_buy", "open_sell", "open_orders"):
                wanted[name][book] += int(position[name])
            wanted["gross"][book] += abs(int(position["qty"]))
    assert set(wanted["qty"]) <= set(held)
    for book, idx in held.items():
        for name in ("qty", "open_buy", "open_sell", "open_orders"):
            assert s["positions"][idx][name] == wanted[name][book]
        assert s["gross_qty"][idx] == wanted["gross"][book]
        assert s["positions"][idx]["cost"] == s["positions"][idx]["realised"] == 0


def check_worth(s: Any, group: int, members: list[int]) -> None:
    """The worth of a group is that of its accounts with their cash."""
    watches = s["watches"]
    worth = sum(
        (int(watches[each]["worth_high"]) << 32) + int(watches[each]["worth_low"]) for each in members
    )
    for each in members:
        cash = int(s["balances"][int(watches[each]["reporting"]), each]["total"])
        assert s["members"][each]["cash"] == cash
        worth += cash
    assert (int(watches[group]["worth_high"]) << 32) + int(watches[group]["worth_low"]) == worth
    assert watches[group]["unbounded"] == sum(int(watches[each]["unbounded"]) for each in members)
