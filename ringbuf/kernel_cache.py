"""Compiled kernels are kept in a folder named after a hash of all that decides what they compile to.

numba's own cache looks at the file of a kernel alone: an edit in another file that the kernel
calls, inlines or takes a constant from goes unnoticed (numba issue 1833). So every state of our
kernel sources has a folder of its own: of the modules that make kernels, and of all modules of
ours that these import, directly or not. `ringbuf/njit.py` points numba there when it is imported,
ahead of the first kernel.

Parsing the sources takes a tenth of a second, reading them 5 ms: what was found for the files
as they are is noted beside the folders, under a hash of all of them.
"""

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config as untyped_config

from ringbuf.whole_files import write_atomically

config: Any = untyped_config

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ringbuf", "engine", "gateways", "api", "perf")
MAKERS = frozenset(
    {
        "ringbuf.njit.njit",
        "numba.extending.intrinsic",
        "numba.extending.overload",
        "ringbuf.kernel.kernel",
        "ringbuf.kernel.releasing",
        "ringbuf.kernel.inlined",
    }
)
"""A module that imports one of these makes kernels; tests/house_rules/kernels.py knows no other way."""
KEYS = "keys"
CACHED = 0o666
"""Mode of the cache's files, less what the umask takes away: several users may share one cache."""


def sources(root: Path = ROOT) -> list[Path]:
    """Return every module of the packages, in a fixed order."""
    return sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))


def kernel_sources(root: Path = ROOT) -> list[Path]:
    """Return the modules that decide what the kernels compile to, in a fixed order."""
    makers = (path for path in sources(root) if not MAKERS.isdisjoint(imported_names(path, root)))
    return with_imported(makers, root)


def with_imported(modules: Iterable[Path], root: Path = ROOT) -> list[Path]:
    """Return these modules and all of ours that they import, directly or not, in a fixed order."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        names = {*imported_names(path, root), ".".join(path.relative_to(root).with_suffix("").parts)}
        waiting.extend(file for name in names for file in files_of(name, root))
    return sorted(found)


def files_of(name: str, root: Path) -> Iterator[Path]:
    """Yield the files that an import of this dotted name runs: packages on the way, then the module."""
    if name.partition(".")[0] not in PACKAGES:
        return
    at = root
    for part in name.split("."):
        at /= part
        for file in (at / "__init__.py", at.with_suffix(".py")):
            if file.exists():
                yield file


def imported_names(path: Path, root: Path) -> frozenset[str]:
    """Return what a module imports anywhere, as dotted names: `from a import b` is a.b."""
    return _imported_names(path.read_bytes(), path.relative_to(root).parent.parts)


@cache
def _imported_names(source: bytes, package: tuple[str, ...]) -> frozenset[str]:
    names: set[str] = set()
    if b"import" not in source:
        return frozenset()
    for statement in _statements(ast.parse(source)):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            above = package[: len(package) - statement.level + 1] if statement.level else ()
            module = [*above, *([statement.module] if statement.module else [])]
            names |= {".".join([*module, alias.name]) for alias in statement.names}
    return frozenset(names)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements below a node, those within functions and branches too."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, name, ()):
            yield child
            yield from _statements(child)


def hash_of(files: Iterable[Path], root: Path = ROOT) -> str:
    """Return a hash of the names and the bytes of files."""
    digest = hashlib.blake2b(digest_size=8)
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def source_hash(root: Path = ROOT) -> str:
    """Return the hash of the kernel sources, noted from an earlier time if no file has changed since."""
    note = base_folder() / KEYS / hash_of(sources(root), root)
    try:
        return note.read_text()
    except OSError:
        found = hash_of(kernel_sources(root), root)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(note, found.encode(), mode=CACHED)
    except OSError:  # a cache that cannot be written: numba says so itself when it compiles
        pass
    return found


def base_folder() -> Path:
    """Return the folder of all caches: the one that the environment names, or the user's."""
    base = os.environ.get("PINION_KERNEL_CACHE") or os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base or os.path.join(home, "pinion", "kernels"))


def cache_folder() -> Path:
    """Return the folder of this state of the sources, this compiler and this kind of code.

    numba's cache does not tell code with bounds checks from code without.
    """
    compiler = f"{numba.__version__} {bool(config.BOUNDSCHECK)}"
    key = hashlib.blake2b(f"{compiler} {source_hash()}".encode(), digest_size=8).hexdigest()
    return base_folder() / key


def use_source_keyed_cache() -> None:
    """Point numba at the folder of this state of the sources."""
    config.CACHE_DIR = str(cache_folder())
