"""What a traffic has reached: codes, rules, states, and cells of rule, outcome, channel and exponent."""

from collections import Counter

from engine.payments.codes import TABLE
from engine.payments.records import RULES, State
from perf.traffic.items import PAY, Item
from perf.traffic.world import EXPONENTS
from pinion.parity.coverage import Cell, cells
from tests.payments.legacy.codes import Reply

NOT_DUE = {"RATE", "BUSY", "TIMEOUT", "SYSTEM", "UNSUPPORTED", "CAPACITY"}
NOT_DUE |= {"PROCESSOR_DECLINED", "PROCESSOR_DOWN", "STORE_DOWN", "USER_RULE"}
"""Codes of doors, processors, fleets and user rules; CAPACITY is reached by too many operations alone."""
CODES = {row.name for row in TABLE} - NOT_DUE
STATES = {state.name.lower() for state in State} - {"pending"}


class Coverage:
    """Counts what replies say."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.cells: Counter[Cell] = Counter()

    def add(self, item: Item, reply: Reply) -> None:
        """Count a reply to an item."""
        code = reply["code"]
        self.codes[code] += 1
        self.kinds[f"{item.kind} {code}"] += 1
        state = reply.get("state")
        if state is not None:
            self.states[state] += 1
        if item.kind == PAY and isinstance(item.body, dict):
            rule = reply["rule"]
            if rule is not None:
                self.rules[rule] += 1
            if reply["seq"] is not None and not reply["replayed"]:
                body = item.body
                self.cells[rule, code, body["channel"], EXPONENTS.get(body["currency"], 2)] += 1

    def update(self, other: "Coverage") -> None:
        """Add what another one has counted."""
        for name in ("codes", "rules", "states", "kinds", "cells"):
            getattr(self, name).update(getattr(other, name))

    def missing(self) -> list[str]:
        """Return what was not reached, of codes, rules and states."""
        reached = self.codes.keys() | self.rules.keys() | self.states.keys()
        return sorted((CODES | set(RULES) | STATES) - reached)

    def missing_cells(self) -> list[Cell]:
        """Return the cells that were not reached."""
        return [cell for cell in cells() if cell not in self.cells]

    def table(self) -> str:
        """Return the counts by code, rule, state and kind of request as text."""
        lines = []
        for name in ("codes", "rules", "states", "kinds"):
            counts: Counter[str] = getattr(self, name)
            lines.append(f"{name}:")
            lines += [f"  {key:40} {count:10,}" for key, count in sorted(counts.items())]
        reached = sum(1 for cell in cells() if cell in self.cells)
        lines.append(f"cells reached: {reached} of {sum(1 for _ in cells())}")
        return "\n".join(lines)
