"""Who may import whom, and what."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from ringbuf.kernel_cache import PACKAGES, imported_names, with_imported
from tests.house_rules.project import OWN_PACKAGES, ROOT, files, imports, name_of, report, tree_of

LAYERS = {
    "ringbuf": ("ringbuf",),
    "engine/*.py": ("ringbuf", "engine.*"),
    "engine/trading": ("ringbuf.seqlock", "engine.*", "engine.trading"),
    "engine/trading/prepare": ("ringbuf.atomics", "engine.*", "engine.trading"),
    "engine/trading/view": (
        "ringbuf.seqlock",
        "ringbuf.atomics",
        "ringbuf.njit",
        "engine.*",
        "engine.trading",
    ),
    "engine/runtime": ("ringbuf", "engine.*", "engine.runtime"),
    "gateways/process": ("engine.*", "gateways.process"),
    "gateways": ("ringbuf", "engine.*", "engine.trading.view*", "gateways"),
    "api": ("ringbuf", "engine.*", "engine.trading.view*", "gateways.process", "api"),
    "engine/cli": ("ringbuf", "engine", "gateways", "api", "perf"),
    "perf": ("ringbuf", "engine", "gateways", "api", "perf"),
}
"""Layer -> what it may import of ours. `engine.*` are the modules that lie directly in
engine; `engine.trading.view*` and `engine/trading/view*.py` are the read-only views of live state."""
REACHED_BY_TRADING = {
    *("numpy", "numba", "llvmlite"),  # llvmlite: the intrinsics
    *("collections", "dataclasses", "decimal", "enum", "functools", "itertools", "math", "types", "typing"),
    *("ast", "hashlib", "os", "pathlib", "pickle", "time"),  # the kernel cache, the ring kernels' clock
    "re",  # how numbers are spelt: the catalogue that the views make
}
"""What lies outside and is imported by engine/trading or by anything of ours that it imports."""
AT_HOME = {"pickle": "ringbuf/njit.py", "multiprocessing.shared_memory": "ringbuf/segment.py"}
"""Module -> the one file that imports it."""


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


def test_imports_point_down_only() -> None:
    report([
        f"{name_of(path)}:{line} imports {module}: {layer} may import {', '.join(LAYERS[layer])}"
        for path in files()
        for layer in [layer_of(path)]
        if layer is not None
        for line, module in imports(path)
        if module.split(".")[0] in OWN_PACKAGES and not may_import(layer, module)
    ])  # fmt: skip


def test_no_import_is_relative() -> None:
    report([
        f"{name_of(path)}:{node.lineno}"
        for path in files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ])  # fmt: skip


def test_trading_reaches_nothing_outside_but_numpy_numba_and_a_few_standard_modules() -> None:
    trading = sorted((ROOT / "engine/trading").rglob("*.py"))
    report([
        f"{name_of(path)} imports {name}, and engine/trading imports that file, directly or not"
        for path in with_imported(trading)
        for name in sorted(imported_names(path, ROOT))
        if name.split(".")[0] not in {*PACKAGES, *REACHED_BY_TRADING}
    ])  # fmt: skip


def test_trading_runs_without_the_modules_that_read_settings() -> None:
    names = ", ".join(
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "engine/trading").glob("[a-z]*.py"))
    )
    program = f"import sys, {names}; print(*sys.modules)"
    listed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert "engine.trading.apply" in listed
    report([name for name in ("msgspec", "aiohttp", "asyncpg", "engine.config") if name in listed])


def test_shared_memory_and_pickle_stay_where_they_belong() -> None:
    report([
        f"{name_of(path)}:{line} imports {module}"
        for path in files()
        for line, module in imports(path)
        if module in AT_HOME and name_of(path) != AT_HOME[module] and not name_of(path).startswith("tests/")
    ])  # fmt: skip
