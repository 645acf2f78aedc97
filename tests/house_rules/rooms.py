"""The rooms of the project, and of each what it may import: what stands below it."""

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
    "engine/trading/rules/words": (),
    "engine/trading/rules": (),
    "engine/trading/rules/vocabulary": (
        *("engine/rules/vocabulary", "engine/trading", "engine/trading/rules/words"),
    ),
    "engine/trading/rules/workshop": ("engine/rules", "engine/trading/rules/vocabulary"),
    "engine/trading/kernels": (
        *("ringbuf/atomics", "ringbuf/kernel", "ringbuf/layout", "ringbuf/seqlock"),
        *("engine/contract/batches", "engine/contract/bits", "engine/contract/records"),
        *("engine/contract/spread", "engine/contract/state_layout", "engine/trading"),
        *("engine/rules/loaded", "engine/rules/vocabulary", "engine/trading/rules/vocabulary"),
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
        *("engine/rules/loader", "engine/rules/stored", "engine/trading/rules/vocabulary"),
    ),
    "engine/trading/offline": (
        *("ringbuf", "engine/contract", "engine/trading", "engine/trading/kernels"),
        *("engine/trading/neutral_digest", "engine/trading/application"),
    ),
    "engine/trading/offline/rules": (
        *("engine/rules/language", "engine/rules/loader", "engine/trading/rules/vocabulary"),
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
    "engine/payments/rules/workshop": ("engine/rules", "engine/payments/rules/vocabulary"),
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
    "gateways/process": ("engine/contract", "engine/settings", "engine/rules/orders"),
    "gateways/commands": ("ringbuf/bells", "engine/contract", "engine/settings", "gateways/process"),
    "gateways/json_lines": (
        *("engine/contract/records", "engine/contract/rows", "engine/text", "engine/trading"),
        *("engine/rules/params", "engine/rules/stored"),
    ),
    "gateways/files": ("engine/contract/errors", "engine/trading"),
    "gateways/feed": (*DOORS, "gateways/json_lines", "gateways/files"),
    "gateways/entry": (
        *("ringbuf/seqlock", "engine/contract", "engine/text"),
        *("engine/trading", "engine/trading/view", "gateways/commands", "gateways/json_lines"),
        *("engine/rules/stored", "gateways/process/workshop"),
    ),
    "gateways/http": (
        *("engine/contract", "engine/settings", "engine/text", "engine/trading"),
        *("gateways/process", "gateways/commands", "gateways/json_lines", "gateways/entry"),
        *("engine/rules/stored", "engine/trading/rules/workshop"),
    ),
    "gateways/payments": (
        "engine/contract",
        "engine/payments",
        "engine/payments/view",
        "engine/rules/stored",
    ),
    "gateways/payments/rule_forms": (
        *("engine/payments", "engine/payments/settings", "engine/payments/view", "engine/settings"),
        *("engine/trials/records", "engine/rules/vocabulary", "engine/text", "gateways/payments"),
    ),
    "gateways/payments/rule_documents": (
        *("engine/payments/view", "engine/trials/records", "gateways/payments"),
        "gateways/payments/rule_forms",
    ),
    "gateways/payments/setup": (
        *("engine/payments", "engine/rules/params", "engine/rules/vocabulary", "gateways/payments"),
    ),
    "gateways/payments/setup_lines": (
        *("engine/contract/errors", "engine/text", "engine/payments"),
        *("gateways/payments", "gateways/payments/setup"),
    ),
    "gateways/payments/odd_lines": (
        *("engine/payments", "engine/rules/stored", "gateways/payments", "gateways/payments/setup_lines"),
    ),
    "gateways/payments/door": (
        *("ringbuf/seqlock", "engine/contract", "engine/settings", "engine/text", "engine/payments"),
        *("engine/payments/view", "gateways/process", "gateways/commands"),
        *("gateways/payments", "gateways/payments/setup_lines", "gateways/payments/odd_lines"),
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
    "api/streams": (*API, "gateways/json_lines"),  # a latch is told as everywhere
    "api/queries": (
        *(*API, "api/past", "api/streams"),
        *("gateways/json_lines/fields", "gateways/json_lines/size_by", "engine/rules/stored"),
    ),
    "api/pages": (*API, "api/past", "api/streams", "api/queries"),
    "api/serve": (*API, "api/past", "api/streams", "api/queries", "api/pages", "engine/rules/stored"),
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
    "pinion/cli/rules": (*CLI, "pinion/cli/journal"),
    "pinion/cli/instance": (*CLI, "pinion/cli/journal", "pinion/cli/trading", "pinion/cli/replay"),
    "pinion/cli/payments/rules": ("engine", "pinion/cli"),
    "pinion/cli/payments/door_client": (*CLI, "pinion/cli/payments/place"),
    "pinion/journey": (
        *("engine/contract", "perf/traffic", "pinion/cli/payments/door_client", "pinion/cli/main"),
    ),
    "pinion/cli/payments/user_rules": (*CLI, "pinion/cli/journal", "perf/traffic", "perf/traffic/traffic"),
    "pinion/cli/payments/trials": (*(*CLI, "pinion/cli/journal", "pinion/cli/payments/door_client"),),
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
        *("engine/trading/kernels/sizing", "gateways/json_lines", "pinion/cli/main"),
        *("engine/rules/mark", "engine/trading/rules/words", "engine/trading/offline/rules"),
    ),
    "engine/trading/rules/library": ("pinion",),  # files as people write them, which nothing imports
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
    "ctypes",  # the table of sets of rules, which kernels reach by a symbol
    "errno",  # why the operating system refused a file: errors that are told to a person
}
"""What lies outside and is imported by engine/trading or by anything of ours that it imports."""
