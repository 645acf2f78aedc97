"""The guide to writing rules: its rules are taken, its answers are the check's, its tables are whole."""

import re
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

from engine.payments.rules.vocabulary import CONTEXT, FIELDS, VOCABULARY
from engine.rules.compiled import hash_of, source_of
from engine.rules.language.faults import RuleFault
from engine.rules.language.source import read, read_set
from ringbuf.kernel_cache import ROOT

GUIDE = (ROOT / "docs/writing-rules.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
RULES = [block for block in BLOCKS if "@rule(" in block]
NIGHT = RULES[0]
HEAD = """\
from pinion import DECLINE, country, rule
@rule("refused", code="USER_RULE", action=DECLINE)
def refused(p, ctx, params):
"""


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading row, each as its cells."""
    lines = GUIDE[GUIDE.index(heading) :].splitlines()[2:]
    rows = takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


REFUSED = [(row[0].strip("` "), row[1]) for row in table("| line | answer |")]


def test_every_rule_of_the_guide_is_taken_and_they_are_a_set() -> None:
    rules = read_set({f"{number}.py": block for number, block in enumerate(RULES)}, VOCABULARY)

    assert len(rules) == len(RULES) >= 5
    assert {rule.action for rule in rules} == set(VOCABULARY.actions)


def test_the_guide_shows_the_hash_of_its_first_rule() -> None:
    assert f"set {hash_of(read(NIGHT, VOCABULARY, 'night.py')).hex()}\n" in GUIDE


@pytest.mark.parametrize(
    ("name", "values", "answer"),
    [
        ("abroad_in_a_hurry", {"issuer_country": 5, "ip_country": 7, "card_1h": 3}, True),
        ("abroad_in_a_hurry", {"issuer_country": 5, "ip_country": -1, "card_1h": 3}, False),
        ("most_of_it", {"amount": 81, "available": 100}, True),
        ("most_of_it", {"amount": 80, "available": 100}, False),
        ("large_by_phone", {"channel": 3, "amount": 200_001, "exponent": 2}, True),
        ("large_by_phone", {"channel": 3, "amount": 2_001, "exponent": 0}, True),
        ("large_by_phone", {"channel": 3, "amount": 200_001, "exponent": 3}, False),
        ("large_by_phone", {"channel": 1, "amount": 200_001, "exponent": 2}, False),
        ("one_digit", {"amount": 77_777}, True),
        ("one_digit", {"amount": 777}, False),
        ("one_digit", {"amount": 77_747}, False),
        ("one_digit", {"amount": 888_888_888_888}, True),
    ],
)
def test_the_rules_of_the_guide_say_what_the_guide_says(
    name: str, values: dict[str, int], answer: bool
) -> None:
    (rule,) = [each for block in RULES for each in read(block, VOCABULARY, "guide.py") if each.name == name]
    names: dict[str, object] = {}
    exec(source_of([rule]), names)
    rule_set = names["rule_set"]
    assert callable(rule_set)

    p, ctx = ([values.get(word, 0) for word in words] for words in (FIELDS, CONTEXT))

    assert rule_set(p, ctx, list(rule.params.values())) == answer


def test_a_rule_is_tried_as_plain_python_as_the_guide_shows(tmp_path: Path) -> None:
    (trial,) = [block for block in BLOCKS if "from night import" in block]
    (tmp_path / "night.py").write_text(NIGHT)
    (tmp_path / "trial.py").write_text(f"import sys\nsys.path.append({str(ROOT)!r})\n{trial}")

    done = subprocess.run([sys.executable, "trial.py"], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("line", "answer"), REFUSED, ids=[line for line, _ in REFUSED])
def test_what_the_guide_calls_refused_is_refused_in_its_words(line: str, answer: str) -> None:
    with pytest.raises(RuleFault) as refused:
        read(f"{HEAD}    {line}\n", VOCABULARY, "refused.py")

    assert refused.value.reason.startswith(answer)


@pytest.mark.parametrize(
    ("heading", "words"), [("| field |", FIELDS), ("| number |", CONTEXT)], ids=["p", "ctx"]
)
def test_the_tables_name_everything_that_a_rule_is_given(heading: str, words: dict[str, object]) -> None:
    assert [row[0].strip("` ") for row in table(heading)] == list(words)


def test_the_guide_names_every_constant_action_and_code() -> None:
    named = set(re.findall(r"`([A-Z_]+)`", GUIDE))

    assert {*VOCABULARY.constants, *VOCABULARY.actions, *VOCABULARY.codes.values()} <= named
