"""A vocabulary of its own that tests of rules use, and a short way to write a rule in it."""

from engine.rules.language.source import UserRule, read
from engine.rules.vocabulary import BIT, INT64, INT64_MAX, Range, Vocabulary


def letter(text: str) -> int:
    """Return the place of a capital in the alphabet."""
    if len(text) != 1 or not "A" <= text <= "Z":
        raise ValueError(f'letter("{text}"): give one capital, such as "C"')
    return ord(text) - ord("A")


WORDS = Vocabulary(
    fields={
        "amount": Range(1, 10**12 - 1),
        "score": Range(-1, 1000),
        "kind": Range(1, 4),
        "account": Range(1, INT64_MAX),
        "moment": Range(0, INT64_MAX // 10**6),
        "any": INT64,
        "flag": BIT,
        "debt": Range(-(10**9), -1),
    },
    context={"count": Range(0, 2**31), "sum": Range(0, 2**62), "age": Range(-1, 10**13)},
    constants={"ONE": 1, "SEVEN": 7, "MINUS": -3, "NOTHING": 0, "LARGE": 10**9 + 7},
    functions={"letter": letter},
    actions={"STOP": 2, "LOOK": 3},
    codes={"STOP": "STOPPED", "LOOK": "LOOKED_AT"},
    taken=frozenset({"built_in"}),
)
IMPORTS = f"from pinion import {', '.join(('rule', *sorted(WORDS.names)))}\n"
PARAMS = '{"limit": 100, "other": -5}'


def source(*lines: str, name: str = "tried", params: str = PARAMS) -> str:
    """Return the text of a rule of these lines; the first of them is its fourth."""
    head = f'@rule("{name}", code="STOPPED", action=STOP, params={params})\ndef {name}(p, ctx, params):\n'
    return head + "".join(f"    {line}\n" for line in lines)


def file_of(*lines: str) -> str:
    """Return a file of one rule; the first of its lines stands in line 4."""
    return IMPORTS + source(*lines)


def rule_of(*lines: str) -> UserRule:
    """Return a rule of these lines; RuleFault where it is not taken."""
    (rule,) = read(file_of(*lines), WORDS, "tried.py")
    return rule
