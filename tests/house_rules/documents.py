"""Documents name what exists."""

import re
from pathlib import Path

from tests.house_rules.project import ROOT, name_of, report, tracked

DOCUMENT_PATH = re.compile(
    r"`((?:ringbuf|engine|doors|gateways|api|tests|perf|docs|deploy)/[\w./-]*|\w[\w-]*\.(?:md|toml|py|lock))`"
)
DOCUMENT_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")


TARGETS = ("setup", "run", "test", "check", "lint", "types", "bench", "test-data", "clean")


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
