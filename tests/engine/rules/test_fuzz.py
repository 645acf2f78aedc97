"""Files that are no rules, or nearly: what stands in them is told as a fault, or means the same compiled."""

import os
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from engine.rules.compiled import compile_set, source_of
from engine.rules.language.source import UserRule, judge
from tests.engine.rules.authors import Author
from tests.engine.rules.test_agreement import agree
from tests.engine.rules.words import IMPORTS, WORDS, source

SEEDS = 100_000 if os.environ.get("PINION_LONG") == "1" else 1_000
COMPILED = 4
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
FRAGMENTS = (
    "0x" + "f" * 5000,
    *("while p.flag:", "[1]", "{}", "(1, 2)", "'x'", "b''", "f'{p}'", "lambda: 1", "1.5", "1j"),
    *("None", "...", "import os", "from pinion import ONE", "global a", "del a", "try:", "with p:"),
    *("class A:", "yield", "await p", "p", "ctx", "params", "p.amount", "p.x", "ctx.count"),
    *("params.limit", "self", "__import__('os')", "eval('1')", "p.any", "2 ** 63"),
    *("9999999999999999999999999", "0", "-1", "~", "/", "//", "%", "**", "<<", ">>", "@", ":="),
    *("is", "in", "not", "for _ in range(64):", "for i in p:", "range(3)", "break", "continue"),
    *("return", "pass", "else:", "elif p:", "*", ",", ":", "(", ")", "\n", "    ", "\t", "\\", "#"),
    *('"', "\x00", "\ufeff", "\xe9", "\u2028", "_", "__class__", "min", "max", "abs"),
    *("letter('C')", "ONE", "MINUS", "STOP", "rule", "@rule", "def f(p, ctx, params):", "a"),
)


def spoilt(text: str, rng: Random) -> str:
    """Return a text with a few tokens left out, put in, doubled or exchanged."""
    tokens = TOKEN.findall(text)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at, other = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        way = rng.randrange(5)
        if way == 0:
            tokens[at] = ""
        elif way == 1:
            tokens[at] = rng.choice(FRAGMENTS)
        elif way == 2:
            tokens.insert(at, rng.choice(FRAGMENTS))
        elif way == 3:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        else:
            tokens.insert(at, tokens[other])
    return "".join(tokens)


def test_a_spoilt_file_is_a_fault_or_a_rule_that_says_the_same_compiled(tmp_path: Path) -> None:
    reasons: Counter[str] = Counter()
    taken: list[UserRule] = []
    for seed in range(SEEDS):
        rng = Random(seed)
        text = IMPORTS + source(*Author(rng).lines(), name=f"r{seed}")
        wrong = spoilt(text, rng)
        rules, faults = judge({f"seed-{seed}.py": wrong}, WORDS)
        reasons.update(each.reason[:20] for each in faults)
        assert rules or faults, f"seed {seed}: neither rule nor fault\n{wrong}"
        for rule in rules:
            agree(rule, seed)
            taken.append(rule)

    assert len(reasons) > 40
    assert len(taken) > SEEDS / 30
    for first in range(0, COMPILED * (SEEDS // 1_000), COMPILED):
        chosen = taken[first : first + COMPILED]
        assert compile_set(chosen, tmp_path).rules == tuple(chosen), source_of(chosen)


@pytest.mark.parametrize("seed", range(20))
def test_any_characters_at_all_are_a_fault(seed: int) -> None:
    rng = Random(seed)
    text = "".join(chr(rng.choice((rng.randrange(128), rng.randrange(0x11_0000)))) for _ in range(200))

    assert judge({"noise.py": text}, WORDS)[1]
