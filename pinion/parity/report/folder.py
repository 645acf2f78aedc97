"""The folder of a report: it gets its name once all of it is written, or is not there.

index.html      to read: figures, where answers differ, both bodies side by side, coverage
diffs.jsonl     every pair that differs, the ignored ones too
summary.json    the figures
"""

import json
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from engine.contract.errors import ToldError, UsageError
from pinion.parity.report.examples import Examples
from pinion.parity.report.page import page_of
from pinion.parity.tally import Diff, Tally

PAGE, DIFFS, SUMMARY = "index.html", "diffs.jsonl", "summary.json"
_encode = msgspec.json.Encoder().encode


class Report:
    """Writes a report for the block; without `finish` nothing of it stays."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() or folder.is_symlink():
            raise UsageError(f"--report {folder}: is there already; name a folder that is not")
        self._folder = folder
        self._draft = folder.with_name(f".pinion-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            self._draft.mkdir(mode=0o700)
        except OSError as error:
            raise UsageError(
                f"--report {folder}: cannot be made ({error.strerror}); name one in a folder that is there"
            ) from error
        self._diffs = (self._draft / DIFFS).open("wb")
        self._examples = Examples()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._diffs.close()
        shutil.rmtree(self._draft, ignore_errors=True)  # it has its name by now, or is wanted by nobody

    def add(self, diff: Diff) -> None:
        """Note a pair that differs."""
        self._diffs.write(_encode(diff) + b"\n")
        self._examples.add(diff)

    def finish(self, tally: Tally, about: dict[str, str]) -> None:
        """Write figures and page, and give the folder its name; about : what was replayed, by name."""
        summary = tally.summary()
        self._diffs.close()
        (self._draft / SUMMARY).write_text(json.dumps({**summary, "about": about}, indent=1) + "\n")
        page = page_of(summary, tally.ignore_list, about, self._examples)
        (self._draft / PAGE).write_text(page, encoding="utf-8")
        try:
            self._draft.rename(self._folder)
        except OSError as error:
            raise ToldError(f"--report {self._folder}: cannot take its place ({error.strerror})") from error
