"""Decisions counted as they come: by code, rule and cohort, and operations by kind and code.

The pump hands in every durable event since this process began. An answer from memory is counted apart:
nothing was decided.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.contract.port import EventReader
from engine.payments.records import RULES, USER_RULE_FIRST, EventKind, Op

log = logging.getLogger(__name__)

PAUSE_S = 0.1
"""Between two looks, which are signs of life too: the event ring holds a quarter of a million slots."""
DRAIN_EVENTS = 1024
DRAINS_PER_PASS = 64
EXPIRY = 0
"""Stands for the operation that nobody asked for."""
BYTE, RULE_BITS, COHORT_BITS = 0xFF, 8, 16


class DecisionCounts:
    """What was decided since this process began."""

    def __init__(self) -> None:
        self.decisions: Counter[tuple[int, int, int]] = Counter()
        """By (code, rule, cohort); 0 stands for no rule."""
        self.operations: Counter[tuple[int, int]] = Counter()
        """By (operation, code)."""
        self.replayed_count = 0

    def by_family(self) -> Counter[tuple[int, str, int]]:
        """Return decisions by code, name of the rule and cohort, all user rules as one."""
        found: Counter[tuple[int, str, int]] = Counter()
        for (code, rule, cohort), count in self.decisions.items():
            found[code, rule_family(rule), cohort] += count
        return found

    def take(self, events: Any) -> None:
        """Count some events."""
        kind = events["kind"]
        is_answer = (kind == EventKind.DECIDED) | (kind == EventKind.MOVED)
        is_new = events["replayed"] == 0
        self.replayed_count += int(np.count_nonzero(is_answer & ~is_new))
        decided = events[(kind == EventKind.DECIDED) & is_new]
        key = decided["code"].astype(np.int64) | decided["rule"].astype(np.int64) << RULE_BITS
        key |= decided["cohort"].astype(np.int64) << COHORT_BITS
        for number, count in _counted(key):
            self.decisions[number & BYTE, number >> RULE_BITS & BYTE, number >> COHORT_BITS] += count
        is_settled = kind == EventKind.SETTLED
        moved = events[(kind == EventKind.EXPIRED) | is_settled | ((kind == EventKind.MOVED) & is_new)]
        op = np.where(moved["kind"] == EventKind.EXPIRED, EXPIRY, moved["op"]).astype(np.int64)
        op[moved["kind"] == EventKind.SETTLED] = Op.PROCESSED  # also where a timer or a void settled it
        for number, count in _counted(moved["code"].astype(np.int64) | op << RULE_BITS):
            self.operations[number >> RULE_BITS, number & BYTE] += count


def operation_name(op: int) -> str:
    """Return what an operation of the counts is called."""
    return "expiry" if op == EXPIRY else Op(op).name.lower()


def rule_family(rule: int) -> str:
    """Return the name of a rule, one for all user rules: their numbers mean other rules in other sets."""
    if rule >= USER_RULE_FIRST:
        return "user_rule"
    return RULES[rule - 1] if rule else ""


def _counted(keys: Any) -> list[tuple[int, int]]:
    values, counts = np.unique(keys, return_counts=True)
    return list(zip(values.tolist(), counts.tolist(), strict=True))


class DecisionPump:
    """Moves events from the engine to the counts, forever; look : called at each sign of life."""

    def __init__(
        self, reader: EventReader, counts: DecisionCounts, look: Callable[[], object] = lambda: None
    ) -> None:
        self._reader = reader
        self._counts = counts
        self._look = look
        self._laps = reader.laps

    async def run(self) -> None:
        """Follow the engine until cancelled."""
        while True:
            is_behind = self.turn()
            await asyncio.sleep(0 if is_behind else PAUSE_S)

    def turn(self) -> bool:
        """Do one bounded pass; tell whether there is more."""
        self._reader.beat()
        self._look()
        for _ in range(DRAINS_PER_PASS):
            if not self._reader.has_news():
                return False
            events = self._reader.drain(DRAIN_EVENTS)
            self._counts.take(events)
            if self._reader.laps != self._laps:
                self._laps = self._reader.laps
                log.warning("overtaken by the event ring: %d slots were not counted", self._reader.lost)
            elif not len(events):
                return False  # what there is, is not durable yet
        return True
