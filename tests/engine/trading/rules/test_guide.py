"""docs/trading-rules.md says what is so: its rule runs, its tables are the vocabulary, its answers come."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from engine.rules.language.faults import RuleFault
from engine.rules.language.source import read
from engine.trading.rules.vocabulary import CONTEXT, FIELDS, VOCABULARY
from ringbuf.kernel_cache import ROOT
from tests.engine.trading.rules.library import NAMES, rule

GUIDE = (ROOT / "docs/trading-rules.md").read_text()
ANSWERS = [
    (row[1].replace("\\|", "|"), row[2])
    for row in re.finditer(
        r"^\| `([^`]+)` \| (.+) \|$", GUIDE.partition("## What is allowed")[2], re.MULTILINE
    )
    if row[1].startswith(("return", "while"))
]
HEAD = "from pinion import rule, symbol\n\n\n"


def table(head: str) -> list[str]:
    """Return the first column of the table with that head."""
    rows = GUIDE.partition(f"| {head} | what it is |")[2].splitlines()[2:]
    names = []
    for row in rows:
        if not row.startswith("| `"):
            break
        names.append(row.split("`")[1])
    return names


def test_the_tables_name_every_word_in_its_order() -> None:
    assert table("field of `order`") == list(FIELDS)
    assert table("number of `ctx`") == list(CONTEXT)
    assert all(f"`{name}`" in GUIDE for name in VOCABULARY.constants)


def test_the_rule_in_ten_lines_is_one_and_does_what_it_says() -> None:
    text = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)[0]

    (found,) = read(text, VOCABULARY, "clip.py")

    assert len(text.strip().splitlines()) <= 10
    assert (found.name, found.code, dict(found.params)) == ("max_clip", "MAX_CLIP", {"max": 500})
    params = SimpleNamespace(max=500)
    assert [found.plain(SimpleNamespace(qty=qty), SimpleNamespace(), params) for qty in (500, 501)] == [0, 1]
    names: dict[str, Any] = {}
    exec(text, names)  # as a test or a notebook would
    assert names["max_clip"](SimpleNamespace(qty=501), SimpleNamespace(), params)


@pytest.mark.parametrize(("line", "answer"), ANSWERS, ids=[line for line, _ in ANSWERS])
def test_what_is_refused_is_answered_so(line: str, answer: str) -> None:
    text = f'{HEAD}@rule("tried", reason="TRIED")\ndef tried(order, ctx, params):\n    {line}\n'

    with pytest.raises(RuleFault) as raised:
        read(text, VOCABULARY, "tried.py")

    assert raised.value.line == 6
    assert raised.value.reason.startswith(answer)


def test_the_guide_has_answers_and_every_rule_of_the_library() -> None:
    assert len(ANSWERS) == 6
    for name in NAMES:
        params = ", ".join(f"`{param}` {value}" for param, value in rule(name).params.items())
        assert f"| `{name}` | `{rule(name).code}` | {params} |" in GUIDE
