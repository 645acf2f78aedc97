"""Kernels are compiled at the first start: show it happening, and load the doors' ones early.

Each later start loads them from the cache folder, which is named after a hash of the sources.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba.core import event

from engine import port
from engine.trading.view import LiveView

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


def prepare_doors(data_dir: Path) -> None:
    """Load, before the doors are forked, the kernels by which they read the live state."""
    LiveView(port.attach_state(data_dir)).warm_up()
