"""Sizes, names and docstrings of files and functions."""

import ast
import re
from collections import Counter
from pathlib import Path

from ringbuf.kernel_cache import PACKAGES
from tests.house_rules.project import ROOT, files, functions, name_of, report, tree_of

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
MATCH_LOOP_LINES_MAX = 120
MATCH_LOOPS = {("engine/trading/kernels/match.py", "walk")}
"""Functions that may have MATCH_LOOP_LINES_MAX lines."""
FOLDER_FILES_MAX = 16
LARGE_FOLDERS = {"engine/contract", "engine/payments/kernels", "engine/trading/kernels", "perf", "ringbuf"}
"""Folders with more files; ARCHITECTURE.md says why."""
APPLICATIONS = ("engine/payments/", "engine/trading/")
BANNED_MODULE_WORDS = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def test_every_package_says_that_it_is_typed() -> None:
    report([f"{name} has no py.typed" for name in PACKAGES if not (ROOT / name / "py.typed").is_file()])


def test_files_are_at_most_400_lines() -> None:
    report([
        f"{name_of(path)}: {count} lines"
        for path in files()
        for count in [len(path.read_text().splitlines())]
        if count > FILE_LINES_MAX
    ])  # fmt: skip


def test_functions_are_at_most_70_lines() -> None:
    def limit(path: Path, function: str) -> int:
        return MATCH_LOOP_LINES_MAX if (name_of(path), function) in MATCH_LOOPS else FUNCTION_LINES_MAX

    report([
        f"{name_of(path)}:{function.lineno} {function.name}: {count} lines"
        for path in files()
        for function in functions(path)
        for count in [function.end_lineno - function.lineno + 1 if function.end_lineno else 0]
        if count > limit(path, function.name)
    ])  # fmt: skip


def test_folders_have_few_files() -> None:
    counts = Counter(path.parent for path in files() if not name_of(path).startswith("tests/"))
    found = {name_of(folder): count for folder, count in counts.items() if count > FOLDER_FILES_MAX}
    report([f"{name}: {count} files" for name, count in found.items() if name not in LARGE_FOLDERS])
    text = (ROOT / "ARCHITECTURE.md").read_text()
    report(
        [f"ARCHITECTURE.md does not say why {name} is large" for name in found if f"`{name}/`" not in text]
    )


def test_no_module_has_a_name_that_says_nothing() -> None:
    report([
        name_of(path)
        for path in files()
        if BANNED_MODULE_WORDS & set(re.split(r"[/_.]", name_of(path)))
    ])  # fmt: skip


def test_every_module_begins_with_its_idea_in_one_line() -> None:
    found = []
    for path in files():
        if not path.read_text().strip() or path.name.startswith("test_"):  # tests' names are sentences
            continue
        text = ast.get_docstring(tree_of(path))
        first = text.splitlines()[0] if text else ""
        if not first or first[-1] not in ".:)":
            found.append(f"{name_of(path)}: first docstring line {first!r} is no sentence")
    report(found)


def test_every_public_function_says_what_it_does() -> None:
    report([
        f"{name_of(path)}:{function.lineno} {function.name} has no docstring"
        for path in files()
        if not name_of(path).startswith("tests/")
        for function in tree_of(path).body
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if not function.name.startswith("_") and ast.get_docstring(function) is None
        if "overload" not in [ast.unparse(decorator) for decorator in function.decorator_list]
    ])  # fmt: skip


def test_no_two_classes_have_one_name() -> None:
    found: dict[str, list[str]] = {}
    for path in files():
        if not name_of(path).startswith("tests/"):
            for node in tree_of(path).body:
                if isinstance(node, ast.ClassDef):
                    found.setdefault(node.name, []).append(name_of(path))
    report([
        f"{name}: in {', '.join(places)}"
        for name, places in found.items()
        if len(places) > 1 and not _are_of_different_applications(places)
    ])  # fmt: skip


def _are_of_different_applications(places: list[str]) -> bool:
    """Tell whether each file belongs to an application of its own: no module sees two of them."""
    owners = [place.split("/")[1] for place in places if place.startswith(APPLICATIONS)]
    return len(owners) == len(places) == len(set(owners))
