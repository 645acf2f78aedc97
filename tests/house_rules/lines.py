"""What no line of the project says: unfinished work, silent exceptions, patches, a machine's paths."""

import ast
import re
from pathlib import Path

from tests.house_rules.project import files, functions, name_of, report, tracked, tree_of

UNFINISHED = re.compile(
    r"#.*\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|pytest\.(skip|xfail)|mark\.(skip|xfail)"
)
SILENCED = re.compile(r"#\s*(noqa|type:\s*ignore|mypy:)")
SILENCED_WITH_REASON = re.compile(
    r"# (noqa: [A-Z]+\d+(, [A-Z]+\d+)*|type: ignore\[[\w-]+(, [\w-]+)*\])[ #-]+\w"
)
"""What pyproject.toml does not settle names the check and the reason; `mypy:` belongs there always."""
PATCHED = re.compile(r"\bmonkeypatch\b|\bunittest\.mock\b|\bfrom unittest import mock\b")
MACHINE_PATH = re.compile(r"(^|[\s\"'`(=])/(work|farm)/")
RULES = Path(__file__)
"""Where such words are the rules themselves."""


def test_nothing_is_unfinished_or_skipped() -> None:
    report([
        f"{name_of(path)}:{number} {line.strip()}"
        for path in files()
        if path != RULES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNFINISHED.search(line)
    ])  # fmt: skip


def test_every_silenced_check_is_named_and_says_why() -> None:
    report([
        f"{name_of(path)}:{number} {line.strip()}"
        for path in files()
        if path != RULES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SILENCED.search(line) and not SILENCED_WITH_REASON.search(line)
    ])  # fmt: skip


def test_nothing_is_monkey_patched() -> None:
    report([
        name_of(path) for path in files() if path != RULES and PATCHED.search(path.read_text())
    ])  # fmt: skip


def test_no_bare_except_and_no_assertion_caught() -> None:
    found = []
    for path in files():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else ""
                if not caught or "AssertionError" in caught:
                    found.append(f"{name_of(path)}:{node.lineno} except {caught or '(bare)'}")
    report(found)


def test_no_mutable_defaults_and_no_star_imports() -> None:
    found = []
    for path in files():
        for function in functions(path):
            defaults = [*function.args.defaults, *(each for each in function.args.kw_defaults if each)]
            if any(isinstance(each, ast.List | ast.Dict | ast.Set) for each in defaults):
                found.append(f"{name_of(path)}:{function.lineno} {function.name} has a mutable default")
        found += [
            f"{name_of(path)}:{node.lineno} imports *"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
        ]
    report(found)


def test_no_path_of_a_builders_machine_is_in_the_project() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:  # a binary file names no paths
            continue
        found += [
            f"{name_of(path)}:{number}"
            for number, line in enumerate(text.splitlines(), 1)
            if MACHINE_PATH.search(line)
        ]
    report([each for each in found if not each.startswith(f"{name_of(RULES)}:")])
