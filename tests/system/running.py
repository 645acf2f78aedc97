"""A whole instance in processes of its own, always ended and cleaned up.

The demo configuration with its default capacities, so that every test run finds the kernels
that `pinion up` compiles anyway.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.contract import instance
from engine.runtime.shared_memory import segment_names

STOP_WAIT_S = 30.0


class Running:
    """A `pinion up` that was started by a test."""

    command: tuple[str, ...] = ("up", "--api-port", "0", "--order-port", "0")

    def __init__(self, data_dir: Path, *options: str, umask: int = -1, within: tuple[str, ...] = ()) -> None:
        """Start it; umask : -1 leaves the tests' own; within : a command that becomes the one behind it."""
        self.data_dir = data_dir
        self.errors = data_dir / "stderr.txt"
        self.ready: dict[str, Any] = {}
        """What the ready line says, once it was read."""
        data_dir.mkdir(parents=True, exist_ok=True)
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [*within, sys.executable, "-m", "pinion.cli.main", *self.command, "--data", str(data_dir),
                 *options],
                stdout=subprocess.PIPE, stderr=errors, text=True, umask=umask,
            )  # fmt: skip

    def await_ready(self) -> dict[str, Any]:
        """Return the content of the ready line."""
        assert self.process.stdout is not None
        if self.ready:
            return self.ready
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith("ready "):
                self.ready = json.loads(line.removeprefix("ready "))
                return self.ready
        raise AssertionError(f"ended with {self.process.wait()}: {self.errors.read_text()}")

    def pid_of(self, name: str) -> int:
        """Return the pid of a process of the instance, as it is now."""
        return next(each.pid for each in instance.read(self.data_dir).processes if each.name == name)

    @property
    def key(self) -> str:
        """The demo key."""
        return (self.data_dir / "demo.key").read_text().strip()

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """Stop it like an operator and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(STOP_WAIT_S)

    def clean_up(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        for name in segment_names(self.data_dir).values():
            Path("/dev/shm", name).unlink(missing_ok=True)


def await_true(question: Callable[[], bool], what: str, wait_s: float = 30.0) -> None:
    """Ask again and again until it is so, or fail saying what was awaited."""
    deadline = time.monotonic() + wait_s
    while not question():
        assert time.monotonic() < deadline, f"waited {wait_s:.0f} s in vain: {what}"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Tell whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
