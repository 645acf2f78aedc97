"""Approved amounts compared: against the same in fractions, and on heavy tails in several currencies.

    python -m tests.engine.trials.test_amounts 200

plays so many canaries of each kind at the sample of 36,000 an arm, with 5 per cent of the cards; the tests
play many smaller ones. Amounts are drawn in minor units: of euros log-normal, of yen with a tail whose
variance is infinite, of rupiah large and wide. Declines come at 5 per cent of all.
"""

import math
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.trials.amounts import ASKED_MAX, LARGEST_MIN, WEIGHT_MAX, parts_differ, weigh
from engine.trials.records import ARM
from ringbuf.kernel import COMPILED, kernel

TENTHS = np.int64(35)
AMOUNT_MAX = 999_999_999_999
RATE = 0.05
FIELDS = ("asked", "withheld", "asked_squares", "asked_withheld", "withheld_squares")


@kernel
def enter(arms: Any, sides: Any, asked: Any, approved: Any) -> None:
    """Enter decisions into their arms."""
    for at in range(len(asked)):
        weigh(arms[sides[at]], asked[at], approved[at])
        arms[sides[at]].decided += 1


@kernel
def differ(arms: Any, tenths: Any) -> bool:
    """Tell what the gate says of both arms."""
    return parts_differ(arms[0], arms[1], tenths)


def view(arms: Any) -> Any:
    """Return arms as kernels take them, compiled or not."""
    return arms if COMPILED else arms.view(np.recarray)


def statistic(arms: Any) -> tuple[float, float]:
    """Return |z| by the definition, and how many of the largest square the smaller arm has."""
    one, two = ({name: int(arm[name]) for name in ARM.names or () if name != "codes" and name != "outcomes"}
                for arm in arms)  # fmt: skip
    asked, withheld, squares, mixed, of_withheld = (one[name] + two[name] for name in FIELDS)
    part = Fraction(withheld, asked)
    total = of_withheld - 2 * part * mixed + part * part * squares
    n, smaller = one["decided"] + two["decided"], min(one["decided"], two["decided"])
    apart = abs(one["withheld"] - part * one["asked"])
    most = max(one["withheld_max"], two["withheld_max"])
    share = Fraction(smaller, n)
    if total == 0 or most == 0:
        return 0.0, 0.0
    return float(apart) / math.sqrt(share * (1 - share) * total), float(share * total / most**2)


@st.composite
def arms_of_any_size(draw: st.DrawFn) -> Any:
    """Draw two arms, small ones to those of 2^36 decisions, of decisions of up to three weights."""
    made = np.zeros(2, ARM)
    rate = draw(st.floats(0.001, 0.98))
    weights = draw(st.lists(st.integers(1, WEIGHT_MAX), min_size=1, max_size=3))
    least = draw(st.integers(0, 36))
    apart = draw(st.floats(-8, 8)) * math.sqrt(rate / 2**least)
    for side, arm in enumerate(made):
        for weight in weights:
            count = draw(st.integers(2**least, 2 ** min(36, least + 5)))
            held = max(0, min(count, round(count * (rate + side * apart))))
            arm["decided"] += count
            arm["asked"] += count * weight
            arm["withheld"] += held * weight
            arm["asked_squares"] += count * weight**2
            arm["asked_withheld"] += held * weight**2
            arm["withheld_squares"] += held * weight**2
            arm["withheld_max"] = max(int(arm["withheld_max"]), weight if held else 0)
    return made


@settings(deadline=None, max_examples=400)
@given(arms_of_any_size())
def test_it_says_what_the_definition_says_but_at_its_bounds(arms: Any) -> None:
    z, terms = statistic(arms)
    if abs(z - 3.5) > 0.07 and abs(terms / LARGEST_MIN - 1) > 0.03:
        assert differ(view(arms), TENTHS) == (z > 3.5 and terms > LARGEST_MIN)


@settings(deadline=None)
@given(st.integers(1, AMOUNT_MAX), st.integers(0, AMOUNT_MAX))
def test_a_decision_weighs_the_root_of_what_is_asked_and_withholds_its_part(
    asked: int, approved: int
) -> None:
    approved = min(asked, approved)
    arms = np.zeros(2, ARM)
    enter(view(arms), np.zeros(1, np.int64), np.array([asked]), np.array([approved]))

    weight = math.isqrt(min(asked, ASKED_MAX))
    assert arms["asked"][0] == weight
    assert arms["withheld"][0] == weight - weight * approved // asked
    assert arms["withheld"][0] == (0 if approved == asked else arms["withheld"][0])


def amounts_of(draw: np.random.Generator, count: int) -> Any:
    """Draw amounts of three currencies, in minor units."""
    which = draw.random(count)
    euros = np.exp(draw.normal(8, 1.2, count))
    yen = (draw.pareto(1.1, count) + 1) * 500
    rupiah = np.exp(draw.normal(13, 1.8, count))
    found = np.where(which < 0.7, euros, np.where(which < 0.9, yen, rupiah))
    return np.clip(found, 1, AMOUNT_MAX).astype(np.int64)


Declines = Callable[[Any, Any], Any]
"""Of amounts and as many draws, which the candidate declines beyond what both do."""


def like_the_other(amounts: Any, draws: Any) -> Any:
    return np.zeros(len(amounts), bool)


def large_ones(amounts: Any, draws: Any) -> Any:
    return amounts > 200_000


def some_more(amounts: Any, draws: Any) -> Any:
    return draws < 0.03


def breached(run: int, share: float, least: int, looks: int, declines: Declines) -> bool:
    """Tell whether a canary of such a share is rolled back at one of its looks, each at twice the sample."""
    draw = np.random.default_rng((run, int(share * 100), least))
    arms = np.zeros(2, ARM)
    for look in range(looks):
        wanted = int(least / share * (1 if look == 0 else 2 ** (look - 1)))
        amounts, draws = amounts_of(draw, wanted), draw.random(wanted)
        sides = (draw.random(wanted) < share).astype(np.int64)
        refused = (draw.random(wanted) < RATE) | (declines(amounts, draws) & (sides == 1))
        enter(view(arms), sides, amounts, np.where(refused, 0, amounts))
        if differ(view(arms), TENTHS):
            return True
    return False


@pytest.mark.parametrize(
    ("share", "least", "runs"), [(0.5, 1000, 400), (0.5, 100, 300), (0.05, 1000, 120), (0.25, 3000, 101)]
)
def test_fewer_than_one_equal_canary_in_a_hundred_is_rolled_back(share: float, least: int, runs: int) -> None:
    found = [run for run in range(runs) if breached(run, share, least, 3, like_the_other)]

    assert len(found) * 100 < runs or not found, f"runs {found} of {runs}"


@pytest.mark.parametrize("declines", [large_ones, some_more])
def test_a_candidate_that_approves_clearly_less_is_found(declines: Declines) -> None:
    assert all(breached(run, 0.5, 36_000, 1, declines) for run in range(10))


def test_one_refusal_of_a_giant_says_nothing() -> None:
    arms = np.zeros(2, ARM)
    asked = np.full(2000, 100)
    asked[7] = AMOUNT_MAX
    sides = np.arange(2000) % 20 // 19
    sides[7] = 1
    approved = asked.copy()
    approved[7] = 0
    enter(view(arms), sides, asked, approved)

    assert statistic(arms)[0] > 3.5
    assert not differ(view(arms), TENTHS)


def main(runs: int) -> int:
    """Play so many canaries of each kind and print how many were rolled back; 1 where that is wrong."""
    kinds = (like_the_other, large_ones, some_more)
    counts = {
        kind.__name__: sum(breached(run, 0.05, 36_000, 1, kind) for run in range(runs)) for kind in kinds
    }
    for name, count in counts.items():
        print(f"{name.replace('_', ' ')}: {count} of {runs} rolled back")
    is_right = counts["like_the_other"] * 100 < runs and counts["large_ones"] == counts["some_more"] == runs
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
