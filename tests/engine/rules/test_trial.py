"""Trials: what they count, and what they refuse."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.rules.compiled import CompiledSet, compile_set
from engine.rules.language.source import read_set
from engine.rules.samples import samples
from engine.rules.trial import NS_MAX, DisagreementError, SlowRuleError, Tried, require_fast, tried
from engine.rules.vocabulary import BIT, INT64, Range
from tests.engine.rules.words import IMPORTS, WORDS, rule_of, source

COUNT = 500
RNG_SEED = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> CompiledSet:
    text = source("return p.kind == 2", name="twos") + source("return ctx.count > params.limit", name="many")
    return compile_set(read_set({"two.py": IMPORTS + text}, WORDS), tmp_path_factory.mktemp("rules"))


def requests() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(RNG_SEED)
    return samples(WORDS.fields.values(), COUNT, rng), samples(WORDS.context.values(), COUNT, rng)


def test_a_trial_counts_what_each_rule_matches(made: CompiledSet) -> None:
    p, ctx = requests()

    found = tried(made, p, ctx)

    kinds, counts = p[:, list(WORDS.fields).index("kind")], ctx[:, list(WORDS.context).index("count")]
    assert [(each.rule.name, each.matched) for each in found] == [
        ("twos", int((kinds == 2).sum())), ("many", int((counts > 100).sum())),
    ]  # fmt: skip
    assert all(0 < each.matched < COUNT and each.ns > 0 for each in found)


def test_a_rule_that_says_something_else_compiled_is_told_with_the_request(made: CompiledSet) -> None:
    other = replace(made.rules[0], plain=rule_of("return p.kind == 3").plain)
    wrong = replace(made, rules=(other, made.rules[1]))

    with pytest.raises(
        DisagreementError, match=r"rule twos: compiled it says [01], plain [01]; .* p = \{'amount'"
    ):
        tried(wrong, *requests())


def test_a_slow_rule_is_refused_with_its_mend(made: CompiledSet) -> None:
    fast = Tried(made.rules[0], 1, NS_MAX)
    require_fast([fast])

    with pytest.raises(
        SlowRuleError, match=r"two\.py:3: rule twos: takes 201 ns, and may take 200; let its loops"
    ):
        require_fast([fast, fast._replace(ns=201.0)])


def test_a_rule_of_many_rounds_takes_longer_than_a_rule_may(tmp_path: Path) -> None:
    lines = (
        "x = p.amount",
        *["for _ in range(64):", *["    x = (x * 31 + p.kind) % 1000003"] * 8],
        "return x == 7",
    )

    (found,) = tried(compile_set([rule_of(*lines)], tmp_path), *requests())

    assert found.ns > NS_MAX


@pytest.mark.parametrize(
    "of", [INT64, BIT, Range(5, 5), Range(-9, -3), Range(7, 10**12), Range(-1, 2**31)], ids=str
)
def test_samples_lie_in_their_range_and_reach_its_ends(of: Range) -> None:
    (column,) = samples([of], 2_000, np.random.default_rng(RNG_SEED)).T

    assert column.dtype == np.int64
    assert (int(column.min()), int(column.max())) == of


def test_samples_are_small_numbers_as_well_as_large_ones() -> None:
    (column,) = samples([Range(0, 10**12)], 2_000, np.random.default_rng(RNG_SEED)).T

    assert (column < 10).mean() > 0.3
    assert (column > 10**6).mean() > 0.1
