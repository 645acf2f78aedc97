"""The project's files as the house rules see them: paths, syntax trees, functions, imports."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ringbuf.kernel_cache import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (*PACKAGES, "pinion", "tests")
OWN_PACKAGES = FOLDERS
GENERATED = re.compile(r"\..*(venv|cache)|\.hypothesis|__pycache__|build|var|.*\.egg-info")


@cache
def files() -> tuple[Path, ...]:
    """Return the Python files of the project."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return tuple(sorted([*found, *ROOT.glob("*.py")]))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, module) of every import, once; `from a import b` counts as a.b where that is a module."""
    seen = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            seen |= {(node.lineno, alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                seen.add((node.lineno, inner if is_module(inner) else node.module))
    yield from sorted(seen)


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@cache
def tracked() -> tuple[Path, ...]:
    """Return what is, or would be, under version control; without git, all that is not generated."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # a source archive, or no git here
        found = [
            path
            for path in ROOT.rglob("*")
            if not any(GENERATED.fullmatch(part) for part in path.relative_to(ROOT).parts)
        ]
    return tuple(path for path in found if path.is_file())


def report(found: list[str]) -> None:
    assert not found, "\n".join(["", *found])
