"""The traffic generator of payments; that it reaches everything is a test of tests/payments."""

from itertools import islice, pairwise

import pytest

from perf.traffic.items import OPERATIONS, PAY, Item
from perf.traffic.settings import DEFAULTS, PROFILES, settings_of
from perf.traffic.stories.velocity import card_1m
from perf.traffic.traffic import Traffic
from perf.traffic.windows import BUCKETS, DAY, DAY_MS, edge, month_begin
from perf.traffic.world import checked

FAR_MS = 10**14
"""No traffic comes so far; a body in bad form may say so."""


def first(seed: int, count: int) -> list[Item]:
    return list(islice(Traffic(seed), count))


@pytest.mark.parametrize("seed", range(PROFILES))
def test_the_same_seed_gives_the_same_traffic(seed: int) -> None:
    assert first(seed, 5_000) == first(seed, 5_000)
    assert Traffic(seed).set_up == Traffic(seed).set_up


def test_another_seed_gives_another_traffic() -> None:
    assert first(0, 200) != first(4, 200)


def test_an_operation_is_on_a_payment_that_came_before() -> None:
    items = first(3, 20_000)
    of = [(number, item.of) for number, item in enumerate(items) if item.kind in OPERATIONS and item.of >= 0]

    assert of
    assert all(earlier < number and items[earlier].kind == PAY for number, earlier in of)


def test_requests_come_in_the_order_of_their_moments_but_for_clocks_that_are_late() -> None:
    moments = [
        item.body["received_at"]
        for item in first(0, 20_000)
        if isinstance(item.body, dict) and type(item.body.get("received_at")) is int
    ]
    real = [moment for moment in moments if 0 <= moment < FAR_MS]
    back_ms = [before - after for before, after in pairwise(real)]

    assert 0 < max(back_ms) <= 3_000
    assert real[-1] - real[0] > 10 * DAY_MS


def test_a_traffic_of_some_stories_tells_no_others() -> None:
    items = list(islice(Traffic(0, stories={card_1m: 1}, settings=DEFAULTS), 500))

    assert {item.kind for item in items} == {PAY}


def test_the_first_profile_has_the_defaults_and_the_others_have_not() -> None:
    assert settings_of(0) == settings_of(PROFILES) == DEFAULTS
    assert all(settings_of(seed) != DEFAULTS for seed in range(1, PROFILES))


def test_an_edge_is_the_first_moment_of_a_bucket() -> None:
    noon = month_begin(2024, 2) + DAY_MS // 2

    assert edge(noon, DAY_MS) == month_begin(2024, 2) + DAY_MS
    assert edge(noon + 1, DAY, BUCKETS) == noon + DAY_MS
    assert month_begin(2024, 3) - month_begin(2024, 2) == 29 * DAY_MS
    assert month_begin(2024, 13) == month_begin(2025, 1)


def test_a_check_digit_is_that_of_known_cards() -> None:
    assert checked("411111111111111") == "4111111111111111"
    assert checked("37828224631000") == "378282246310005"
