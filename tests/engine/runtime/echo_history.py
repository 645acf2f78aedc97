"""The history of the echo application: one table, a row for each addition that was taken.

The projection follows the totals row by row and asserts that they are those of the state: one that
was not told of a conversion, or of a snapshot, could not.
"""

from typing import Any

import numpy as np

from engine.contract.projection import Batch, RowLayout, WithoutLooks, rows_of

TABLE = """
CREATE TABLE additions (
    seq bigint PRIMARY KEY, account bigint NOT NULL, mark bigint NOT NULL, total bigint NOT NULL
)
"""
ADDITION = RowLayout(seq="int8", account="int8", mark="int8", total="int8")
ADDED = 1
"""Kind of the events of an addition that was taken."""


class EchoProjection(WithoutLooks):
    """engine.contract.projection.Projection for the echo application."""

    migrations = (TABLE,)
    session = ()

    def __init__(self) -> None:
        self._totals = np.zeros(0, np.int64)

    def open(self, state: Any) -> None:
        """Take over the totals behind the last projected command."""
        self._totals = state[0]["totals"].copy()

    def batch(self, entries: Any, events: Any, state: Any) -> Batch:
        """Return a row for each command that was answered as an addition."""
        first, last = int(entries["seq"][0]), int(entries["seq"][-1])
        answers = events[(events["kind"] == ADDED) & (events["place"] == 0)]
        values = {name: answers[name] for name in ("seq", "account", "total")}
        values["mark"] = entries["command"]["mark"][answers["seq"] - first]
        np.add.at(self._totals, values["account"], values["mark"])
        assert (self._totals == state[0]["totals"]).all(), f"after seq {last} the totals are not the state's"
        rows = rows_of("additions", ADDITION.columns, len(answers), [ADDITION.pack(len(answers), values)])
        return Batch(first, last, int(entries["eng_ts"][-1]), (rows,) if len(answers) else ())
