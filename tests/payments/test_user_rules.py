"""User rules in the engine find what they find as plain Python in the plain service, field by field.

One rule looks at the lowest bit of each field and each number of the context where a request asks for an
explanation, so that every one of them is compared; some others decline, step up and have params.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from engine.payments.rules.vocabulary import CONTEXT, FIELDS
from perf.traffic.items import SET_UP, Item
from perf.traffic.traffic import Traffic
from tests.payments.comparison import Comparison, items_of

COUNT = 4_000
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
TEXT = WRITTEN + "".join(
    PROBE.format(of=of, name=name) for of, names in (("p", FIELDS), ("ctx", CONTEXT)) for name in names
)


def with_params(items: Iterator[Item]) -> Iterator[Item]:
    """Yield items, of which every other merchant's line says params of its own."""
    count = 0
    for item in items:
        if item.kind == SET_UP and isinstance(item.body, dict) and item.body.get("op") == "merchant":
            count += 1
            if count % 2:
                params = {"large": {"max": 10 * count}, "fast": {"most": count % 4}, "gone": {"x": 1}}
                item = item._replace(body={**item.body, "params": params})
        yield item


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_both_sides_answer_the_same_under_user_rules(seed: int) -> None:
    traffic = Traffic(seed)
    comparison = Comparison(traffic.settings, user_rules=TEXT)

    found = list(comparison.play(with_params(items_of(traffic, COUNT))))

    assert not found, f"{len(found)} differences, the first of seed {seed}:\n{found[0]}"
    reached: Counter[str] = comparison.coverage.rules
    assert {"large", "fast", "strong", "often"} <= reached.keys()
