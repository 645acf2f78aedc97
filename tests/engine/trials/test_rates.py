"""Two rates compared in whole numbers, against the same in fractions."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trials.rates import EXPECTED_MIN, SUM_BITS, differs, root

COUNTS = st.integers(0, 2**40)


def z_of(x1: int, n1: int, x2: int, n2: int) -> float:
    """Return the statistic as the textbook has it."""
    p = (x1 + x2) / (n1 + n2)
    return abs(x1 / n1 - x2 / n2) / math.sqrt(p * (1 - p) * (1 / n1 + 1 / n2))


def is_approximate(x1: int, n1: int, x2: int, n2: int) -> bool:
    """Tell whether five cases of either kind are to be expected in the smaller arm."""
    p = (x1 + x2) / (n1 + n2)
    return min(p, 1 - p) * min(n1, n2) >= EXPECTED_MIN


@st.composite
def arms(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Draw two arms of any sizes, whose rates are near each other as often as not."""
    n1, n2 = draw(st.integers(1, 2**36)), draw(st.integers(1, 2**36))
    rate = draw(st.floats(0.001, 0.999))
    apart = draw(st.floats(0, 8)) / math.sqrt(min(n1, n2))
    return min(n1, int(rate * n1)), n1, max(0, min(n2, int((rate + apart) * n2))), n2


@settings(deadline=None)
@given(arms(), st.sampled_from((35, 45)))
def test_it_says_what_the_textbook_says_but_for_what_halving_loses(
    counts: tuple[int, int, int, int], tenths: int
) -> None:
    if not is_approximate(*counts):
        return
    halved = max(0, (counts[1] + counts[3]).bit_length() - SUM_BITS)
    kept = [each >> halved for each in counts]
    if min(kept[1], kept[3]) == 0 or not is_approximate(*kept):
        return
    z = z_of(*kept)
    if abs(z - tenths / 10) > 0.05:
        assert differs(*counts, tenths) == (z > tenths / 10)


@settings(deadline=None)
@given(arms())
def test_it_is_the_same_the_other_way_round(counts: tuple[int, int, int, int]) -> None:
    x1, n1, x2, n2 = counts

    assert differs(x1, n1, x2, n2, 35) == differs(x2, n2, x1, n1, 35)
    if n1 + n2 < 1 << SUM_BITS:  # halves of odd counts are not the halves of what is left of the whole
        assert differs(x1, n1, x2, n2, 35) == differs(n1 - x1, n1, n2 - x2, n2, 35)


def test_few_cases_say_nothing() -> None:
    assert not differs(2, 36_000, 0, 684_000, 45)
    assert not differs(99, 36_000, 0, 684_000, 45)
    assert differs(101, 36_000, 0, 684_000, 45)


def test_a_point_more_of_a_twentieth_is_seen_at_36_000_an_arm() -> None:
    assert differs(1_800, 36_000, 2_160, 36_000, 35)
    assert not differs(1_800, 36_000, 1_900, 36_000, 35)


@settings(deadline=None)
@given(st.integers(0, 2**58 - 1))
def test_a_root_is_the_largest_number_whose_square_fits(number: int) -> None:
    assert root(number) == math.isqrt(number)
