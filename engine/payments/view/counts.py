"""Numbers of the payments state for status and metrics: how full its tables are, what they forgot, history.

Each is read by itself, while the state may be written: they are for people, who do not add them up.
"""

from typing import Any

from engine.payments.kernels.convert import POOLS
from engine.payments.kernels.digest import used_of

OPERATIONS = "operations"
"""The one pool with a free list: the state counts which of its rows are in use."""
FORGETTING = {
    "cards": "card_table",
    "pairs": "pair_table",
    "bins": "bin_table",
    "devices": "device_table",
    "ips": "ip_table",
    "emails": "email_table",
    "answers": "approval_table",
}
"""Capacities whose rows give way -> the table that counts those that did before their time."""


class StateCounts:
    """Numbers out of one state; state : an array of one STATE record, shared or private."""

    def __init__(self, state: Any) -> None:
        self._state = state

    @property
    def seq(self) -> int:
        """The last command applied, or being applied."""
        return int(self._state["seq"][0])

    @property
    def eng_ts(self) -> int:
        """The engine's clock at the last command, ns."""
        return int(self._state["eng_ts"][0])

    @property
    def decided(self) -> int:
        """Authorises and sales decided since the journal began."""
        return int(self._state["decided"][0])

    @property
    def history_seq(self) -> int:
        """The last command whose outcome, as the state was told, the database has."""
        return int(self._state["history_seq"][0])

    @property
    def pending(self) -> int:
        """Payments that wait for the processor."""
        return int(self._state["pending_count"][0])

    @property
    def reversals_owed(self) -> int:
        """Payments whose reversal the processor has not confirmed."""
        return int(self._state["owed_count"][0])

    def capacity_use(self) -> dict[str, tuple[int, int]]:
        """Return (used, capacity) of every table, by the name of its capacity.

        A table that forgets has all rows in use from when it first was full.
        """
        s = self._state[0]
        return {
            name: (int(s["operations_live"]) if name == OPERATIONS else used_of(s, pool), len(s[pool]))
            for name, pool in POOLS.items()
        }

    def given_way_early(self) -> dict[str, int]:
        """Return how many rows of each table gave way though their time had not passed."""
        s = self._state[0]
        return {name: int(s[table]["early"]) for name, table in FORGETTING.items()}

    def oldest_answer_age_ms(self) -> int | None:
        """Return how old, by T, the oldest remembered answer is; None while there is none."""
        s = self._state[0]
        found = [int(s[table]["oldest"]) - 1 for table in ("approval_table", "decline_table")]
        ages = [int(s["now"]) - int(s["answers"][at]["at"]) for at in found if 0 <= at < len(s["answers"])]
        return max(0, *ages) if ages else None

    def is_news_for_history(self) -> bool:
        """Tell whether a closed payment waits for the database to have its last change."""
        s = self._state[0]
        at = int(s["closed"]["newest"]) - 1
        is_one = bool(s["has_history"]) and 0 <= at < len(s["payments"])
        return is_one and bool(s["payments"][at]["changed_seq"] > s["history_seq"])
