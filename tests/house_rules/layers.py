"""Who may import whom, and what."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ringbuf.kernel_cache import PACKAGES, imported_names, with_imported
from tests.house_rules.project import ROOT, files, imports, name_of, named, report, tree_of
from tests.house_rules.rooms import NAMED, REACHED_BY_TRADING, ROOMS, WHOLE

AT_HOME = {"pickle": "ringbuf/njit.py", "multiprocessing.shared_memory": "ringbuf/segment.py"}
"""Module -> the one file that imports it."""


def room_of(name: str) -> str | None:
    """Return the room that a module belongs to, as engine/contract/port: its own, or its folder."""
    folder = name.rpartition("/")[0] if (ROOT / f"{name}.py").exists() else name
    return next((room for room in (name, folder) if room in ROOMS), None)


def may_import(room: str, module: str) -> bool:
    """Tell whether a room may import a module of ours, as engine/contract/port."""
    home = room_of(module)
    if home == room:
        return True
    return any(
        allowed in (home, module) or (allowed in WHOLE and module.startswith(f"{allowed}/"))
        for allowed in ROOMS[room]
    )


def arrows() -> Iterator[tuple[str, int, str]]:
    """Yield every import of ours by ours: (module, line, imported module), as engine/contract/port.

    A text that is the name of a module imports it, but for NAMED.
    """
    for name, path in modules().items():
        texts = {each for each in named(tree_of(path)) if slashed(each[1]) not in NAMED.get(name, ())}
        for line, module in sorted({*imports(path), *texts}):
            if (ROOT / module.partition(".")[0]).is_dir():  # of ours
                yield name, line, slashed(module)


def slashed(module: str) -> str:
    """Return the name of a module as engine/contract/port."""
    return module.replace(".", "/")


def modules() -> dict[str, Path]:
    """Return every module of ours but the tests, by its name as engine/contract/port."""
    found = {name_of(path)[: -len(".py")].removesuffix("/__init__"): path for path in files()}
    return {name: path for name, path in found.items() if not name.startswith("tests/")}


def test_every_module_has_a_room() -> None:
    report([f"{name}: no row of ROOMS" for name in modules() if room_of(name) is None])


def test_what_is_named_in_a_text_alone_is_named() -> None:
    report([
        f"{name} names no {module}"
        for name, allowed in NAMED.items()
        for module in allowed
        if module not in {slashed(each) for _, each in named(tree_of(modules()[name]))}
    ])  # fmt: skip


def test_imports_point_down_only() -> None:
    report([
        f"{name}.py:{line} imports {module}: {room} may import {', '.join(ROOMS[room])}"
        for name, line, module in arrows()
        for room in [room_of(name)]
        if room is not None and not may_import(room, module)
    ])  # fmt: skip


def test_what_a_room_may_import_stands_below_it() -> None:
    rooms = list(ROOMS)
    report([
        f"{room} may import {allowed}, which stands above it"
        for i, room in enumerate(rooms)
        for allowed in ROOMS[room]
        if allowed not in WHOLE and room_of(allowed) in rooms[i + 1 :]
    ])  # fmt: skip


def test_of_the_kernels_only_the_hints_know_how_memory_works() -> None:
    report([
        f"{name}.py:{line} imports {module}"
        for name, line, module in arrows()
        if name.startswith("engine/trading/kernels/") and module == "ringbuf/atomics"
        if not name.endswith("/prepare")
    ])  # fmt: skip


def test_no_import_is_relative() -> None:
    report([
        f"{name_of(path)}:{node.lineno}"
        for path in files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ])  # fmt: skip


def test_kernels_reach_nothing_outside_but_numpy_numba_and_a_few_standard_modules() -> None:
    trading = sorted((ROOT / "engine/trading/kernels").glob("*.py"))
    report([
        f"{name_of(path)} imports {name}, and engine/trading/kernels imports that file, directly or not"
        for path in with_imported(trading)
        for name in sorted(imported_names(path, ROOT))
        if name.split(".")[0] not in {*PACKAGES, *REACHED_BY_TRADING}
    ])  # fmt: skip


def test_kernels_run_without_the_modules_that_read_settings() -> None:
    names = ", ".join(
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "engine/trading/kernels").glob("[a-z]*.py"))
    )
    program = f"import sys, {names}; print(*sys.modules)"
    listed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert "engine.trading.kernels.apply" in listed
    report([name for name in ("msgspec", "aiohttp", "asyncpg", "engine.settings.config") if name in listed])


def test_shared_memory_and_pickle_stay_where_they_belong() -> None:
    report([
        f"{name_of(path)}:{line} imports {module}"
        for path in files()
        for line, module in imports(path)
        if module in AT_HOME and name_of(path) != AT_HOME[module] and not name_of(path).startswith("tests/")
    ])  # fmt: skip
