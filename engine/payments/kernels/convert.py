"""Bring a state to other capacities: every row keeps its place, buckets are filled anew."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.contract.records import LayoutError, copy_by_name
from engine.payments.capacities import Capacities
from engine.payments.kernels.accounts import (
    account_bucket_of,
    balance_bucket_of,
    merchant_bucket_of,
    row_bucket_of,
)
from engine.payments.kernels.digest import used_of
from engine.payments.kernels.tables import link
from ringbuf.kernel import kernel

POOLS = {
    "accounts": "accounts",
    "balances": "balances",
    "merchants": "merchants",
    "merchant_currencies": "rows",
    "cards": "cards",
    "pairs": "pairs",
    "devices": "devices",
    "ips": "ips",
    "emails": "emails",
    "bins": "bins",
    "payments": "payments",
    "operations": "operations",
    "answers": "answers",
    "list_entries": "listed",
}
"""Capacity -> the pool that it is the length of."""
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
)
BY_KEY = {
    "card_bucket": "cards",
    "device_bucket": "devices",
    "ip_bucket": "ips",
    "email_bucket": "emails",
    "bin_bucket": "bins",
    "answer_bucket": "answers",
    "listed_bucket": "listed",
}
"""Buckets -> their rows, which are found by the first word of their key and are never free."""
ADDED = (
    *("owed", "owed_count", "pending_count", "fleet"),
    *("sighted", "sighted_count", "device_guests", "ip_guests", "email_guests"),
    *("fleet.on_sightings", "fleet.merged", "fleet.unmerged"),
    *(f"{name}.is_guest" for name in ("devices", "ips", "emails")),
    *(f"payments.{name}" for name in ("answer", "forwarding", "ring", "user_matched")),
    *(f"rows.{name}" for name in ("share_day", "given", "taken", "short_at")),
    *(f"trial.{name}" for name in ("compares_amounts", "compares_faults", "late_ms", "step_began_seq")),
    *(f"trial.arms.{name}" for name in ("unserved", "faults", "asked", "withheld", "withheld_max")),
    *(f"trial.arms.{name}" for name in ("asked_squares", "asked_withheld", "withheld_squares")),
    *("answers.user_matched", "merchants.params", "merchants.staged_params", "rulesets.source"),
)
"""Fields that states had not always, and that are right as zeros, as in an empty state."""


def capacities_of(state: Any) -> dict[str, int]:
    """Return the capacities that a state has."""
    return {name: len(state[0][pool]) for name, pool in POOLS.items()}


def too_small(state: Any, capacities: Capacities) -> dict[str, tuple[int, int]]:
    """Return the capacities that cannot hold what a state has used: name -> (what is set, what is used)."""
    wanted: Mapping[str, int] = {name: getattr(capacities, name) for name in POOLS}
    used = {name: used_of(state[0], pool) for name, pool in POOLS.items()}
    return {name: (wanted[name], used[name]) for name in POOLS if wanted[name] < used[name]}


def convert(old: Any, new: Any) -> None:
    """Bring `new`, all zeros and of other capacities, to the state that `old` is in; LayoutError."""
    buckets = tuple(name for name in new.dtype.names if name.endswith("_bucket"))
    for name in copy_by_name(old, new, (*LEFT_OUT, *buckets)):
        if name not in ADDED:
            raise LayoutError(f"{name}: states of before have no such field, and ADDED does not name it")
    s = new[0]
    for buckets_of, pool in BY_KEY.items():
        fill_by_key(s[buckets_of], s[pool], used_of(s, pool))
    fill_pairs(s["pair_bucket"], s["pairs"], used_of(s, "pairs"))
    fill_payments(s["payment_bucket"], s["payments"], used_of(s, "payments"))
    fill_names(new)


@kernel
def fill_by_key(buckets, rows, used):
    """Fill the buckets of rows that are found by the first word of their key."""
    for at in range(used):
        bucket = rows[at].key[0] & (len(buckets) - 1)
        link(buckets, rows, bucket, at)


@kernel
def fill_pairs(buckets, rows, used):
    """Fill the buckets of cards at merchants."""
    for at in range(used):
        bucket = rows[at].hashed & (len(buckets) - 1)
        link(buckets, rows, bucket, at)


@kernel
def fill_payments(buckets, rows, used):
    """Fill the buckets of the payments."""
    for at in range(used):
        bucket = rows[at].payment & (len(buckets) - 1)
        link(buckets, rows, bucket, at)


@kernel
def fill_names(state):
    """Fill the buckets of accounts, merchants and what they have in a currency."""
    s = state[0]
    for at in range(s.accounts_used):
        bucket = account_bucket_of(s, s.accounts[at].account)
        link(s.account_bucket, s.accounts, bucket, at)
    for at in range(s.balances_used):
        bucket = balance_bucket_of(s, np.int64(s.balances[at].account), np.int64(s.balances[at].currency))
        link(s.balance_bucket, s.balances, bucket, at)
    for at in range(s.merchants_used):
        name = s.merchants[at].name
        bucket = merchant_bucket_of(s, name[0], name[1], name[2])
        link(s.merchant_bucket, s.merchants, bucket, at)
    for at in range(s.rows_used):
        bucket = row_bucket_of(s, np.int64(s.rows[at].merchant), np.int64(s.rows[at].currency))
        link(s.row_bucket, s.rows, bucket, at)
