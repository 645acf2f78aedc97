"""Kernels: all that numba compiles is found, cached, free of what kernels may not use, and typed once.

The functions are found in the sources, by what decorates them or binds them (ringbuf/kernel.py),
and numba is asked for the ones it knows. The two must agree: a decorator by another name, or a
kernel made in another way, cannot hide from the rules.
"""

import ast
import importlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from numba.core.dispatcher import Dispatcher

from engine.contract import replica
from engine.runtime import loop
from engine.trading.application import trading
from engine.trading.capacities import Capacities
from ringbuf.kernel_cache import MAKERS, PACKAGES, imported_names
from ringbuf.njit import KernelCache
from tests.house_rules.project import ROOT, files, functions, imports, name_of, report, tree_of

DECORATORS = {"njit", "kernel", "releasing", "inlined", "apart"}
BINDERS = {"bind"}
PARTS = ("copy_batch", "hint", "journal_tick", "release_batch", "take_batch", "emit")
"""Kernels of the loop that are bound for each application."""
FOUND_AT_LEAST = {"njit": 85, "kernel": 117, "inlined": 47, "apart": 12, "bind": 7}
"""Fewer would mean that the rules no longer see what they saw on 2026-11-28."""
BANNED_OPTIONS = {"fastmath", "parallel", "error_model", "forceobj", "looplift"}
BANNED_NAMES = {
    *("prange", "jitclass", "objmode", "print", "open", "logging", "time"),
    *("dict", "set", "list", "float", "str"),
}
BANNED_TYPES = (
    *(ast.Dict, ast.Set, ast.List, ast.ListComp, ast.DictComp, ast.SetComp, ast.JoinedStr, ast.Try),
    *(ast.GeneratorExp, ast.Lambda, ast.With, ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal),
)
CLOCK_FOLDERS = ("ringbuf", "engine/runtime", "engine/contract/replica.py", "perf")
"""Where kernels may read a clock: ring kernels, the loop, the replica that times commands, benchmarks."""
CLOCKS = {"clock_realtime_ns", "clock_monotonic_ns", "cycle_count", "sleep_ns"}
OTHER_NAMES_OF_NUMBA = {
    *("numba.types", "numba.core.types.Integer", "numba.core.errors.TypingError", "numba.core.cgutils"),
    *("numba.core.config", "numba.core.runtime", "numba.np.numpy_support.carray"),
    *("numba.cpython.unsafe.numbers.leading_zeros", "numba.cpython.unsafe.numbers.trailing_zeros"),
}
"""What modules may import of numba besides MAKERS: it compiles nothing of ours."""
OF_NUMBA_ITSELF = (
    *("ringbuf/kernel.py", "pinion/cli/kernels.py", "ringbuf/kernel_cache.py", "ringbuf/njit.py"),
    "engine/rules/native.py",
)
"""Modules about compiling: how kernels are, what is shown of it, where they are kept; people's rules."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> list[Path]:
    return [path for path in files() if name_of(path).split("/")[0] in PACKAGES]


def decorator_of(function: Function) -> str | None:
    """Return the name of the decorator that makes a function a kernel."""
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Name) and called.id in DECORATORS:
            return called.id
    return None


def bound_in(path: Path) -> set[str]:
    """Return the functions that a module compiles by hand: the first argument of `bind`."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BINDERS:
            (function, *_) = node.args
            assert isinstance(function, ast.Name), f"{name_of(path)}:{node.lineno} binds no name"
            found.add(function.id)
    return found


@cache
def kernels() -> tuple[tuple[Path, Function, str], ...]:
    """Return every kernel of the packages, and what made it one."""
    found = []
    for path in sources():
        bound = bound_in(path)
        for function in functions(path):
            maker = "bind" if function.name in bound else decorator_of(function)
            if maker is not None:
                found.append((path, function, maker))
    return tuple(found)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def made_by_modules() -> list[Any]:
    """Return what numba compiles, or would, of all modules, once each."""
    made: dict[int, Any] = {}
    for path in sources():
        if path.name != "__main__.py":
            for value in vars(importlib.import_module(module_of(path))).values():
                if isinstance(value, Dispatcher) and value.py_func.__module__.split(".")[0] in PACKAGES:
                    made[id(value)] = value
    return list(made.values())


def parts_of(run: Any) -> list[Any]:
    """Return a compiled loop and the kernels that were bound for it."""
    return [run, *(run.py_func.__globals__[name] for name in PARTS)]


@cache
def dispatchers() -> tuple[Any, ...]:
    """Return every kernel that numba knows, those bound for the trading application included."""
    application = trading(Capacities())
    bound = [*parts_of(loop.build(application)), replica.build_batch(application)]
    return (*made_by_modules(), *bound)


def where(path: Path, node: Any, kernel: Function) -> str:
    return f"{name_of(path)}:{getattr(node, 'lineno', kernel.lineno)} {kernel.name}"


def test_the_rules_see_every_kernel_that_numba_knows() -> None:
    in_sources = Counter((module_of(path), function.lineno) for path, function, _ in kernels())
    known: Counter[tuple[str, int]] = Counter()
    for each in dispatchers():
        code = each.py_func.__code__
        first = code.co_firstlineno  # of its decorator, if it has one
        path = Path(code.co_filename)
        (line,) = [
            function.lineno
            for function in functions(path)
            if first in (function.lineno, *(each.lineno for each in function.decorator_list))
        ]
        known[module_of(path), line] += 1

    assert sorted(in_sources) == sorted(known)


def test_the_rules_see_as_many_kernels_as_they_did() -> None:
    found = Counter(maker for _, _, maker in kernels())

    report(
        [
            f"{maker}: {found[maker]} of {count}"
            for maker, count in FOUND_AT_LEAST.items()
            if found[maker] < count
        ]
    )


def test_kernels_are_made_in_no_other_way() -> None:
    report([
        f"{name_of(path)} imports {name}"
        for path in sources()
        if name_of(path) not in OF_NUMBA_ITSELF
        for name in sorted(imported_names(path, ROOT))
        if name.split(".")[0] == "numba" and name not in MAKERS | OTHER_NAMES_OF_NUMBA
    ])  # fmt: skip


def test_kernels_are_cached_and_take_no_banned_options() -> None:
    found = []
    for each in dispatchers():
        name = f"{each.py_func.__module__}.{each.py_func.__name__}"
        if not isinstance(each._cache, KernelCache):
            found.append(f"{name} is not cached")
        given = {option for option, value in each.targetoptions.items() if value} & BANNED_OPTIONS
        if given or not each.targetoptions.get("nopython"):
            found.append(f"{name}: {each.targetoptions}")
    report(found)


def banned_in(kernel: Function) -> Iterator[tuple[ast.AST, str]]:
    """Yield what a kernel may not use, in its body and in what its parameters are by default."""
    for node in (inner for part in [*kernel.body, kernel.args] for inner in ast.walk(part)):
        if isinstance(node, ast.Name) and node.id in BANNED_NAMES and not _is_annotation(node, kernel):
            yield node, f"uses {node.id}"
        elif isinstance(node, BANNED_TYPES):
            yield node, f"makes a {type(node).__name__}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node, f"uses the float {node.value}"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            yield node, "divides into a float"


def _is_annotation(node: ast.Name, kernel: Function) -> bool:
    annotations = [each.annotation for each in ast.walk(kernel.args) if isinstance(each, ast.arg)]
    return any(node is inner for each in annotations if each for inner in ast.walk(each))


def test_kernels_use_no_banned_names_and_no_objects() -> None:
    report([
        f"{where(path, node, kernel)} {what}"
        for path, kernel, _ in kernels()
        for node, what in banned_in(kernel)
    ])  # fmt: skip


def test_pure_kernels_read_no_clock() -> None:
    report([
        f"{where(path, node, kernel)} calls {node.id}"
        for path, kernel, _ in kernels()
        if not name_of(path).startswith(CLOCK_FOLDERS)
        for node in ast.walk(kernel)
        if isinstance(node, ast.Name) and node.id in CLOCKS
    ])  # fmt: skip


def test_only_the_files_named_here_define_intrinsics() -> None:
    allowed = {f"ringbuf/{name}.py" for name in ("atomics", "folding", "sleeping")} | {
        "engine/contract/bits.py",
        "engine/rules/loaded.py",
    }
    report([
        f"{name_of(path)}:{line}"
        for path in files()
        if name_of(path) not in allowed
        for line, module in imports(path)
        if module.startswith(("llvmlite", "numba.extending"))
    ])  # fmt: skip
