"""The house style as tests, all under one path: tests/house_rules/ holds them, an idea to a file."""

import ast
import importlib
from collections.abc import Callable

import pytest

from tests.house_rules.kernels import banned_in
from tests.house_rules.layers import may_import, room_of
from tests.house_rules.project import ROOT, imported, named

IDEAS = sorted(path.stem for path in (ROOT / "tests" / "house_rules").glob("*.py"))
RULES = [
    pytest.param(rule, id=f"{idea}.{name}")
    for idea in IDEAS
    for name, rule in vars(importlib.import_module(f"tests.house_rules.{idea}")).items()
    if name.startswith("test_")
]


@pytest.mark.parametrize("rule", RULES)
def test_house_rule(rule: Callable[[], None]) -> None:
    rule()


def test_no_rule_is_lost() -> None:
    assert len(RULES) >= 26


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("x = {}", "makes a Dict"),
        ("x = [i for i in range(3)]", "makes a ListComp"),
        ("x = (i for i in range(3))", "makes a GeneratorExp"),
        ("x = s.a / 2", "divides into a float"),
        ("x = 0.5", "uses the float 0.5"),
        ("print(s)", "uses print"),
        ("try:\n    pass\nfinally:\n    pass", "makes a Try"),
    ],
)
def test_what_a_kernel_may_not_use_is_found(statement: str, what: str) -> None:
    body = "".join(f"    {line}\n" for line in statement.splitlines())
    function = ast.parse(f"def step(s: Any, name: str) -> int:\n{body}    return 1\n").body[0]
    assert isinstance(function, ast.FunctionDef)

    assert [found for _, found in banned_in(function)] == [what]


@pytest.mark.parametrize(
    "source",
    [
        "import engine.runtime.loop",
        "from engine.runtime import loop",
        "from engine.runtime.loop import build",
        "import engine.runtime\nengine.runtime.loop.build()",
        "import engine.runtime as neutral\nneutral.loop.build()",
        "from engine import runtime\ndef run():\n    return [runtime.loop]",
        "import_module('engine.runtime.loop')",
        "MODULES = {'engine.runtime.loop': ('build',)}",
    ],
)
def test_an_import_is_seen_in_every_form(source: str) -> None:
    tree = ast.parse(source)

    assert "engine.runtime.loop" in {module for _, module in imported(tree) | named(tree)}
    assert not may_import("engine/trading", "engine/runtime/loop")


def test_a_folder_without_a_row_has_no_room() -> None:
    assert room_of("examples/first") is None
    assert room_of("engine/lending/records") is None
