"""Documents name what exists, and say what the code says."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

from engine.contract.control_words import STATS
from engine.contract.spread import SLOT
from engine.runtime.processes import worker
from engine.runtime.shared_memory import SLOTS_OF_AN_EVENT
from engine.runtime.supervision import supervisor
from engine.settings.config import EngineSettings
from engine.trading.capacities import Capacities
from engine.trading.kernels.state import BALANCE, state_dtype
from engine.trading.kernels.watch_records import STAKE
from engine.trading.records import COMMAND, JOURNAL_ENTRY
from ringbuf import waiting
from tests.house_rules.project import ROOT, name_of, report, tracked, tree_of

DOCUMENT_PATH = re.compile(
    r"`((?:ringbuf|engine|pinion|gateways|api|tests|perf|docs|deploy)/[\w./-]*|\w[\w-]*\.(?:md|toml|py|lock))`"
)
DOCUMENT_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
PLACES = {
    "exchange rule": ("docs/exchange-rules.md", r"S\d+"),
    "interface": ("docs/interfaces.md", r"R\d+"),
    "protocol rule": ("docs/protocol.md", r"\d+"),
    "design decision": ("docs/protocol.md", r"D\d+"),
    "decision": ("docs/decisions", r"\d+"),
}
"""How a text cites, as `exchange rules S5 to S9, S16` -> where that is, and how its numbers look."""
BARE = re.compile(r"(?<![\w%.-])[SRD]\d{1,2}(?![\w.-])|\brules? \d+")
"""A number that does not say of which document it is."""
NOT_HERE = re.compile(r"\b(SPEC|DESIGN|FACTS|STYLE)\b")
"""Documents that no reader of this repository has."""

TARGETS = ("setup", "run", "test", "check", "lint", "types", "bounds", "bench", "test-data", "clean")


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


def texts() -> Iterator[tuple[str, str]]:
    """Yield name and content of every text of ours, as one line: docstrings and comments wrap anywhere."""
    for path in tracked():
        if path.name not in ("LICENSE", "requirements.lock") and path != Path(__file__):
            try:
                lines = path.read_text().splitlines()
            except UnicodeDecodeError:  # a binary file cites nothing
                continue
            yield name_of(path), " ".join(line.strip().removeprefix("# ") for line in lines)


def citations(kind: str) -> re.Pattern[str]:
    number = PLACES[kind][1]
    return re.compile(rf"(?<!design )\b{kind}s? ({number}(?:(?:,| and| to) {number})*)\b", re.IGNORECASE)


def numbers_of(kind: str) -> set[str]:
    """Return the numbers that can be cited: of headings, or of the files of decisions."""
    place, number = PLACES[kind]
    if kind == "decision":
        return {str(int(path.name[:4])) for path in (ROOT / place).glob("[0-9]*.md")}
    head = "Rule " if kind == "protocol rule" else ""
    return set(re.findall(rf"^##+ {head}({number})\b", (ROOT / place).read_text(), re.MULTILINE))


def test_no_text_names_a_document_that_is_not_here() -> None:
    report([f"{name} says {found}" for name, text in texts() for found in NOT_HERE.findall(text)])


def test_what_a_text_cites_exists() -> None:
    known = {kind: numbers_of(kind) for kind in PLACES}
    assert all(known.values())
    report([
        f"{name} cites {kind} {number}"
        for name, text in texts()
        for kind, (_, shape) in PLACES.items()
        for found in citations(kind).findall(text)
        for number in re.findall(shape, found)
        if number not in known[kind]
    ])  # fmt: skip


def test_a_text_says_of_which_document_a_number_is() -> None:
    own = {place: kind for kind, (place, _) in PLACES.items()}  # within a document the number alone will do
    found = []
    for name, text in texts():
        known = numbers_of(own[name]) if name in own else set()
        for kind in PLACES:
            text = citations(kind).sub("", text)
        found += [
            f"{name}: {each} of what?"
            for each in BARE.findall(text)
            if each not in known and not (name in own and each.startswith("rule"))
        ]
    report(found)


def test_the_makefile_has_the_targets_that_documents_promise() -> None:
    makefile = (ROOT / "Makefile").read_text()
    report([
        f"Makefile has no target {target}"
        for target in TARGETS
        if not re.search(rf"^{target}:", makefile, re.MULTILINE)
    ])  # fmt: skip


def test_the_architecture_tells_the_constants_of_the_code() -> None:
    text = " ".join((ROOT / "ARCHITECTURE.md").read_text().split())
    settings = EngineSettings()
    told = [
        f"comes back to Python every {worker.RUN_NS // 10**6} ms",
        f"spins {waiting.SPIN_ROUNDS:,} rounds, yields {waiting.YIELD_ROUNDS} times",
        f"sleeps: {waiting.SLEEP_FIRST_NS // 1000} us at first",
        f"{waiting.SLEEP_MAX_NS // 10**6} ms at most",
        f"no heartbeat for {supervisor.SILENCE_NS // 10**9} s",
        f"slots of {COMMAND.itemsize} bytes",
        f"entries of {JOURNAL_ENTRY.itemsize} bytes",
        f"slots of {SLOT.itemsize} bytes, one to three an event",
        f"| {COMMAND.itemsize * settings.command_ring >> 20} MiB a ring |",
        f"| worker | {JOURNAL_ENTRY.itemsize * settings.journal_ring >> 20} MiB |",
        f"| worker | {SLOTS_OF_AN_EVENT * SLOT.itemsize * settings.event_ring >> 20} MiB |",
        f"| {round(state_dtype(Capacities()).itemsize / 2**20)} MiB declared",
        f"| worker | {STATS.itemsize >> 10} KiB |",
    ]
    report([f"ARCHITECTURE.md does not say {each!r}" for each in told if each not in text])


def test_the_lives_in_the_architecture_name_what_is_defined_there() -> None:
    missing, told = [], 0
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        path = None
        for name in re.findall(r"`([\w./]+)`", line.split("|")[2]) if line.count("|") == 4 else ():
            if "/" in name:
                path = ROOT / name
            elif path is not None and path.suffix == ".py":
                told += 1
                if name not in definitions_of(path):
                    missing.append(f"ARCHITECTURE.md: {name_of(path)} has no {name}")
    assert told > 80
    report(missing)


def definitions_of(path: Path) -> set[str]:
    """Return functions and classes of a module, methods as Class.method."""
    found = set()
    for node in tree_of(path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            if isinstance(node, ast.ClassDef):
                found |= {
                    f"{node.name}.{each.name}"
                    for each in node.body
                    if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
                }
    return found


def test_the_table_of_capacities_tells_the_sizes_of_the_state() -> None:
    text = (ROOT / "docs/operating.md").read_text()
    default = Capacities()
    told = []
    for name in (each.name for each in fields(Capacities)):
        count = getattr(default, name)
        if name == "currencies":
            told.append((name, rf"{count} \| {BALANCE.itemsize + STAKE.itemsize} for every account"))
            continue
        halved = state_dtype(replace(default, **{name: count // 2}))
        for_all = 2 * (state_dtype(default).itemsize - halved.itemsize)
        shown = rf"{count:,} \| {for_all // count:,}\b[^|]*\| {round(for_all / 2**20)} MiB \|"
        told.append((name, shown))
    report([
        f"docs/operating.md has no row of `{name}` like {shown}"
        for name, shown in told
        if not re.search(rf"^\| `{name}`[^|]*\| {shown}", text, re.MULTILINE)
    ])  # fmt: skip
