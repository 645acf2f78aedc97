"""Equity in history: what accounts with limits of loss are worth, sampled where the journal says so.

A sample is taken behind the first command of every ten seconds of eng_ts, and behind each SESSION_START, so
samples follow from the journal alone: whatever was killed in between, and however commands were cut into
batches, the rows are the same. One that repeats the account's last one is no row. What an account was at a
latch stands in `latches`: measured and allowed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.contract.projection import Rows, packed_values, rows_of
from engine.trading.kernels.equity import WORTH_BITS
from engine.trading.kernels.watch_records import WATCHED_EQUITY
from engine.trading.records import MONEY_MAX, Latch, Op, Role

EVERY_NS = 10_000_000_000
EQUITY = {
    **dict.fromkeys(("account", "seq", "eng_ts", "equity", "peak", "day_start"), "int8"),
    **{"currency": "int4", "is_session_start": "bool", "is_first": "bool"},
}
Worth = tuple[int | None, int | None, int | None, int]
"""equity, peak, day_start, currency."""


class EquitySamples:
    """The samples since the last batch."""

    def __init__(self) -> None:
        self._eng_ts = 0
        self._rows: list[bytes] = []
        self._last: dict[int, Worth] = {}  # of each account in this batch

    def open(self, state: Any) -> None:
        """Start behind the last projected command."""
        self._eng_ts = int(state[0]["eng_ts"])
        self._clear()

    def looks(self, entries: Any) -> Sequence[int]:
        """Return the places of the first command of every EVERY_NS, and of each SESSION_START."""
        times = np.concatenate(([self._eng_ts], entries["eng_ts"])) // EVERY_NS
        self._eng_ts = int(entries["eng_ts"][-1])
        is_wanted = (times[1:] != times[:-1]) | (entries["command"]["op"] == Op.SESSION_START)
        places: list[int] = np.flatnonzero(is_wanted).tolist()
        return places

    def look(self, entry: Any, state: Any) -> None:
        """Sample every account whose equity is kept."""
        s = state[0]
        accounts = s["accounts"][: int(s["accounts_used"])]
        command = entry["command"]
        is_session_start = bool(command["op"] == Op.SESSION_START and command["roles"] & Role.OPERATOR)
        for idx in np.flatnonzero(accounts["is_watched"] & int(WATCHED_EQUITY)).tolist():
            account, worth = int(accounts["account"][idx]), _worth_of(s, idx)
            if not is_session_start and self._last.get(account) == worth:
                continue
            is_first = account not in self._last
            self._last[account] = worth
            values = [account, int(entry["seq"]), int(entry["eng_ts"]), *worth, is_session_start, is_first]
            self._rows.append(packed_values(values, tuple(EQUITY.values())))

    def taken(self) -> Rows:
        """Return the samples as staged rows, and begin anew."""
        rows = rows_of("sampled_equity", tuple(EQUITY), len(self._rows), self._rows)
        self._clear()
        return rows

    def _clear(self) -> None:
        self._rows, self._last = [], {}


def _worth_of(s: Any, idx: int) -> Worth:
    """Return what an account is worth, as kernels/equity.py counts it."""
    watch = s["watches"][idx]
    currency = int(watch["reporting"])
    worth = (int(watch["worth_high"]) << int(WORTH_BITS)) + int(watch["worth_low"])
    equity = int(s["balances"][currency, idx]["total"]) + worth
    is_bounded = abs(equity) <= MONEY_MAX and not watch["unbounded"]
    limit = watch["limit"]
    has_drawdown = limit[Latch.MAX_DRAWDOWN] != 0 or limit[Latch.MAX_DRAWDOWN_BPS] != 0
    return (
        equity if is_bounded else None,
        int(watch["peak"]) if has_drawdown else None,
        int(watch["day_start"]) if limit[Latch.MAX_DAILY_LOSS] else None,
        currency,
    )
