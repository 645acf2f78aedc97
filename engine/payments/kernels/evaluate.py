"""The rules composed: one straight function of all of them, made when it is compiled.

Each row of the table becomes a step that sets its bit where the rule finds something and goes on to the
next one. Nothing branches on what an earlier rule said, so under `explain` as without, every rule is
evaluated; what counts of it is told from the bits afterwards.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.payments.records import Decision, Rule
from engine.payments.rules.table import TABLE, RuleRow
from engine.payments.rules.verdict import CODE_MASK, FIELD_SHIFT, PASS
from ringbuf.kernel import bind, inlined, kernel

ONE = np.int64(1)

validate: Any
number: Any
rest: Any
"""What a row of the table brings to its copy of `_step` and `_verdict`."""


def bits_of(decision: Decision) -> np.int64:
    """Return the rules of a severity, as bits."""
    return np.int64(sum(1 << row.rule for row in TABLE if row.severity == decision))


DECLINING, REVIEWING, STEPPING_UP = map(bits_of, (Decision.DECLINE, Decision.REVIEW, Decision.STEP_UP))
LIFTED = np.int64(sum(1 << row.rule for row in TABLE if row.is_lifted))
EVALUATED = [row for row in TABLE if row.rule != Rule.BALANCE]


def _step(payload, ctx, bits):
    """Evaluate one rule and those behind it."""
    found = np.int64(validate(payload, ctx) != PASS)  # noqa: F821  bound below
    return rest(payload, ctx, bits | found << number)  # noqa: F821  bound below


@inlined
def _end(payload, ctx, bits):
    return bits


def _verdict(payload, ctx, rule):
    """Return the verdict of one rule by its number."""
    if rule == number:  # noqa: F821  bound below
        return np.int64(validate(payload, ctx))  # noqa: F821  bound below
    return rest(payload, ctx, rule)  # noqa: F821  bound below


@inlined
def _no_verdict(payload, ctx, rule):
    return np.int64(PASS)


def names_of(row: RuleRow, behind: Any) -> dict[str, Any]:
    """Return what a row brings to its copy of a step; behind: the copy of the next row."""
    return {"validate": row.validate, "number": np.int64(row.rule), "rest": behind}


def composed_steps(rows: Sequence[RuleRow]) -> Any:
    """Return one function that evaluates these rules, each inlined into the one before."""
    made: Any = _end
    for row in reversed(rows):
        made = bind(_step, f"step_{row.rule.name.lower()}", names_of(row, made), inlined)
    return made


def composed_verdicts(rows: Sequence[RuleRow]) -> Any:
    """Return one function that gives the verdict of any of these rules by its number."""
    made: Any = _no_verdict
    for row in reversed(rows):
        made = bind(_verdict, f"verdict_{row.rule.name.lower()}", names_of(row, made), inlined)
    return made


evaluate_all = composed_steps(EVALUATED)
verdict_all = composed_verdicts(TABLE)


@inlined
def evaluate(rules, payload, ctx):
    """Return the rules of a set that find something, as bits 1 << Rule, but for idempotency and balance."""
    bits = evaluate_all(payload, ctx, np.int64(0)) & rules.active
    return bits & ~LIFTED if ctx.is_allowed else bits


@kernel
def verdict_of(payload, ctx, rule):
    """Return (code, field) of a rule that finds something."""
    found = verdict_all(payload, ctx, rule)
    return found & CODE_MASK, found >> FIELD_SHIFT


@kernel
def first_in_order(rules, bits):
    """Return the first of some rules in the order of a RULESET; bits: at least one."""
    found, place = np.int64(0), rules.place
    for rule in range(1, len(place)):
        if (bits >> rule) & 1 and (found == 0 or place[rule] < place[found]):
            found = np.int64(rule)
    return found


@kernel
def up_to(rules, bits, last):
    """Return those of some rules that stand before one in the order of a RULESET, and that one."""
    found, place = np.int64(0), rules.place
    for rule in range(1, len(place)):
        if (bits >> rule) & 1 and place[rule] <= place[last]:
            found |= ONE << rule
    return found
