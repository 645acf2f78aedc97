"""Rules about the account: its status, its limits, its funds."""

from engine.payments import constants as k
from engine.payments.records import WANTS_PARTIAL
from engine.payments.rules.verdict import OFF, PASS, verdict
from ringbuf.kernel import inlined

NO_ACCOUNT = verdict(k.NO_ACCOUNT, k.FIELD_ACCOUNT)
CLOSED = verdict(k.CLOSED_ACCOUNT, k.FIELD_ACCOUNT)
FROZEN = verdict(k.FROZEN_ACCOUNT, k.FIELD_ACCOUNT)
AMOUNT = verdict(k.AMOUNT_LIMIT, k.FIELD_AMOUNT)
SUM = verdict(k.SUM_LIMIT, k.FIELD_AMOUNT)
COUNT = verdict(k.COUNT_LIMIT, k.FIELD_ACCOUNT)
FUNDS = verdict(k.FUNDS, k.FIELD_AMOUNT)


@inlined
def account_status(payload, ctx):
    """Decline for an account that is unknown, closed or frozen."""
    status = ctx.account_status
    if status == k.STATUS_OPEN:
        return PASS
    if status == k.STATUS_CLOSED:
        return CLOSED
    return FROZEN if status == k.STATUS_FROZEN else NO_ACCOUNT


@inlined
def account_amount(payload, ctx):
    """Decline an amount below the least or above the most that the account pays."""
    is_above = ctx.account_max != OFF and payload.amount > ctx.account_max
    return AMOUNT if is_above or payload.amount < ctx.account_min else PASS


@inlined
def account_sum_24h(payload, ctx):
    """Decline what would bring the account's approved sum of 24 hours above its limit."""
    limit = ctx.account_sum_24h_limit
    return SUM if limit != OFF and ctx.account_sum_24h > limit else PASS


@inlined
def account_count_24h(payload, ctx):
    """Decline the attempt that exceeds the account's count of 24 hours."""
    limit = ctx.account_count_24h_limit
    return COUNT if limit != OFF and ctx.account_count_24h > limit else PASS


@inlined
def balance(payload, ctx):
    """Decline what is not covered, unless a part of it may be approved and nothing was noted."""
    if ctx.available >= payload.amount:
        return PASS
    may_be_partial = payload.options & WANTS_PARTIAL and ctx.available > 0 and not ctx.is_noted
    return PASS if may_be_partial else FUNDS
