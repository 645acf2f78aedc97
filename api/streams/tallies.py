"""Refusals by reason and latches by limit, counted as their events come by: since this process started."""

from collections import Counter
from typing import Any

import numpy as np

from engine.trading.records import EventKind, LatchLevel, Reason
from gateways.json_lines.events import LIMIT_NAMES

LIFTED = "lifted"


class Tallies:
    """What was refused, latched, warned of and lifted."""

    def __init__(self) -> None:
        self.refusals: Counter[str] = Counter()
        self.latches: Counter[tuple[str, str]] = Counter()

    def take_events(self, events: Any) -> None:
        """Count EVENT[n]."""
        kinds = events["kind"]
        reasons = events["reason"][kinds == EventKind.REJECTED]
        if len(reasons):
            for reason, count in zip(*np.unique(reasons, return_counts=True), strict=True):
                self.refusals[Reason(int(reason)).name.lower()] += int(count)
        for reason, level in events[["reason", "status"]][kinds == EventKind.LATCHED].tolist():
            name = LIFTED if level == LatchLevel.NONE else LatchLevel(level).name.lower()
            self.latches[LIMIT_NAMES[reason], name] += 1
