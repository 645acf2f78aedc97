"""Judge a payment by a set of rules: what it finds in it, and what becomes of that.

`s.context` has been filled, and has the limits of the set. Nothing is written but scratch.
"""

import numpy as np

from engine.contract.bits import lowest_bit
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
from engine.payments.kernels.user_rules import (
    USER_FIRST,
    code_of_user,
    has_user_rules,
    of_user,
    user_matches,
)
from engine.payments.records import WANTS_EXPLANATION
from engine.payments.rules.account import balance as balance_rule
from engine.payments.rules.verdict import PASS
from ringbuf.kernel import inlined, kernel

IDEMPOTENCY_BIT = ONE << k.RULE_IDEMPOTENCY
BALANCE_BIT = ONE << k.RULE_BALANCE


@inlined
def judge(s, command, rules, is_reversed):
    """Judge by the rules of a RULESET.

    Returns (decision, code, rule, field, matched, user_matched, approved amount).
    """
    ctx = s.context[0]
    bits = evaluate(rules, command, ctx)
    if is_reversed:
        bits |= IDEMPOTENCY_BIT
    user = user_matches(s, command, rules) if has_user_rules(rules) else np.int64(0)
    ctx.is_noted = (bits | user) != 0
    if balance_rule(command, ctx) != PASS:
        bits |= BALANCE_BIT
    if (bits | user) == 0:
        amount, available = command["amount"], ctx.available
        if available >= amount:
            return k.DECISION_APPROVE, k.OK, k.NONE, k.NONE, bits, user, amount
        return k.DECISION_APPROVE, k.PARTIAL, k.NONE, k.NONE, bits, user, available
    return _judge_found(s, command, rules, bits, user)


@kernel
def _judge_found(s, command, rules, bits, user):
    """Judge a request in which rules have found something."""
    decision = k.DECISION_DECLINE
    found = bits & (DECLINING | IDEMPOTENCY_BIT)
    user_found = of_user(rules, user, k.DECISION_DECLINE)
    if (found | user_found) == 0:
        decision, found = k.DECISION_STEP_UP, bits & STEPPING_UP
        user_found = of_user(rules, user, k.DECISION_STEP_UP)
        if (found | user_found) == 0:
            decision, found = k.DECISION_REVIEW, bits & REVIEWING
            user_found = of_user(rules, user, k.DECISION_REVIEW)
    rule = _first(rules, found, user_found)
    if decision == k.DECISION_DECLINE and not command["options"] & WANTS_EXPLANATION:
        bits, user = _up_to(rules, bits, user, rule)
    if rule == k.RULE_IDEMPOTENCY:
        code, field = k.REVERSED, k.FIELD_REQUEST_ID
    elif rule >= USER_FIRST:
        code, field = code_of_user(decision), k.NONE
    else:
        code, field = verdict_of(command, s.context[0], rule)
    return decision, code, rule, field, bits, user, np.int64(0)


@inlined
def _first(rules, found, user_found):
    """Return the first of what was found: user rules stand behind all others but for the balance."""
    before = found & ~BALANCE_BIT
    if before != 0:
        return first_in_order(rules, before)
    return k.RULE_BALANCE if user_found == 0 else USER_FIRST + np.int64(lowest_bit(user_found))


@inlined
def _up_to(rules, bits, user, last):
    """Return those of what was found that stand before a rule, and that one."""
    if last == k.RULE_BALANCE:
        return bits, user
    if last >= USER_FIRST:
        return bits & ~BALANCE_BIT, user & ((np.int64(2) << (last - USER_FIRST)) - 1)
    return up_to(rules, bits, last), np.int64(0)
