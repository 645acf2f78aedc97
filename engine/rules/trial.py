"""A set of rules tried: compiled and as plain Python on the same requests, compared, and measured."""

import time
from collections.abc import Collection, Sequence
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from engine.contract.errors import ToldError
from engine.rules.compiled import CompiledSet, Words, defaults_of
from engine.rules.language.source import FAULT, MATCHED, UserRule

NS_MAX = 200.0
"""A rule that takes longer is not taken."""
ROUNDS = 9
"""The fastest of so many counts: what else runs on the machine only adds."""


class Tried(NamedTuple):
    """What became of one rule; ns : for one request; faults : where it could not compute."""

    rule: UserRule
    matched: int
    ns: float
    faults: int = 0


class TriedRuleError(ToldError):
    """A rule that did not stand the trial; rule : its name."""

    def __init__(self, rule: UserRule, reason: str) -> None:
        super().__init__(f"{rule.file_name}:{rule.line}: rule {rule.name}: {reason}")
        self.rule = rule.name


class DisagreementError(TriedRuleError):
    """Compiled and plain Python differ, which is a fault of Pinion's; the text has what shows it."""


class SlowRuleError(TriedRuleError):
    """A rule takes longer than any may."""


def tried(made: CompiledSet, p: Words, ctx: Words) -> tuple[Tried, ...]:
    """Return what the rules of a set find, with their params as they are where nobody says others.

    p, ctx : int64[requests, words]
    """
    params = defaults_of(made.rules)
    whole = np.array([made.call(row, beside, params) for row, beside in zip(p, ctx, strict=True)], np.int64)
    is_refusing = made.rules[0].vocabulary.is_refusing
    first = np.zeros(len(p), np.int64)
    requests = (_named(made.rules[0].vocabulary.fields, p), _named(made.rules[0].vocabulary.context, ctx))
    found = []
    for number, rule in enumerate(made.rules):
        plain = plainly(rule, *requests)
        _require_same(rule, plain, made.rows(number, p, ctx, params), requests)
        if not is_refusing:
            _require_same(rule, plain, whole >> number & 1, requests)
        elif (is_here := (first == 0) & (plain != 0)).any():
            first[is_here] = np.where(plain[is_here] == MATCHED, number + 1, -number - 1)
        matched, faults = (int((plain == each).sum()) for each in (MATCHED, FAULT))
        found.append(Tried(rule, matched, _ns(made, number, p, ctx, params), faults))
    if is_refusing:
        _require_same(made.rules[0], first, whole, requests)
    return tuple(found)


def plainly(rule: UserRule, p: Sequence[SimpleNamespace], ctx: Sequence[SimpleNamespace]) -> Words:
    """Return for each request what the plain function says: 0, 1 or FAULT."""
    params = SimpleNamespace(**rule.params)
    pairs = zip(p, ctx, strict=True)
    return np.array([rule.plain(each, beside, params) for each, beside in pairs], np.int64)


def require_fast(found: Sequence[Tried]) -> None:
    """Raise SlowRuleError where a rule takes longer than NS_MAX."""
    for each in found:
        if each.ns > NS_MAX:
            raise SlowRuleError(
                each.rule,
                f"takes {each.ns:.0f} ns, and may take {NS_MAX:.0f}; let its loops run less often, or return "
                f"before them",
            )


def _named(words: Collection[str], rows: Words) -> list[SimpleNamespace]:
    return [SimpleNamespace(**dict(zip(words, row, strict=True))) for row in rows.tolist()]


def _require_same(
    rule: UserRule, plain: Words, compiled: Words, requests: tuple[Sequence[SimpleNamespace], ...]
) -> None:
    other = np.flatnonzero(plain != compiled)
    if len(other):
        p, ctx = (vars(each[other[0]]) for each in requests)
        raise DisagreementError(
            rule,
            f"compiled it says {compiled[other[0]]}, plain {plain[other[0]]}; please report it with the rule "
            f"and p = {p}, ctx = {ctx}",
        )


def _ns(made: CompiledSet, number: int, p: Words, ctx: Words, params: Words) -> float:
    """Return how long a rule takes for one request."""
    least = min(_round_ns(made, number, p, ctx, params) for _ in range(ROUNDS))
    return least / len(p)


def _round_ns(made: CompiledSet, number: int, p: Words, ctx: Words, params: Words) -> int:
    begun = time.perf_counter_ns()
    made.rows(number, p, ctx, params)
    return time.perf_counter_ns() - begun
