"""A private Pinion for one measurement or test: `pinion up` in a folder of its own.

    with live() as instance:  # the demo configuration; live(config=PATH) for another
        instance.order_port, instance.key

The folder, the processes and the shared memory are gone afterwards, whatever happened.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import msgspec

from perf.machine import ROOT

STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Live:
    """Where a running instance is reached."""

    data_dir: Path
    api_port: int
    order_port: int
    key: str
    """The demo key, "" with a configuration of one's own."""
    pid: int
    durability: str


@contextmanager
def live(
    config: Path | None = None,
    data_dir: Path | None = None,
    *,
    root: Path = ROOT,
    options: Sequence[str] = (),
) -> Iterator[Live]:
    """Start Pinion, yield it when it is ready, stop it in order; on a new data folder unless one is given.

    root : of the checkout that is started; options : more of `pinion up`
    """
    with tempfile.TemporaryDirectory(prefix="pinion-perf-") as folder:
        data_dir = data_dir or Path(folder) / "data"
        command = [sys.executable, "-m", command_line(root), "up", "--data", str(data_dir)]
        command += ["--api-port", "0", "--order-port", "0", *options]
        if config is not None:
            command += ["--config", str(config)]
        with (Path(folder) / "stderr").open("w+") as stderr:
            process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=stderr, text=True)
            try:
                yield _ready(process, data_dir, stderr)
            finally:
                _stop(process)


def command_line(root: Path) -> str:
    """Return the module of a checkout's command line, which lay in the engine until 2026-11-28."""
    return "pinion.cli.main" if (root / "pinion" / "cli").is_dir() else "engine.cli.main"


def _ready(process: "subprocess.Popen[str]", data_dir: Path, stderr: TextIO) -> Live:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready "):
            said = msgspec.json.decode(line.removeprefix("ready "))
            api_port, order_port = urlsplit(said["api"]).port, urlsplit(said["orders"]).port
            assert api_port is not None
            assert order_port is not None
            key_file = data_dir / "demo.key"
            key = key_file.read_text().strip() if key_file.exists() else ""
            durability = msgspec.json.decode((data_dir / "instance.json").read_bytes())["durability"]
            return Live(data_dir, api_port, order_port, key, said["pid"], durability)
    code = process.wait()
    stderr.seek(0)
    raise RuntimeError(f"pinion up ended with exit code {code} before it was ready: {stderr.read()[-2000:]}")


def _stop(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
