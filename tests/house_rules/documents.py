"""Documents name what exists, and say what the code says."""

import re
from dataclasses import fields, replace
from pathlib import Path

from engine.contract.control_words import STATS
from engine.runtime.processes import worker
from engine.runtime.supervision import supervisor
from engine.settings.config import EngineSettings
from engine.trading.capacities import Capacities
from engine.trading.kernels.state import state_dtype
from engine.trading.records import COMMAND, EVENT, JOURNAL_ENTRY
from ringbuf import waiting
from tests.house_rules.project import ROOT, name_of, report, tracked

DOCUMENT_PATH = re.compile(
    r"`((?:ringbuf|engine|pinion|gateways|api|tests|perf|docs|deploy)/[\w./-]*|\w[\w-]*\.(?:md|toml|py|lock))`"
)
DOCUMENT_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")


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
        f"events of {EVENT.itemsize} bytes",
        f"| {COMMAND.itemsize * settings.command_ring >> 20} MiB a ring |",
        f"| worker | {JOURNAL_ENTRY.itemsize * settings.journal_ring >> 20} MiB |",
        f"| worker | {EVENT.itemsize * settings.event_ring >> 20} MiB |",
        f"| {round(state_dtype(Capacities()).itemsize / 2**20)} MiB declared",
        f"| worker | {STATS.itemsize >> 10} KiB |",
    ]
    report([f"ARCHITECTURE.md does not say {each!r}" for each in told if each not in text])


def test_the_table_of_capacities_tells_the_sizes_of_the_state() -> None:
    text = (ROOT / "docs/operating.md").read_text()
    default = Capacities()
    told = []
    for name in (each.name for each in fields(Capacities)):
        count = getattr(default, name)
        if name == "currencies":
            told.append((name, rf"{count} \| 32 for every account"))
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
