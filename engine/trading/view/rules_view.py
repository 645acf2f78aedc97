"""Sets of rules as the live state has them: what is registered, which governs, what was refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.trading.records import words_text
from ringbuf.seqlock import TornReadError

TRIES = 8


@dataclass(frozen=True, slots=True)
class RulesetView:
    """One registered set.

    refused, faults : of each of its rules in their order, how many orders it refused, and could not judge
    """

    ruleset: int
    seq: int
    source: bytes
    who: str
    why: str
    refused: tuple[int, ...]
    faults: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RulesView:
    """All sets that are kept, by their ids; 0 where none governs, or governed before."""

    governing: int
    before: int
    sets: tuple[RulesetView, ...]
    seq: int


def rules_of(state: Any, turn: Callable[[], int] = lambda: 0) -> RulesView:
    """Return a whole copy of what a STATE record, mapped or private, says of rules; TornReadError.

    turn : gives its epoch, odd while it is being rebuilt
    """
    s = state[0]
    for _ in range(TRIES):
        if turn() & 1:
            break
        seq = int(s["seq"])
        copied = _copied(s)
        if copied == _copied(s):
            sets, governing, before = copied
            rows = np.frombuffer(sets, s["rule_sets"].dtype)
            ids = [int(row["ruleset"]) for row in rows]
            return RulesView(
                governing=ids[governing - 1] if governing else 0,
                before=ids[before - 1] if before else 0,
                sets=tuple(_set_of(row) for row in sorted(rows, key=_by_id) if row["ruleset"]),
                seq=seq,
            )
    raise TornReadError("the rules are changing")


def _copied(s: Any) -> tuple[bytes, int, int]:
    return s["rule_sets"].tobytes(), int(s["governing"]), int(s["governed_before"])


def _by_id(row: Any) -> int:
    return int(row["ruleset"])


def _set_of(row: Any) -> RulesetView:
    return RulesetView(
        ruleset=int(row["ruleset"]),
        seq=int(row["seq"]),
        source=row["hash"].tobytes(),
        who=words_text(row["who"]).decode(errors="replace"),
        why=words_text(row["why"]).decode(errors="replace"),
        refused=tuple(row["refused"].tolist()),
        faults=tuple(row["faults"].tolist()),
    )
