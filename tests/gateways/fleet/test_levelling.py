"""How much goes to others: an idle instance gives nearly all, a busy one half of what it is ahead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.fleet.levelling import RESERVE_SHARE, to_give, wants_more

LIMIT = 10_000


@pytest.mark.parametrize(
    ("left", "is_busy", "wanting", "left_of_wanting", "given"),
    [
        (5_000, False, 0, 0, 0),
        (5_000, False, 1, 0, 4_500),
        (500, False, 1, 0, 0),
        (501, False, 2, 900, 1),
        (5_000, True, 1, 1_000, 2_000),
        (1_000, True, 1, 0, 500),
        (500, True, 1, 0, 0),
        (1_000, True, 1, 5_000, 0),
        (0, False, 1, 0, 0),
    ],
)
def test_what_is_given(left: int, is_busy: bool, wanting: int, left_of_wanting: int, given: int) -> None:
    assert to_give(left, LIMIT, 2, is_busy, wanting, left_of_wanting) == given


@pytest.mark.parametrize(
    ("left", "is_busy", "wants"),
    [(2_499, True, True), (2_500, True, False), (0, False, False), (0, True, True)],
)
def test_only_where_somebody_pays_more_is_wanted_once_half_is_gone(
    left: int, is_busy: bool, wants: bool
) -> None:
    assert wants_more(left, 5_000, is_busy) == wants


@given(st.integers(2, 64), st.integers(0, 2**50), st.data())
def test_what_stays_with_others_while_somebody_has_nothing_is_a_tenth_at_most(
    instances: int, limit: int, data: st.DataObject
) -> None:
    others = [
        (data.draw(st.integers(0, limit // instances)), data.draw(st.booleans()))
        for _ in range(instances - 1)
    ]
    staying = [left for left, is_busy in others if to_give(left, limit, instances, is_busy, 1, 0) == 0]

    assert sum(staying) <= limit // RESERVE_SHARE + instances


@given(st.integers(0, 2**50), st.integers(0, 2**50), st.integers(1, 64), st.booleans(), st.integers(0, 63))
def test_nothing_is_given_that_is_not_there(
    left: int, limit: int, instances: int, is_busy: bool, wanting: int
) -> None:
    assert 0 <= to_give(left, limit, instances, is_busy, wanting, 0) <= left
