"""A rule says the same as plain Python, generated and compiled, and none of its numbers leaves 64 bits."""

import ast
import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import count, islice
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from engine.rules.compiled import compile_set, source_of
from engine.rules.language.expressions import COMPARISONS
from engine.rules.language.intervals import OPERATIONS
from engine.rules.language.source import UserRule, judge, read
from engine.rules.samples import samples
from engine.rules.vocabulary import PARAM, PARAMS_MAX, RULES_MAX
from tests.engine.rules.authors import Author
from tests.engine.rules.watched import Watched, watched
from tests.engine.rules.words import IMPORTS, WORDS, source

OTHERS = (
    *(ast.If, ast.For, ast.Return, ast.Pass, ast.Assign, ast.AugAssign, ast.BoolOp, ast.IfExp, ast.Compare),
    *(ast.Call, ast.Not, ast.USub, ast.UAdd, ast.Expr),
)
IS_LONG = os.environ.get("PINION_LONG") == "1"
IS_REFUSED = re.compile("can leave 64 bits|more than 2000 parts")
"""Why a rule is refused that is else as it should be."""
SEEDS, SETS = (20_000, 30) if IS_LONG else (300, 1)
REQUESTS = 40
WRITTEN = 5
"""Random rules of a set that is compiled; simple ones fill it up to the last bit."""
Words = npt.NDArray[np.int64]


def taken(seed: int, name: str = "tried") -> UserRule | None:
    """Return the random rule of a seed, None where it leaves 64 bits."""
    text = IMPORTS + source(*Author(Random(seed)).lines(), name=name)
    rules, faults = judge({f"seed-{seed}.py": text}, WORDS)
    assert rules or IS_REFUSED.search(faults[0].reason), f"seed {seed}: {faults[0]}\n{text}"
    return rules[0] if rules else None


def requests(seed: int, rule_count: int = 1) -> tuple[Words, Words, Words]:
    """Return REQUESTS rows of p, ctx and params."""
    rng = np.random.default_rng(seed)
    p, ctx = (samples(ranges.values(), REQUESTS, rng) for ranges in (WORDS.fields, WORDS.context))
    return p, ctx, samples([PARAM] * PARAMS_MAX * rule_count, REQUESTS, rng)


def named(rule: UserRule, number: int, p: Words, ctx: Words, params: Words, of: type[int]) -> tuple[Any, ...]:
    """Return one request as objects with attributes; number : of the rule in its set."""
    own = params[number * PARAMS_MAX :]
    return tuple(
        SimpleNamespace(**{name: of(value) for name, value in zip(names, row.tolist(), strict=False)})
        for names, row in ((WORDS.fields, p), (WORDS.context, ctx), (rule.params, own))
    )


def generated(rules: Sequence[UserRule]) -> Any:
    """Return the generated code of a set as Python runs it."""
    names: dict[str, Any] = {}
    exec(source_of(rules), names)
    return names["rule_set"]


def agree(rule: UserRule, seed: int) -> Counter[bool]:
    """Assert that a rule says the same as plain Python, on numbers that watch themselves, and generated."""
    answers: Counter[bool] = Counter()
    watching, rule_set = watched(rule), generated([rule])
    for row in zip(*requests(seed), strict=True):
        plain = rule.plain(*named(rule, 0, *row, int))
        watching_says = watching(*named(rule, 0, *row, Watched))
        generated_says = bool(rule_set(*(each.tolist() for each in row)))
        assert watching_says == generated_says == plain, f"seed {seed}: {row}\n{rule.text}"
        answers[plain] += 1
    return answers


def test_plain_watched_and_generated_code_say_the_same() -> None:
    kinds: Counter[type[ast.AST]] = Counter()
    answers: Counter[bool] = Counter()
    for seed in range(SEEDS):
        rule = taken(seed)
        if rule is None:
            continue
        kinds.update(type(node) for node in ast.walk(rule.function))
        answers += agree(rule, seed)

    assert {*OPERATIONS, *COMPARISONS, *OTHERS} <= kinds.keys()
    assert min(answers.values()) > sum(answers.values()) / 10


@pytest.mark.parametrize("first", range(0, SETS * 10_000, 10_000))
def test_a_full_set_says_the_same_compiled(first: int, tmp_path: Path) -> None:
    written = filter(None, (taken(1_000_000 + first + seed, f"r{seed}") for seed in count()))
    simple = (taken_as(f"p.any < {number} * 10**17", f"s{number}") for number in range(RULES_MAX - WRITTEN))
    rules = (*islice(written, WRITTEN), *simple)

    made = compile_set(rules, tmp_path)

    columns = requests(first, len(rules))
    for row in zip(*columns, strict=True):
        bits = made.call(*row)
        plain = [rule.plain(*named(rule, number, *row, int)) for number, rule in enumerate(rules)]
        assert [bool(bits >> number & 1) for number in range(RULES_MAX)] == plain, f"{first}: {row}"
        assert bits == generated(rules)(*(each.tolist() for each in row))
    for number, rule in enumerate(rules[:WRITTEN]):
        same = np.ascontiguousarray(np.broadcast_to(columns[2][0], columns[2].shape))
        plain = [rule.plain(*named(rule, number, *row, int)) for row in zip(*columns[:2], same, strict=True)]
        assert made.rows(number, *columns[:2], same[0]).tolist() == plain, rule.text


def taken_as(expression: str, name: str) -> UserRule:
    """Return a rule that asks one thing."""
    return read(IMPORTS + source(f"return {expression}", name=name), WORDS, "simple.py")[0]
