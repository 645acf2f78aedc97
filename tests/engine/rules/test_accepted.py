"""What a rule may have means what it means in Python: tables of sources and what they say."""

from types import SimpleNamespace
from typing import Any

import pytest

from engine.rules.compiled import source_of
from engine.rules.language.source import UserRule, read
from engine.rules.vocabulary import INT64_MAX, INT64_MIN
from tests.engine.rules.words import IMPORTS, WORDS, file_of, rule_of, source

P = {
    "amount": 1000, "score": -1, "kind": 2, "account": INT64_MAX, "moment": 1_700_000_000_000,
    "any": INT64_MIN, "flag": 1, "debt": -7,
}  # fmt: skip
CTX = {"count": 3, "sum": 2**62, "age": -1}
VALUES = {
    "p.debt // 2": -4,
    "p.debt % 2": 1,
    "p.debt // -2": 3,
    "p.debt % -4": -3,
    "7 // MINUS": -3,
    "7 % MINUS": -2,
    "p.debt >> 1": -4,
    "p.debt & 15": 9,
    "p.debt | 8": -7,
    "p.debt ^ 1": -8,
    "abs(p.debt)": 7,
    "-p.debt": 7,
    "+p.flag": 1,
    "p.kind ** 10": 1024,
    "p.kind ** 0": 1,
    "(p.debt % -100) ** 3": -343,
    "1 << p.kind": 4,
    "1 << 62": 2**62,
    "-1 << 63": INT64_MIN,
    "2 ** 62 - 1 + 2 ** 62": INT64_MAX,
    "9223372036854775807": INT64_MAX,
    "p.any // 2": -(2**62),
    "max(p.any, -5)": -5,
    "min(p.kind, 1, p.score)": -1,
    "(p.flag == 1) + (p.kind == 2)": 2,
    "(p.flag == 0) * 5": 0,
    "True + True": 2,
    "not p.kind": 0,
    "not p.score + 1": 1,
    "p.kind and 7": 7,
    "(p.score + 1) and 7": 0,
    "p.kind or 7": 2,
    "(p.score + 1) or 7": 7,
    "(p.kind == 9) or p.kind": 2,
    "(p.kind == 2) and p.debt": -7,
    "1 < p.kind < 3": 1,
    "1 < p.kind < 2": 0,
    "1 < p.kind == 2 != 5": 1,
    "3 > p.kind > 1 < 5": 1,
    "SEVEN if p.flag else ONE": 7,
    "p.amount > params.limit": 1,
    "params.other": -5,
    'letter("C")': 2,
    "10 if p.score == -1 else p.score": 10,
    "(p.kind == 2) == p.flag": 1,
    "0x10 + 0b1 + 1_000": 1017,
}


def said(rule: UserRule) -> tuple[bool, bool]:
    """Return what a rule says of the request above: as plain Python, and as its generated code."""
    names: dict[str, Any] = {}
    exec(source_of([rule]), names)
    plain = rule.plain(*(SimpleNamespace(**each) for each in (P, CTX, rule.params)))
    return bool(plain), bool(names["rule_set"](*(list(each.values()) for each in (P, CTX, rule.params))))


@pytest.mark.parametrize(("expression", "value"), VALUES.items(), ids=VALUES)
def test_an_expression_is_what_it_is_in_python(expression: str, value: int) -> None:
    rule = rule_of(f"x = {expression}", f"return x // 2 == {value // 2} and x % 2 == {value % 2}")

    assert said(rule) == (True, True)


BODIES = {
    "nothing": ("pass", False),
    "a docstring": ("'''Says nothing.'''", False),
    "a docstring, then a return": ("'''Says yes.'''\n    return True", True),
    "a return of nothing": ("return", False),
    "a number": ("return 5", True),
    "zero": ("return p.score + 1", False),
    "a number below zero": ("return p.score", True),
    "the end": ("x = 1", False),
    "an early return": ("if p.kind == 2: return True\n    return False", True),
    "an early return that is not taken": ("if p.kind == 3: return True", False),
    "elif": ("if p.kind == 1: x = 0\n    elif p.kind == 2: x = 1\n    else: x = 0\n    return x", True),
    "else": ("if p.kind == 1: x = 0\n    elif p.kind == 3: x = 0\n    else: x = 1\n    return x", True),
    "a branch that returns leaves the other one's locals": (
        "if p.kind == 1: return 1\n    else: x = 1\n    return x == 1",
        True,
    ),
    "a loop": ("x = 0\n    for _ in range(5): x += 2\n    return x == 10", True),
    "a loop of a constant": ("x = 0\n    for _ in range(SEVEN * 9): x += 1\n    return x == 63", True),
    "a loop in a loop": (
        "x = 0\n    for _ in range(8):\n        for _ in range(8): x += 1\n    return x == 64",
        True,
    ),
    "a return out of loops": (
        "x = 0\n    for _ in range(8):\n        for _ in range(8):\n            x += 1\n"
        "            if x == 11: return True\n    return False",
        True,
    ),
    "a loop sets a local for what is behind it": ("for _ in range(2): x = p.kind\n    return x == 2", True),
    "two locals at once": ("x = y = p.kind\n    return x + y == 4", True),
    "annotations": ("x: int = 3\n    return x == 3", True),
    "a local that is a number, then a condition": ("x = 5\n    x = p.kind == 2\n    return x + 1 == 2", True),
    "locals with other letters": ("größe = 2\n    return größe == p.kind", True),
    "locals named like things in the code": ("bits = p_at = rule_0 = 1\n    return bits + p_at == 2", True),
    "every operation in place": (
        "x = 100\n    x -= 1\n    x *= 7\n    x //= 2\n    x %= 100\n    x **= 2\n    x <<= 2\n    x >>= 1\n"
        "    x |= 1\n    x &= 1023\n    x ^= 5\n"
        "    return x == (((693 // 2 % 100) ** 2 * 2 | 1) & 1023 ^ 5)",
        True,
    ),
}


@pytest.mark.parametrize(("body", "answer"), BODIES.values(), ids=BODIES)
def test_statements_do_what_they_do_in_python(body: str, answer: bool) -> None:
    assert said(rule_of(body)) == (answer, answer)


def test_a_file_has_a_docstring_imports_and_several_rules() -> None:
    text = f'"""Three rules."""\n\n{IMPORTS}' + "".join(
        source(f"return p.kind == {number}", name=name, params="{}")
        for number, name in enumerate(("one", "two", "three"), 1)
    )

    rules = read(text, WORDS, "three.py")

    assert [rule.name for rule in rules] == ["one", "two", "three"]
    assert [said(rule)[0] for rule in rules] == [False, True, False]


def test_lines_are_counted_as_python_counts_them() -> None:
    odd = file_of("x = 1  # a\x0cpage\u2028of its own", "return x").replace("\n", "\r\n")

    (rule,) = read(odd, WORDS, "windows.py")

    assert rule.text.splitlines()[0].startswith("@rule(")
    assert rule.text.endswith("    return x")
