"""The payments' row of the registry: what the tools need of the application that validates payments."""

from collections.abc import Mapping
from typing import Any

from engine.payments.application import payments
from engine.payments.capacities import Capacities
from engine.payments.kernels.convert import POOLS, capacities_of, too_small
from engine.payments.kernels.digest import used_of
from engine.payments.records import Op
from engine.payments.settings import CapacitySettings, PaymentsSettings
from engine.payments.view.shares import SharesView
from pinion.cli.applications import ApplicationTools
from pinion.cli.payments.starting import STARTING


def _too_small(state: Any, capacities: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    return too_small(state, Capacities(**capacities))


def _counts(state: Any) -> dict[str, int | str]:
    s, shares = state[0], SharesView(state)
    return {
        **({"store": "up" if shares.is_store_up else "down"} if shares.is_on else {}),
        "decided": int(s["decided"]),
        "ruleset": int(s["ruleset"]),
        "answers_oldest_s": _oldest_answer_s(s),
        "pending": int(s["pending_count"]),
        "reversals_owed": int(s["owed_count"]),
    }


def _oldest_answer_s(s: Any) -> int:
    """Return how old the oldest stored answer is."""
    oldest = [int(s[table]["oldest"]) - 1 for table in ("approval_table", "decline_table")]
    times = [int(s["answers"][idx]["at"]) for idx in oldest if idx >= 0]
    return max(0, int(s["now"]) - min(times)) // 1000 if times else 0


def _used(state: Any) -> dict[str, int]:
    return {name: used_of(state[0], pool) for name, pool in POOLS.items()}


TOOLS = ApplicationTools(
    make=lambda capacities: payments(Capacities(**capacities)),
    capacities=CapacitySettings,
    settings=PaymentsSettings,
    too_small=_too_small,
    capacities_of=capacities_of,
    operations={int(op): op.name.lower() for op in Op},
    counts=_counts,
    used=_used,
    command="pinion payments up",
    starting=STARTING,
)
