"""The upper bound of the share of different answers."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinion.parity.bound import upper_bound_95


@pytest.mark.parametrize(
    ("different", "pairs", "bound"),
    [(0, 50_000, 0.00006), (0, 3, 1.0), (0, 0, 1.0), (7, 7, 1.0), (1, 100, 0.04656), (5, 50, 0.19883)],
)
def test_bounds_are_those_of_tables(different: int, pairs: int, bound: float) -> None:
    assert upper_bound_95(different, pairs) == pytest.approx(bound, rel=2e-3)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 60).flatmap(lambda pairs: st.tuples(st.integers(1, pairs - 1), st.just(pairs))))
def test_at_the_bound_so_few_differences_come_up_once_in_twenty_times(counts: tuple[int, int]) -> None:
    different, pairs = counts
    share = upper_bound_95(different, pairs)

    chance = sum(math.comb(pairs, k) * share**k * (1 - share) ** (pairs - k) for k in range(different + 1))

    assert chance == pytest.approx(0.05, abs=1e-6)


def test_many_differences_of_many_pairs_have_a_bound_close_to_their_share() -> None:
    assert 0.5 < upper_bound_95(25_000, 50_000) < 0.504
