"""A progress bar on standard error, and only where that is a terminal."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

from gateways.files.source import Source

REFRESH_SECONDS = 0.2


@contextmanager
def progress_of(source: Source) -> Iterator[None]:
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
