"""A progress bar on standard error, and only where that is a terminal."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

REFRESH_SECONDS = 0.2


class Input(Protocol):
    """An input that is being read, in bytes."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int | None: ...
    @property
    def position(self) -> int: ...


@contextmanager
def progress_of(source: Input) -> Iterator[None]:
    """Show how far the source has been read while the block runs."""
    if not sys.stderr.isatty():
        yield
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(source.name, total=source.size)
        done = threading.Event()

        def follow() -> None:
            while not done.wait(REFRESH_SECONDS):
                progress.update(task, completed=source.position)

        follower = threading.Thread(target=follow, name="progress", daemon=True)
        follower.start()
        try:
            yield
        finally:
            done.set()
            follower.join()
            progress.update(task, completed=source.position)
