"""What must hold of a payments state behind every command, reckoned anew from its rows."""

from collections import Counter
from typing import Any

import numpy as np

from engine.payments.forwarding import Forwarding
from engine.payments.kernels.digest import used_of
from engine.payments.kernels.holds import PENDING_QUEUE, find_payment
from engine.payments.kernels.rows import HOLD_DAYS_MAX
from engine.payments.records import State
from ringbuf.kernel import COMPILED

HOLDING = (State.OPEN, State.PENDING)
QUEUED = (State.OPEN, State.REVIEW, State.PENDING)
ORDERED = {
    "card_table": "cards",
    "pair_table": "pairs",
    "bin_table": "bins",
    "device_table": "devices",
    "ip_table": "ips",
    "email_table": "emails",
}
GUESTS_OF = {"devices": "device_guests", "ips": "ip_guests", "emails": "email_guests"}
BUCKETS_OF = {
    "card_bucket": "cards",
    "pair_bucket": "pairs",
    "bin_bucket": "bins",
    "device_bucket": "devices",
    "ip_bucket": "ips",
    "email_bucket": "emails",
    "answer_bucket": "answers",
    "listed_bucket": "listed",
    "account_bucket": "accounts",
    "balance_bucket": "balances",
    "merchant_bucket": "merchants",
    "row_bucket": "rows",
}


def in_order(table: Any, rows: Any) -> list[int]:
    """Return the rows of an order from the oldest to the newest; both directions agree."""
    found, older, at = [], 0, int(table["oldest"])
    while at:
        assert int(rows[at - 1]["older"]) == older
        found.append(at - 1)
        older, at = at, int(rows[at - 1]["newer"])
        assert len(found) <= len(rows)
    assert int(table["newest"]) == older
    return found


def chained(buckets: Any, rows: Any) -> list[int]:
    """Return the rows that the buckets lead to."""
    found = []
    for first in buckets[buckets != 0].tolist():
        at = first
        while at:
            found.append(at - 1)
            at = int(rows[at - 1]["chain"])
            assert len(found) <= len(rows)
    return found


def assert_whole(s: Any) -> None:
    """Assert everything."""
    _assert_found(s)
    _assert_money(s)
    _assert_queues(s)
    _assert_operations(s)
    for table, pool in ORDERED.items():
        ordered = in_order(s[table], s[pool])
        if pool in GUESTS_OF:
            assert not any(s[pool][at]["is_guest"] for at in ordered)
            guests = in_order(s[GUESTS_OF[pool]], s[pool])
            assert all(s[pool][at]["is_guest"] for at in guests)
            ordered += guests
        assert sorted(ordered) == list(range(int(s[table]["used"])))
    answers = in_order(s["approval_table"], s["answers"]) + in_order(s["decline_table"], s["answers"])
    assert sorted(answers) == list(range(int(s["answers_used"])))


def _assert_found(s: Any) -> None:
    """Every used row is found in its bucket, once, and no two have one key."""
    for buckets, pool in BUCKETS_OF.items():
        assert sorted(chained(s[buckets], s[pool])) == list(range(used_of(s, pool))), pool
    for pool in ("cards", "devices", "answers", "listed", "pairs"):
        keys = [tuple(row["key"].tolist()) for row in s[pool][: used_of(s, pool)]]
        assert len(set(keys)) == len(keys), pool
    live = chained(s["payment_bucket"], s["payments"])
    assert sorted(live) == list(range(int(s["payments_used"])))
    for at in live:
        assert find_payment(as_kernels_see(s), int(s["payments"][at]["payment"])) == at


def as_kernels_see(s: Any) -> Any:
    """Return a state as kernels take it, which uncompiled read its fields as attributes."""
    return s if COMPILED else np.asarray(s).view(np.recarray)[()]


def _assert_money(s: Any) -> None:
    """Money is conserved, nothing is overdrawn, and what is held is the sum of the open holds."""
    held: Counter[int] = Counter()
    for at in chained(s["payment_bucket"], s["payments"]):
        row = s["payments"][at]
        held[int(row["balance"])] += int(row["held"])
        assert 0 <= row["refunded"] <= row["captured"] <= row["approved_amount"] <= row["amount"]
        assert 0 <= row["held"] <= row["approved_amount"] - row["captured"]
        assert (row["held"] > 0) == (row["state"] in HOLDING), State(int(row["state"]))
    for at in range(int(s["balances_used"])):
        balance = s["balances"][at]
        assert balance["held"] == held[at], at
        assert balance["total"] >= balance["held"] >= 0
    assert not held[-1]


def _assert_queues(s: Any) -> None:
    """Whatever may end by itself stands in the queue of its days, the rest among owed or closed ones."""
    queued = []
    for days in range(PENDING_QUEUE, HOLD_DAYS_MAX + 1):
        of_days = in_order(s["open"][days], s["payments"])
        dues = [int(s["payments"][at]["due"]) for at in of_days]
        assert dues == sorted(dues)
        assert all(s["payments"][at]["hold_days"] == days for at in of_days)
        is_pending = [s["payments"][at]["state"] == State.PENDING for at in of_days]
        assert is_pending == [days == PENDING_QUEUE] * len(of_days)
        assert all(due > s["now"] for due in dues)
        assert not dues or 0 < s["next_end"] <= dues[0]
        queued += of_days
    closed = in_order(s["closed"], s["payments"])
    changes = [int(s["payments"][at]["changed_seq"]) for at in closed]
    assert changes == sorted(changes)
    live = chained(s["payment_bucket"], s["payments"])
    owed = in_order(s["owed"], s["payments"])
    assert sorted(owed) == [at for at in sorted(live) if s["payments"][at]["forwarding"] == Forwarding.OWED]
    assert not any(s["payments"][at]["captured"] for at in owed)
    assert s["owed_count"] == len(owed)
    assert s["pending_count"] == sum(bool(s["payments"][at]["state"] == State.PENDING) for at in live)
    assert sorted(queued + closed + owed) == sorted(live)
    assert all((s["payments"][at]["state"] in QUEUED) == (at in set(queued)) for at in live)


def _assert_operations(s: Any) -> None:
    """Every operation belongs to one payment that knows how many it has, or is free."""
    found = []
    for at in chained(s["payment_bucket"], s["payments"]):
        own, place = [], int(s["payments"][at]["operations"])
        while place:
            own.append(place - 1)
            place = int(s["operations"][place - 1]["next"])
        assert len(own) == s["payments"][at]["operation_count"]
        found += own
    free, place = [], int(s["operations_free"])
    while place:
        free.append(place - 1)
        place = int(s["operations"][place - 1]["next"])
    assert len(found) == int(s["operations_live"])
    assert sorted(found + free) == list(range(int(s["operations_used"])))


def money(s: Any) -> dict[int, int]:
    """Return what was deposited less what left by captures, by currency, reckoned from the balances."""
    found: Counter[int] = Counter()
    for row in s["balances"][: int(s["balances_used"])]:
        found[int(row["currency"])] += int(np.int64(row["total"]))
    return dict(found)
