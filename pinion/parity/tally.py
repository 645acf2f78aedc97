"""What a replay came to: how many pairs are equal, different and ignored, and where they differ."""

from collections import Counter
from typing import Any

import msgspec

from pinion.parity.answers import Document, FieldDifference
from pinion.parity.bound import upper_bound_95
from pinion.parity.coverage import FEW, Cell, cells
from pinion.parity.ignored import IgnoreList, pair_of_codes
from pinion.parity.pairs import LeftOut
from pinion.parity.steps import Compared, Step


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """A pair whose answers differ, as diffs.jsonl has it."""

    n: int
    at_ms: int
    path: str
    codes: str
    rules: str
    is_ignored: bool
    fields: list[FieldDifference]
    request: str
    old_status: int
    old: Document | None
    new_status: int
    new: Document | None


class Noise(msgspec.Struct, frozen=True):
    """A field of a pair of codes that differs between two runs of the old service, and how often."""

    field: str
    codes: str
    count: int
    ignored: str | None
    """What puts up with it."""

    def __str__(self) -> str:
        return f"{self.field} of {self.codes}, {self.count:,} times"


class Tally:
    """Counts the pairs of one replay."""

    def __init__(self, ignored: IgnoreList) -> None:
        self.ignore_list = ignored
        self.equal = self.different = self.ignored = self.unanswered = 0
        self.left_out: Counter[str] = Counter()
        self.cells: Counter[Cell] = Counter()
        self.by_field: Counter[str] = Counter()
        self.by_codes: Counter[str] = Counter()
        self.by_rules: Counter[str] = Counter()
        self.noise: list[Noise] = []

    @property
    def pairs(self) -> int:
        """Pairs whose answers were compared."""
        return self.equal + self.different + self.ignored

    @property
    def seen(self) -> int:
        """Pairs of the capture so far, compared or not."""
        return self.pairs + self.unanswered + self.left_out.total()

    @property
    def unnamed_noise(self) -> list[Noise]:
        """What differs between two runs of the old service and is not ignored."""
        return [each for each in self.noise if each.ignored is None]

    def leave_out(self, pair: LeftOut) -> None:
        """Count a pair that is not played."""
        self.left_out[pair.why] += pair.pair_count

    def add(self, step: Step) -> list[Diff]:
        """Count what some pairs came to; return those that differ."""
        self.equal += step.equal
        self.unanswered += step.unanswered
        self.cells.update(step.cells)
        return [self._diff(each) for each in step.different]

    def _diff(self, compared: Compared) -> Diff:
        pair, old, new, fields = compared
        codes, rules = pair_of_codes(old, new), f"{old.rule}>{new.rule}"
        fields = self.ignore_list.marked(fields, codes)
        left = [each.field for each in fields if each.ignored is msgspec.UNSET]
        if left:
            self.different += 1
            self.by_field.update(left)
            self.by_codes[codes] += 1
            self.by_rules[rules] += 1
        else:
            self.ignored += 1
        return Diff(
            n=pair.n, at_ms=pair.at_ms, path=pair.path, codes=codes, rules=rules, is_ignored=not left,
            fields=fields, request=pair.request.decode("utf-8", "replace"),
            old_status=old.status, old=old.document, new_status=new.status, new=new.document,
        )  # fmt: skip

    def summary(self) -> dict[str, Any]:
        """Return what summary.json says."""
        known = list(cells())
        counts = [[*cell, self.cells[cell]] for cell in known]
        return {
            "pairs": self.pairs,
            "equal": self.equal,
            "different": self.different,
            "ignored": self.ignored,
            "upper_bound_95": upper_bound_95(self.different, self.pairs),
            "unanswered": self.unanswered,
            "left_out": dict(self.left_out.most_common()),
            "by_field": dict(self.by_field.most_common()),
            "by_codes": dict(self.by_codes.most_common()),
            "by_rules": dict(self.by_rules.most_common()),
            "noise": [msgspec.structs.asdict(each) for each in self.noise],
            "coverage": {
                "cells": len(known),
                "reached": sum(1 for cell in known if self.cells[cell]),
                "under_30": sum(1 for cell in known if self.cells[cell] < FEW),
                "counts": counts,
            },
        }
