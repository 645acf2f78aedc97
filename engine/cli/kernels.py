"""Kernels are compiled at the first start: show it happening, and load the doors' ones early.

Each later start loads them from the cache folder, which is named after a hash of the sources.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba.core import config as untyped_config
from numba.core import event

from engine.runtime.children import DoorSpec
from engine.runtime.replica import Replica, private_state
from engine.runtime.segments import Application
from engine.trading.view import LiveView

config: Any = untyped_config
COMPILE_EVENT = "numba:compile"


class CompilationLines(event.Listener):
    """Writes a line when a kernel begins to compile; nested ones are on the same line's way."""

    def __init__(self) -> None:
        self.began: list[float] = []
        self.kernel_count = 0

    def on_start(self, event: Any) -> None:
        """A kernel begins, maybe while its caller compiles."""
        if self.kernel_count == 0:
            print("compiling the kernels; later starts load them from the cache", file=sys.stderr)
        self.kernel_count += 1
        self.began.append(time.monotonic())

    def on_end(self, event: Any) -> None:
        """A kernel is done: say so."""
        elapsed_s = time.monotonic() - self.began.pop()
        function = event.data["dispatcher"].py_func
        name = f"{function.__module__}.{function.__name__}"
        print(f"  {self.kernel_count:4d}  {elapsed_s:5.1f} s  {name}", file=sys.stderr, flush=True)


@contextmanager
def announced_compilation() -> Iterator[None]:
    """Show on standard error what is compiled within the block; nothing when all is cached."""
    with event.install_listener(COMPILE_EVENT, CompilationLines()):
        yield


def compile_ahead(application: Application) -> Callable[[], int] | None:
    """Return what a second core can compile while the first compiles the loop; None where it is cached.

    Both compile the application's kernels: that costs the second core, not the one who waits.
    """
    cached = list(Path(config.CACHE_DIR).glob(f"*/replica.replay_{application.name}-*.nbi"))
    if cached or len(os.sched_getaffinity(0)) == 1:
        return None

    def compile_them() -> int:
        replica = Replica(application)
        LiveView(replica.state).warm_up()
        return 0

    return compile_them


def prepare_doors(application: Application, doors: Iterable[DoorSpec]) -> Callable[[], None]:
    """Return what loads, before the doors are forked, their modules and kernels; no state is touched.

    To be done while the engine recovers, which has a core of its own: an import of a second.
    """

    def prepare() -> None:
        for door in doors:
            door.load()
        LiveView(private_state(application.state_dtype)).warm_up()

    return prepare
