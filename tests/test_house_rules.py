"""The house style as tests: layers, sizes, names, kernels, docstrings, and the documents' paths."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("ringbuf", "engine", "gateways", "api", "perf", "tests")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
MATCH_LOOP_LINES_MAX = 120
MATCH_LOOPS = {("engine/trading/match.py", "walk")}
"""Functions that may have MATCH_LOOP_LINES_MAX lines."""

LAYERS = {
    "ringbuf": ("ringbuf",),
    "engine/*.py": ("ringbuf", "engine.*"),
    "engine/trading": ("ringbuf.seqlock", "engine.*", "engine.trading"),
    "engine/trading/prepare": ("ringbuf.atomics", "engine.*", "engine.trading"),
    "engine/trading/view": ("ringbuf.seqlock", "ringbuf.atomics", "engine.*", "engine.trading"),
    "engine/runtime": ("ringbuf", "engine.*", "engine.runtime"),
    "gateways": ("ringbuf", "engine.*", "engine.trading.view*", "gateways"),
    "api": ("ringbuf", "engine.*", "engine.trading.view*", "api"),
    "engine/cli": ("ringbuf", "engine", "gateways", "api", "perf"),
    "perf": ("ringbuf", "engine", "gateways", "api", "perf"),
}
"""Layer -> what it may import of ours. `engine.*` are the modules that lie directly in
engine; `engine.trading.view*` and `engine/trading/view*.py` are the read-only views of live state."""

OWN_PACKAGES = ("ringbuf", "engine", "gateways", "api", "perf", "tests", "pinion")
EXTERNAL_OF_TRADING = {"numpy", "numba"}
BANNED_MODULE_WORDS = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
BANNED_IMPORTS = {"pickle", "multiprocessing.shared_memory"}
SHARED_MEMORY_FILE = "ringbuf/segment.py"
BANNED_NJIT_OPTIONS = {"fastmath", "parallel", "error_model", "objmode"}
BANNED_KERNEL_NAMES = {
    *("prange", "jitclass", "objmode", "print", "open", "logging", "time"),
    *("dict", "set", "list", "float", "str"),
}
BANNED_KERNEL_TYPES = (
    *(ast.Dict, ast.Set, ast.List, ast.ListComp, ast.DictComp, ast.SetComp, ast.JoinedStr, ast.Try),
)
CLOCK_FOLDERS = ("ringbuf", "engine/runtime", "engine/port.py", "engine/cli", "perf")
"""Where kernels may read a clock: ring kernels, the loop, the port, the timed replay, benchmarks."""
KERNEL_CLOCKS = {"clock_realtime_ns", "clock_monotonic_ns", "cycle_count", "sleep_ns"}
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
DOCUMENT_PATH = re.compile(
    r"`((?:ringbuf|engine|gateways|api|tests|perf|docs|deploy)/[\w./-]*|\w[\w-]*\.(?:md|toml|py|lock))`"
)
DOCUMENT_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
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


def njit_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    """Return the decorator that makes a function a kernel."""
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Name) and called.id in ("njit", "jit"):
            return decorator
    return None


def kernels(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (function for function in functions(path) if njit_of(function) is not None)


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


def layer_of(path: Path) -> str | None:
    """Return the layer of LAYERS that a file belongs to."""
    name = name_of(path)
    if re.fullmatch(r"engine/\w+\.py", name):
        return "engine/*.py"
    if name.startswith(("engine/trading/prepare", "engine/trading/view")):
        return "engine/trading/view" if "view" in name else "engine/trading/prepare"
    return max((layer for layer in LAYERS if name.startswith(f"{layer}/")), key=len, default=None)


def may_import(layer: str, module: str) -> bool:
    """Tell whether a layer may import a module of ours."""
    for allowed in LAYERS[layer]:
        if allowed == "engine.*":
            if re.fullmatch(r"engine(\.\w+)?", module) and not (ROOT / module.replace(".", "/")).is_dir():
                return True
        elif allowed.endswith("*"):
            if module.startswith(allowed[:-1]):
                return True
        elif module == allowed or module.startswith(f"{allowed}."):
            return True
    return False


def report(found: list[str]) -> None:
    assert not found, "\n".join(["", *found])


def test_imports_point_down_only() -> None:
    report([
        f"{name_of(path)}:{line} imports {module}: {layer} may import {', '.join(LAYERS[layer])}"
        for path in files()
        for layer in [layer_of(path)]
        if layer is not None
        for line, module in imports(path)
        if module.split(".")[0] in OWN_PACKAGES and not may_import(layer, module)
    ])  # fmt: skip


def test_trading_imports_nothing_outside_but_numpy_and_numba() -> None:
    standard = {
        "collections",
        "dataclasses",
        "enum",
        "functools",
        "hashlib",
        "itertools",
        "math",
        "typing",
        "decimal",
    }
    report([
        f"{name_of(path)}:{line} imports {module}"
        for path in (ROOT / "engine/trading").rglob("*.py")
        for line, module in imports(path)
        if module.split(".")[0] not in {*OWN_PACKAGES, *EXTERNAL_OF_TRADING, *standard}
    ])  # fmt: skip


def test_shared_memory_and_pickle_stay_where_they_belong() -> None:
    report([
        f"{name_of(path)}:{line} imports {module}"
        for path in files()
        for line, module in imports(path)
        if module in BANNED_IMPORTS and not (module != "pickle" and name_of(path) == SHARED_MEMORY_FILE)
        and not name_of(path).startswith("tests/")
    ])  # fmt: skip


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
    ])  # fmt: skip


def test_kernels_are_cached_and_take_no_banned_options() -> None:
    found = []
    for path in files():
        if name_of(path).startswith("tests/"):
            continue
        for kernel in kernels(path):
            decorator = njit_of(kernel)
            given = {each.arg for each in decorator.keywords} if isinstance(decorator, ast.Call) else set()
            if "cache" not in given:
                found.append(f"{name_of(path)}:{kernel.lineno} {kernel.name}: @njit without cache=True")
            if given & BANNED_NJIT_OPTIONS:
                found.append(f"{name_of(path)}:{kernel.lineno} {kernel.name}: {given & BANNED_NJIT_OPTIONS}")
    report(found)


def test_kernels_use_no_banned_names_and_no_objects() -> None:
    found = []
    for path in files():
        if name_of(path).startswith("tests/"):
            continue
        for kernel in kernels(path):
            for node in (inner for statement in kernel.body for inner in ast.walk(statement)):
                where = f"{name_of(path)}:{getattr(node, 'lineno', kernel.lineno)} {kernel.name}"
                if isinstance(node, ast.Name) and node.id in BANNED_KERNEL_NAMES:
                    found.append(f"{where} uses {node.id}")
                elif isinstance(node, BANNED_KERNEL_TYPES):
                    found.append(f"{where} makes a {type(node).__name__}")
                elif isinstance(node, ast.Constant) and isinstance(node.value, float):
                    found.append(f"{where} uses the float {node.value}")
    report(found)


def test_pure_kernels_read_no_clock() -> None:
    report([
        f"{name_of(path)}:{node.lineno} {kernel.name} calls {node.id}"
        for path in files()
        if not name_of(path).startswith((*CLOCK_FOLDERS, "tests/"))
        for kernel in kernels(path)
        for node in ast.walk(kernel)
        if isinstance(node, ast.Name) and node.id in KERNEL_CLOCKS
    ])  # fmt: skip


def test_only_atomics_defines_intrinsics() -> None:
    allowed = {"ringbuf/atomics.py", "engine/trading/bits.py"}
    report([
        f"{name_of(path)}:{line}"
        for path in files()
        if name_of(path) not in allowed
        for line, module in imports(path)
        if module.startswith(("llvmlite", "numba.extending"))
    ])  # fmt: skip


def test_nothing_is_unfinished_or_skipped() -> None:
    report([
        f"{name_of(path)}:{number} {line.strip()}"
        for path in files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNFINISHED.search(line)
    ])  # fmt: skip


def test_every_silenced_check_is_named_and_says_why() -> None:
    report([
        f"{name_of(path)}:{number} {line.strip()}"
        for path in files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SILENCED.search(line) and not SILENCED_WITH_REASON.search(line)
    ])  # fmt: skip


def test_nothing_is_monkey_patched() -> None:
    report([
        name_of(path) for path in files() if path != Path(__file__) and PATCHED.search(path.read_text())
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
    report([each for each in found if not each.startswith("tests/test_house_rules.py")])


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def test_documents_name_only_paths_that_exist() -> None:
    known = {each for path in tracked() for each in (path, *path.parents)}  # a clone has no others
    report([
        f"{name_of(path)} names {named}"
        for path in documents()
        for pattern in (DOCUMENT_PATH, DOCUMENT_LINK)
        for named in pattern.findall(path.read_text())
        if not {(ROOT / named).resolve(), (path.parent / named).resolve()} & known
    ])  # fmt: skip


@pytest.mark.parametrize(
    "target", ["setup", "run", "test", "check", "lint", "types", "bench", "test-data", "clean"]
)
def test_the_makefile_has_the_targets_that_documents_promise(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
