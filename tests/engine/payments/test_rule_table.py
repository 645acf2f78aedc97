"""docs/payments.md names every rule, the file that it stands in, and tests that there are."""

import inspect
import re
from pathlib import Path
from typing import Any

from engine.payments.records import RULES, Rule
from engine.payments.rules.table import TABLE
from tests.engine.payments.test_rules import CASES

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| `(\w+)` \| (.+) \| `(engine/\S+)` \| (?:`(tests/\S+\.py)`)? ?\|$", re.MULTILINE)


def rows() -> list[tuple[str, str, str, str]]:
    return ROW.findall((ROOT / "docs" / "payments.md").read_text())


def test_every_rule_stands_in_the_document_in_its_order() -> None:
    assert tuple(name for name, *_ in rows()) == RULES


def test_every_rule_stands_in_the_file_that_the_document_names() -> None:
    files = {row.rule.name.lower(): Path(inspect.getfile(_plain(row.validate))) for row in TABLE}
    for name, _, file, _ in rows():
        assert (ROOT / file).exists()
        assert name not in files or files[name] == ROOT / file


def test_every_rule_has_cases_and_the_tests_named_beside_them_exist() -> None:
    tried = {rule.name.lower() for rule, *_ in CASES} | {Rule.IDEMPOTENCY.name.lower()}
    assert tried == set(RULES)
    for name, _, _, test in rows():
        assert not test or (ROOT / test).exists(), name


def _plain(function: Any) -> Any:
    return getattr(function, "py_func", function)
