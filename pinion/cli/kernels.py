"""The compilation of kernels at the first start: its progress, and the doors' kernels loaded early.

Each later start loads them from the cache folder, which is named after a hash of the sources.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from numba.core import config as untyped_config
from numba.core import event

from engine.contract.application import Application
from engine.contract.replica import batch_name
from engine.runtime.processes import history as history_process
from engine.runtime.supervision.children import DoorSpec
from pinion.cli.applications import ApplicationTools

config: Any = untyped_config
COMPILE_EVENT = "numba:compile"
BEGINNING = "compiling the kernels, once: later starts load them from the cache"
LINE_S = 15.0
"""Between two lines where they cannot be rewritten."""
WIPE = "\r\x1b[2K"
"""Back to the beginning of a terminal's line, and empty it."""


class CompilationProgress(event.Listener):
    """Says how far a compilation is: one line that is rewritten on a terminal, one now and then elsewhere.

    clock : seconds, never back
    """

    def __init__(self, shown: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._shown = shown
        self._clock = clock
        self._is_terminal = shown.isatty()
        self._pid = os.getpid()
        self._depth = 0
        self._began = self._next_line = 0.0
        self.kernel_count = 0

    def on_start(self, event: Any) -> None:
        """Note that a kernel begins to compile, maybe while its caller compiles."""
        if self.kernel_count == 0 and self._depth == 0:
            self._began = self._clock()
            self._next_line = self._began + LINE_S
            self._show(BEGINNING, "" if self._is_terminal else "\n")
        self._depth += 1

    def on_end(self, event: Any) -> None:
        """Note that a kernel is compiled."""
        self._depth -= 1
        self.kernel_count += 1
        now = self._clock()
        so_far = f"compiling the kernels, once: {self.kernel_count:4d}, {now - self._began:3.0f} s"
        if self._is_terminal:
            function = event.data["dispatcher"].py_func
            room = shutil.get_terminal_size().columns - 1
            self._show(f"{so_far}  {function.__module__}.{function.__name__}"[:room], "")
        elif now >= self._next_line:
            self._next_line = now + LINE_S
            self._show(so_far, "\n")

    def finish(self) -> None:
        """Say that the compilation is over, if there was any; a compilation behind it begins anew."""
        if self.kernel_count:
            self._show(f"compiled {self.kernel_count} kernels in {self._clock() - self._began:.0f} s", "\n")
        self.kernel_count = 0

    def _show(self, text: str, end: str) -> None:
        if os.getpid() == self._pid:  # a fork that compiles beside us would write over our line
            print(f"{WIPE if self._is_terminal else ''}{text}", end=end, file=self._shown, flush=True)


@contextmanager
def announced_compilation() -> Iterator[CompilationProgress]:
    """Show on standard error what is compiled within the block; nothing when all is cached."""
    progress = CompilationProgress(sys.stderr)
    with event.install_listener(COMPILE_EVENT, progress):
        try:
            yield progress
        finally:
            progress.finish()


def compile_ahead(application: Application, tools: ApplicationTools) -> Callable[[], int] | None:
    """Return what a second core can compile while the first compiles the loop; None where it is cached.

    Both compile the application's kernels: that costs the second core, not the one who waits.
    """
    cached = list(Path(config.CACHE_DIR).glob(f"*/replica.{batch_name(application)}-*.nbc"))
    if cached or len(os.sched_getaffinity(0)) == 1:
        return None

    def compile_them() -> int:
        history_process.warm_up(application)  # with the replay of recovery and shadow
        tools.warm_up(application)
        return 0

    return compile_them


def prepare_processes(
    application: Application, tools: ApplicationTools, doors: Iterable[DoorSpec], *, has_history: bool
) -> Callable[[], None]:
    """Return what loads the modules and kernels of doors and history before these are forked.

    To be done while the engine recovers, which has a core of its own: an import of a second. No state
    of the instance is touched; nothing is compiled once the instance says that it is ready.
    """

    def prepare() -> None:
        for door in doors:
            door.load()
        tools.warm_up(application)
        if has_history:
            history_process.warm_up(application)

    return prepare
