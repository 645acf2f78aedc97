"""Processes of the journey: started, awaited by their ready line, stopped in order."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.contract.errors import ToldError

READY = "ready "
STOP_S = 60.0
SHOWN_LINES = 8
PROGRAM = (sys.executable, "-m", "pinion.cli.main", "payments")


class StepError(ToldError):
    """A step of the journey that did not come to its end as it should."""


@contextmanager
def running(name: str, command: Sequence[str], log: Path) -> Iterator[dict[str, Any]]:
    """Run a process for the block; yield what its ready line says. Its standard error goes to `log`."""
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        try:
            yield _ready(name, process, log)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _ready(name: str, process: "subprocess.Popen[bytes]", log: Path) -> dict[str, Any]:
    assert process.stdout is not None
    for line in process.stdout:
        text = line.decode()
        if text.startswith(READY):
            said: dict[str, Any] = json.loads(text.removeprefix(READY))
            return said
    last = "\n".join(log.read_text(errors="replace").splitlines()[-SHOWN_LINES:])
    raise StepError(f"{name} did not start: {last or 'it said nothing'}")


def done(*arguments: str | Path) -> str:
    """Run a command of `pinion payments` to its end; return what it prints. StepError where it fails."""
    finished = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        last = "\n".join((finished.stdout + finished.stderr).splitlines()[-SHOWN_LINES:])
        raise StepError(f"`pinion payments {arguments[0]}` ended with {finished.returncode}: {last}")
    return finished.stdout
