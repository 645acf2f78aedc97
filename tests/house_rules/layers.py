"""Who may import whom, and what."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ringbuf.kernel_cache import PACKAGES, imported_names, with_imported
from tests.house_rules.project import ROOT, files, imports, name_of, named, report, tree_of

RUNTIME = ("ringbuf", "engine/contract", "engine/settings", "engine/runtime")
DOORS = (
    *("ringbuf", "engine/contract", "engine/settings", "engine/text"),
    *("engine/trading", "engine/trading/view"),
)
API = (*DOORS, "gateways/process", "api/process", "api")
CLI = ("ringbuf", "engine", "gateways", "perf/flow", "pinion/cli")
ANY_APPLICATION = (
    *("ringbuf", "engine/contract", "engine/settings", "engine/text", "engine/runtime"),
    *("engine/runtime/journal", "engine/runtime/replay", "engine/runtime/processes"),
    *("engine/runtime/upkeep", "engine/runtime/supervision"),
)
"""What tools may import that serve the data folders of any application."""
IMPORT_NOTHING = (
    *("ringbuf", "engine", "engine/text", "engine/rules/vocabulary", "gateways", "perf/histogram"),
    *("perf/bare_http", "perf/http_generator", "pinion/cli/payments/place"),
)
ROOMS = {
    **dict.fromkeys(IMPORT_NOTHING, ()),
    "engine/contract": ("ringbuf",),
    "engine/settings": ("engine/contract",),
    "engine/rules/language": ("engine/contract/errors", "engine/rules/vocabulary"),
    "engine/rules": ("ringbuf", "engine/contract/errors", "engine/rules/language", "engine/rules/vocabulary"),
    "engine/trading": (
        *("engine/contract/records", "engine/contract/rows", "engine/contract/spread"),
        "engine/text",
    ),
    "engine/trading/kernels": (
        *("ringbuf/atomics", "ringbuf/kernel", "ringbuf/layout", "ringbuf/seqlock"),
        *("engine/contract/batches", "engine/contract/bits", "engine/contract/records"),
        *("engine/contract/spread", "engine/contract/state_layout", "engine/trading"),
    ),
    "engine/trading/view": (
        *("ringbuf/atomics", "ringbuf/njit", "ringbuf/seqlock"),
        *("engine/contract/bits", "engine/contract/state_turn", "engine/trading", "engine/trading/kernels"),
    ),
    "engine/trading/history": (
        *("ringbuf/kernel", "engine/contract/projection"),
        *("engine/trading", "engine/trading/kernels"),
    ),
    "engine/trading/neutral_digest": ("engine/trading", "engine/trading/view"),
    "engine/trading/application": (
        *("engine/contract/application", "engine/trading"),
        *("engine/trading/kernels", "engine/trading/history"),
    ),
    "engine/trading/offline": (
        *("ringbuf", "engine/contract", "engine/trading", "engine/trading/kernels"),
        *("engine/trading/neutral_digest", "engine/trading/application"),
    ),
    "engine/trading/settings": ("engine/settings", "engine/trading/capacities"),
    "engine/trading/demo": ("engine/settings", "engine/trading/settings"),
    "engine/trials": ("ringbuf/kernel",),
    "engine/payments": ("engine/contract/records", "engine/contract/spread", "engine/trials/records"),
    "engine/payments/rules/words": ("engine/payments",),
    "engine/payments/rules": ("ringbuf/kernel", "engine/payments"),
    "engine/payments/rules/vocabulary": (
        *("engine/rules/vocabulary", "engine/payments", "engine/payments/rules/words"),
    ),
    "engine/payments/rules/workshop": (
        *("engine/contract/errors", "engine/rules", "engine/rules/language"),
        "engine/payments/rules/vocabulary",
    ),
    "engine/payments/kernels": (
        *("ringbuf/atomics", "ringbuf/kernel", "ringbuf/layout", "ringbuf/seqlock"),
        *("engine/contract/batches", "engine/contract/records", "engine/contract/spread"),
        *("engine/contract/state_layout", "engine/trials"),
        *("engine/payments", "engine/payments/rules"),
        *("engine/payments/rules/vocabulary", "engine/rules/loaded", "engine/rules/vocabulary"),
        "engine/contract/bits",
    ),
    "engine/payments/view": (
        *("ringbuf/seqlock", "engine/contract/state_turn", "engine/payments", "engine/payments/kernels"),
        "engine/trials/records",
    ),
    "engine/payments/history": (
        *("ringbuf/kernel", "engine/contract/projection"),
        *("engine/payments", "engine/payments/kernels"),
    ),
    "engine/payments/application": (
        *("engine/contract/application", "engine/payments", "engine/payments/kernels"),
        *("engine/payments/history", "engine/payments/rules/vocabulary"),
        *("engine/rules/loader", "engine/rules/stored"),
    ),
    "engine/payments/fleet_settings": ("engine/settings", "engine/payments"),
    "engine/payments/settings": (
        "engine/settings",
        "engine/payments",
        "engine/payments/fleet_settings",
    ),
    "engine/runtime": RUNTIME,
    "engine/runtime/journal": RUNTIME,
    "engine/runtime/replay": (*RUNTIME, "engine/runtime/journal"),
    "engine/runtime/history": RUNTIME,
    "engine/runtime/processes": (
        *RUNTIME,
        *("engine/runtime/journal", "engine/runtime/replay", "engine/runtime/history"),
    ),
    "engine/runtime/upkeep": (*RUNTIME, "engine/runtime/journal", "engine/runtime/replay"),
    "engine/runtime/supervision": (
        *RUNTIME,
        *("engine/runtime/journal", "engine/runtime/history", "engine/runtime/processes"),
    ),
    "gateways/process": ("engine/contract", "engine/settings"),
    "gateways/commands": ("ringbuf/bells", "engine/contract", "engine/settings", "gateways/process"),
    "gateways/json_lines": (
        "engine/contract/records",
        "engine/contract/rows",
        "engine/text",
        "engine/trading",
    ),
    "gateways/files": ("engine/contract/errors", "engine/trading"),
    "gateways/feed": (*DOORS, "gateways/json_lines", "gateways/files"),
    "gateways/entry": (
        *("ringbuf/seqlock", "engine/contract", "engine/text"),
        *("engine/trading", "engine/trading/view", "gateways/commands", "gateways/json_lines"),
    ),
    "gateways/http": (
        *("engine/contract", "engine/settings", "engine/text", "engine/trading"),
        *("gateways/process", "gateways/commands", "gateways/json_lines", "gateways/entry"),
    ),
    "gateways/payments": (
        *("engine/contract", "engine/payments", "engine/payments/view"),
        "engine/rules/stored",
    ),
    "gateways/payments/rule_forms": (
        *("engine/payments", "engine/payments/settings", "engine/payments/view", "engine/settings"),
        *("engine/trials/records", "engine/rules/vocabulary", "gateways/payments"),
    ),
    "gateways/payments/rule_documents": (
        *("engine/payments/view", "engine/trials/records", "gateways/payments"),
        "gateways/payments/rule_forms",
    ),
    "gateways/payments/setup": (
        *("engine/payments", "engine/rules/params", "engine/rules/vocabulary", "gateways/payments"),
    ),
    "gateways/payments/setup_lines": (
        *("engine/contract/errors", "engine/text", "engine/payments", "engine/rules/stored"),
        *("gateways/payments", "gateways/payments/setup"),
    ),
    "gateways/payments/door": (
        *("ringbuf/seqlock", "engine/contract", "engine/settings", "engine/text", "engine/payments"),
        *("engine/payments/view", "gateways/process", "gateways/commands"),
        *("gateways/payments", "gateways/payments/setup_lines"),
        *("gateways/payments/rule_forms", "gateways/payments/rule_documents", "engine/trials/records"),
        *("engine/rules/orders", "engine/rules/stored", "engine/payments/rules/workshop"),
    ),
    "gateways/payments/forward": (
        *("ringbuf/seqlock", "engine/contract", "engine/settings", "engine/payments"),
        *("gateways/payments", "gateways/payments/door"),
    ),
    "gateways/payments/serve": (
        *("engine/contract", "engine/settings", "engine/payments", "engine/payments/view"),
        *("gateways/process", "gateways/commands", "gateways/payments", "gateways/payments/door"),
        "gateways/payments/forward",
    ),
    "gateways/iso8583": (
        *("ringbuf/seqlock", "engine/contract", "engine/settings", "engine/payments"),
        *("engine/payments/view", "engine/payments/settings", "gateways/process", "gateways/commands"),
        *("gateways/payments", "gateways/payments/door", "gateways/payments/forward"),
    ),
    "gateways/fleet/scripts": ("engine/payments", "engine/payments/view"),
    "gateways/fleet": (
        *("engine/contract", "engine/settings", "engine/payments", "engine/payments/fleet_settings"),
        *("engine/payments/view", "engine/rules/stored", "ringbuf/seqlock", "ringbuf/whole_files"),
        *("gateways/commands", "gateways/payments", "gateways/payments/door"),
        *("gateways/payments/rule_forms", "gateways/fleet/scripts"),
    ),
    "api/process": ("ringbuf", "engine/contract", "engine/settings", "engine/text", "gateways/process"),
    "api": API,
    "api/past": API,
    "api/streams": API,
    "api/queries": (*API, "api/past", "api/streams"),
    "api/pages": (*API, "api/past", "api/streams", "api/queries"),
    "api/serve": (*API, "api/past", "api/streams", "api/queries", "api/pages"),
    "api/payments": (
        *("ringbuf/seqlock", "engine/contract", "engine/settings", "engine/text"),
        *("engine/payments", "engine/payments/view", "engine/trials/records", "engine/rules/stored"),
        *("gateways/payments/replies", "gateways/payments/rule_documents"),
        *("gateways/payments/rule_names", "gateways/process/problems", "api/process"),
    ),
    "perf/stalls": ("perf/histogram",),
    "perf/load_payments": (
        *("engine/contract/errors", "perf/histogram", "perf/stalls", "perf/http_generator"),
    ),
    "perf/flow": ("ringbuf/njit", "engine/contract/records", "engine/trading"),
    "perf/traffic": (),
    "perf/traffic/stories": ("perf/traffic",),
    "perf/traffic/profile": ("perf/traffic", "perf/traffic/stories"),
    "perf/traffic/traffic": ("perf/traffic", "perf/traffic/profile"),
    "pinion/capture": (
        *("engine/contract/errors", "engine/contract/stop_signals", "engine/runtime/journal/disk"),
        "gateways/payments/values",
    ),
    "pinion/parity": (
        *("engine/contract/errors", "engine/payments", "gateways/payments"),
        *("gateways/payments/door/refusals", "gateways/payments/door/routes", "pinion/capture"),
    ),
    "pinion/parity/deciding": (
        *("engine/contract", "engine/text", "engine/payments", "engine/payments/view"),
        *("engine/payments/application", "gateways/payments", "gateways/payments/setup_lines"),
        *("gateways/payments/door/reads", "gateways/payments/door/routes", "pinion/parity"),
    ),
    "pinion/parity/asking": (*("engine/contract/errors", "gateways/payments/door/routes", "pinion/parity"),),
    "pinion/parity/report": ("engine/contract/errors", "pinion/parity"),
    "pinion/parity/minimise": (
        *("engine/contract/errors", "pinion/capture", "pinion/parity"),
        *("pinion/parity/deciding", "pinion/parity/asking"),
    ),
    "pinion/cli": (*ANY_APPLICATION, "engine/trading/name", "engine/payments/name"),
    "pinion/cli/journal": (*ANY_APPLICATION, "engine/rules/stored", "pinion/cli"),
    "pinion/cli/trading": (*CLI, "api/serve"),
    "pinion/cli/replay": (*CLI, "pinion/cli/journal"),
    "pinion/cli/instance": (*CLI, "pinion/cli/journal", "pinion/cli/trading", "pinion/cli/replay"),
    "pinion/cli/payments/rules": ("engine", "pinion/cli"),
    "pinion/cli/payments/door_client": (*CLI, "pinion/cli/payments/place"),
    "pinion/journey": (
        *("engine/contract", "perf/traffic", "pinion/cli/payments/door_client", "pinion/cli/main"),
    ),
    "pinion/cli/payments/user_rules": (*CLI, "pinion/cli/journal", "perf/traffic", "perf/traffic/traffic"),
    "pinion/cli/payments/trials": (
        *(*CLI, "pinion/cli/journal", "pinion/cli/payments/door_client"),
        "pinion/cli/payments/user_rules/files",
    ),
    "pinion/cli/payments/sample": CLI,
    "pinion/cli/payments/move_over": (
        *CLI,
        *("pinion/capture", "pinion/parity", "pinion/parity/deciding", "pinion/parity/asking"),
        *("pinion/parity/report", "pinion/parity/minimise", "pinion/cli/payments/rules", "pinion/journey"),
    ),
    "pinion/cli/payments": (
        *CLI,
        *("api/payments", "pinion/cli/instance", "pinion/cli/payments/rules"),
        *("pinion/cli/payments/door_client", "pinion/cli/payments/place"),
        *("perf/bare_http", "perf/load_payments"),
        *("perf/traffic", "perf/traffic/traffic"),
    ),
    "perf": (
        *CLI,
        *("api/past", "pinion/cli/journal"),
        *("perf/histogram", "perf/stalls", "perf/bare_http", "perf/http_generator"),
    ),
    "pinion": (
        *("engine/contract", "engine/trading", "engine/trading/view"),
        *("engine/payments/rules/words", "engine/trading/offline/simulate"),
        *("gateways/json_lines", "pinion/cli/main"),
    ),
}
"""Room -> the rooms and modules that it may import, besides its own files; lower rooms stand first.

A room is the files of one folder, without the folders in it; a module that stands apart from its
folder has a row of its own. `engine` as something to import means every folder below it.
"""
NAMED = {"pinion/cli/applications": ("pinion/cli/trading/tools", "pinion/cli/payments/tools")}
"""Module -> what may stand above it: it names that in a text, and loads it once somebody asks for it."""
WHOLE = {"engine", "gateways", "perf"}
"""Folders that are meant with all below them where they may be imported."""
REACHED_BY_TRADING = {
    *("numpy", "numba", "llvmlite"),  # llvmlite: the intrinsics
    *("collections", "dataclasses", "decimal", "enum", "functools", "itertools", "math", "types", "typing"),
    *("ast", "hashlib", "os", "pathlib", "pickle", "time"),  # the kernel cache, the ring kernels' clock
    "re",  # how numbers are spelt: the catalogue that the views make
    "errno",  # why the operating system refused a file: errors that are told to a person
}
"""What lies outside and is imported by engine/trading or by anything of ours that it imports."""
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
