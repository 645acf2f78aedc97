"""How a process ended, in words: for the operator, and from a child to its supervisor."""

import os
import signal
from pathlib import Path

from engine import instance


class StartError(Exception):
    """The instance cannot start, or cannot go on; the text says why and what to do."""


def write_failure(data_dir: Path, name: str, text: str) -> None:
    """Leave word of why this process ends."""
    folder = data_dir / instance.READY_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    instance.write_atomically(folder / f"{name}.error", text.encode())


def read_failure(data_dir: Path, name: str) -> str:
    """Return, once, what a process said before it ended."""
    path = data_dir / instance.READY_FOLDER / f"{name}.error"
    try:
        text = path.read_text()
    except FileNotFoundError:
        return ""
    path.unlink()
    return text


def cause_of(status: int) -> str:
    """Say in words how a process ended."""
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit code {os.waitstatus_to_exitcode(status)}"
