"""A file of user rules by which both sides decide.

One rule looks at the lowest bit of each field and each number of the context where a request asks for an
explanation, so that every one of them is compared; some others decline, step up and have params.
"""

from engine.payments.rules.vocabulary import CONTEXT, FIELDS

PROBE = """
@rule("{of}_{name}", code="REVIEW", action=REVIEW)
def {of}_{name}(p, ctx, params):
    return p.explain == 1 and {of}.{name} % 2 == 1
"""
WRITTEN = """from pinion import DECLINE, ECOM, REVIEW, STEP_UP, rule


@rule("large", code="USER_RULE", action=DECLINE, params={"max": 50_000, "unit": 100})
def large(p, ctx, params):
    return p.amount > params.max and p.amount % 7 == 3 and params.unit > 0


@rule("fast", code="REVIEW", action=REVIEW, params={"most": 2})
def fast(p, ctx, params):
    found = 0
    for _ in range(4):
        found = found + (ctx.card_1h > params.most)
    return found == 4


@rule("strong", code="SCA_REQUIRED", action=STEP_UP)
def strong(p, ctx, params):
    return p.channel == ECOM and p.amount % 5 == 0 and not p.sca


@rule("often", code="USER_RULE", action=DECLINE)
def often(p, ctx, params):
    return ctx.last_age_ms >= 0 and ctx.last_age_ms < 20_000 and ctx.last_amount < p.amount
"""
USER_RULES = WRITTEN + "".join(
    PROBE.format(of=of, name=name) for of, names in (("p", FIELDS), ("ctx", CONTEXT)) for name in names
)
