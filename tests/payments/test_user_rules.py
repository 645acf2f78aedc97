"""User rules in the engine find what they find as plain Python in the plain service, field by field."""

from collections import Counter
from collections.abc import Iterator

import pytest

from perf.traffic.items import SET_UP, Item
from perf.traffic.traffic import Traffic
from tests.payments.comparison import Comparison, items_of
from tests.payments.user_rules import USER_RULES

COUNT = 4_000


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
    comparison = Comparison(traffic.settings, user_rules=USER_RULES)

    found = list(comparison.play(with_params(items_of(traffic, COUNT))))

    assert not found, f"{len(found)} differences, the first of seed {seed}:\n{found[0]}"
    reached: Counter[str] = comparison.coverage.rules
    assert {"large", "fast", "strong", "often"} <= reached.keys()
