"""Judge a payment by a set of rules: what it finds in it, and what becomes of that.

`s.context` has been filled, and has the limits of the set. Nothing is written but scratch.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.kernels.evaluate import (
    DECLINING,
    ONE,
    REVIEWING,
    STEPPING_UP,
    evaluate,
    first_in_order,
    up_to,
    verdict_of,
)
from engine.payments.records import WANTS_EXPLANATION
from engine.payments.rules.account import balance as balance_rule
from engine.payments.rules.verdict import PASS
from ringbuf.kernel import inlined, kernel

IDEMPOTENCY_BIT = ONE << k.RULE_IDEMPOTENCY
BALANCE_BIT = ONE << k.RULE_BALANCE


@inlined
def judge(s, command, rules, is_reversed):
    """Return (decision, code, rule, field, matched, approved amount) of the rules of a RULESET."""
    ctx = s.context[0]
    bits = evaluate(rules, command, ctx)
    if is_reversed:
        bits |= IDEMPOTENCY_BIT
    ctx.is_noted = bits != 0
    if balance_rule(command, ctx) != PASS:
        bits |= BALANCE_BIT
    if bits == 0:
        amount, available = command["amount"], ctx.available
        if available >= amount:
            return k.DECISION_APPROVE, k.OK, k.NONE, k.NONE, bits, amount
        return k.DECISION_APPROVE, k.PARTIAL, k.NONE, k.NONE, bits, available
    return _judge_found(s, command, rules, bits)


@kernel
def _judge_found(s, command, rules, bits):
    """Judge a request in which rules have found something."""
    decision, matched = k.DECISION_DECLINE, bits
    of_severity = bits & (DECLINING | IDEMPOTENCY_BIT)
    if of_severity == 0:
        decision, of_severity = k.DECISION_STEP_UP, bits & STEPPING_UP
        if of_severity == 0:
            decision, of_severity = k.DECISION_REVIEW, bits & REVIEWING
    rule = first_in_order(rules, of_severity)
    if decision == k.DECISION_DECLINE and not command["options"] & WANTS_EXPLANATION:
        matched = up_to(rules, bits, rule)
    code, field = k.REVERSED, k.FIELD_REQUEST_ID
    if rule != k.RULE_IDEMPOTENCY:
        code, field = verdict_of(command, s.context[0], rule)
    return decision, code, rule, field, matched, np.int64(0)
