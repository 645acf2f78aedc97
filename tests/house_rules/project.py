"""The project's files as the house rules see them: paths, syntax trees, functions, imports."""

import ast
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)+")
GENERATED = re.compile(r"\..*(venv|cache)|\.hypothesis|__pycache__|build|var|.*\.egg-info")


@cache
def files() -> tuple[Path, ...]:
    """Return the Python files of the project, those of a new folder too."""
    return tuple(sorted(path for path in tracked() if path.suffix == ".py"))


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
    """Yield (line, module) of every import of a file, once."""
    yield from sorted(imported(tree_of(path)))


def imported(tree: ast.Module) -> set[tuple[int, str]]:
    """Return (line, module) of every import, and of every use of a module through a package.

    `from a import b` counts as a.b where that is a module, and so does `a.b` behind an `import a`.
    """
    found: set[tuple[int, str]] = set()
    modules: dict[str, str] = {}  # name in this file -> the module that it means
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.add((node.lineno, alias.name))
                package = alias.name.partition(".")[0]
                modules[alias.asname or package] = alias.name if alias.asname else package
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add((node.lineno, inner if is_module(inner) else node.module))
                if is_module(inner):
                    modules[alias.asname or alias.name] = inner
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return found | {(node.lineno, used) for node in attributes if (used := used_through(node, modules))}


def used_through(node: ast.Attribute, modules: Mapping[str, str]) -> str:
    """Return the module that an attribute is, as `runtime.loop` where `runtime` is a package; "" for none."""
    first, _, rest = ast.unparse(node).partition(".")
    name = f"{modules.get(first, '')}.{rest}"
    return name if MODULE.fullmatch(name) and is_module(name) else ""


def named(tree: ast.Module) -> set[tuple[int, str]]:
    """Return (line, module) of every text that is the name of a module, as lazy tables have them."""
    return {
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if MODULE.fullmatch(node.value) and is_module(node.value)
    }


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
