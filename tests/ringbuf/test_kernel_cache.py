"""The kernels' cache folder changes with whatever changes the compiled code, and with nothing else."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringbuf.kernel_cache import KEYS, PACKAGES, ROOT, hash_of, kernel_sources

KEY = hash_of(kernel_sources())
SOURCES = [path.relative_to(ROOT) for path in kernel_sources()]


def python(program: str, **environment: str) -> str:
    """Return what a program prints, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def folder_in(**environment: str) -> str:
    return python("from ringbuf.kernel_cache import cache_folder; print(cache_folder())", **environment)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a copy of the packages' sources, to be edited."""
    root = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def key(root: Path) -> str:
    return hash_of(kernel_sources(root), root)


def with_a_constant_moved(source: str) -> str:
    """Return the module with its first number greater by 1; without one, change its text."""
    if not source:
        return "MORE = 1\n"
    constants = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    numbers = [node for node in constants if type(node.value) is int]
    node = (numbers or constants)[0]
    lines = source.splitlines(keepends=True)
    line = lines[node.lineno - 1]
    new = str(node.value + 1) if isinstance(node.value, int) else line[node.col_offset :].replace("e", "i", 1)
    end = node.end_col_offset if isinstance(node.value, int) else len(line)
    lines[node.lineno - 1] = line[: node.col_offset] + new + line[end:]
    return "".join(lines)


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_a_constant_moved_in_any_kernel_source_gives_another_key(copy: Path, module: Path) -> None:
    before, text = KEY, (copy / module).read_text()

    (copy / module).write_text(with_a_constant_moved(text))
    moved = key(copy)
    (copy / module).write_text(text)

    assert moved != before


MODULES_WITH_KERNELS = """
import importlib, pkgutil, sys
from numba.core.dispatcher import Dispatcher

names = []
for package in {packages}:
    for each in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if each.name.endswith("__main__"):
            continue
        values = list(vars(importlib.import_module(each.name)).values())
        names += {{v.py_func.__module__ for v in values if isinstance(v, Dispatcher)}}
names = sorted(each for each in set(names) if each.split(".")[0] in {packages})
names += ["engine.runtime.loop", "engine.contract.replica"]
print(*names)
"""
"""Asks numba itself which modules made kernels; the loop and the replay are bound later."""


def modules_with_kernels() -> Iterator[str]:
    yield from python(MODULES_WITH_KERNELS.format(packages=PACKAGES)).split()


def test_all_that_python_imports_for_a_kernel_is_in_the_key() -> None:
    names = list(modules_with_kernels())
    program = "\n".join(f"import {name}" for name in names) + (
        f"\nimport sys\nfor name, module in list(sys.modules.items()):\n"
        f"    if name.split('.')[0] in {PACKAGES}: print(module.__file__)"
    )

    imported = {Path(each).relative_to(ROOT) for each in python(program).split()}

    assert len(names) > 35
    assert imported <= set(SOURCES)
    for expected in (
        "ringbuf/layout.py",
        "engine/contract/batches.py",
        "engine/trading/records.py",
        "engine/__init__.py",
    ):
        assert Path(expected) in imported


def test_settings_files_doors_and_processes_are_not_in_the_key() -> None:
    inside = {path.as_posix() for path in SOURCES}

    assert (
        not {
            "engine/settings/config.py",
            "engine/contract/instance.py",
            "engine/contract/port.py",
            "ringbuf/segment.py",
        }
        & inside
    )
    assert not {each for each in inside if each.startswith(("gateways/", "api/"))}


@pytest.mark.parametrize(
    "statement",
    [
        "from engine import constants_of_ours",
        "import engine.constants_of_ours",
        "from engine.constants_of_ours import VALUE",
        "from .. import constants_of_ours",
        "from ..constants_of_ours import VALUE as V",
        "def later():\n    if True:\n        from engine.constants_of_ours import VALUE",
        "try:\n    pass\nexcept OSError:\n    import engine.constants_of_ours as c",
        "match 1:\n    case 1:\n        import engine.constants_of_ours as c",
    ],
)
def test_however_a_module_is_imported_it_counts(tmp_path: Path, statement: str) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
    (tmp_path / "engine" / "trading").mkdir()
    (tmp_path / "engine" / "trading" / "__init__.py").write_text("")
    (tmp_path / "engine" / "constants_of_ours.py").write_text("from engine.more import VALUE\n")
    (tmp_path / "engine" / "more.py").write_text("VALUE = 1\n")
    (tmp_path / "engine" / "unrelated.py").write_text('"""A kernel, njit, np.dtype( are words here."""\n')
    (tmp_path / "engine" / "trading" / "made.py").write_text(f"from ringbuf.njit import njit\n{statement}\n")

    found = [path.relative_to(tmp_path).as_posix() for path in kernel_sources(tmp_path)]

    assert found == [
        "engine/constants_of_ours.py",
        "engine/more.py",
        "engine/trading/__init__.py",
        "engine/trading/made.py",
    ]


def test_the_folder_lies_below_the_one_that_is_named(tmp_path: Path) -> None:
    assert folder_in(PINION_KERNEL_CACHE=str(tmp_path)).startswith(f"{tmp_path}/")


def test_checked_and_unchecked_code_are_kept_apart(tmp_path: Path) -> None:
    folders = {folder_in(PINION_KERNEL_CACHE=str(tmp_path), NUMBA_BOUNDSCHECK=checked) for checked in "01"}

    assert len(folders) == 2


def test_what_was_noted_is_what_would_be_found(tmp_path: Path) -> None:
    program = "from ringbuf.kernel_cache import source_hash; print(source_hash())"

    first, second = (python(program, PINION_KERNEL_CACHE=str(tmp_path)) for _ in range(2))

    (note,) = (tmp_path / KEYS).iterdir()
    assert first == second == note.read_text() == key(ROOT)


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / KEYS).write_text("a file where a folder should be")

    assert folder_in(PINION_KERNEL_CACHE=str(tmp_path)).startswith(f"{tmp_path}/")
