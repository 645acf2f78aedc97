"""The recorded table, and `pinion replay` as what is held against it."""

import json
import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from pinion.cli.main import main

FOLDER = Path(__file__).parent
RECORDED: dict[str, Any] = json.loads((FOLDER / "decisions.json").read_text())
DATA = Path(folder) if (folder := os.environ.get("PINION_DATA")) else None
"""The folder of real market data, where there is one."""


@dataclass(frozen=True)
class Decided:
    """What a replay came to: how much, a hash of the file of its events, both digests."""

    commands: int
    events: int
    events_file_hash: str
    state: str
    without_layout: str


def hash_of(content: bytes) -> str:
    """Return 16 bytes of BLAKE2b in hexadecimal."""
    return blake2b(content, digest_size=16).hexdigest()


def replayed(source: Path, *options: str, capfd: pytest.CaptureFixture[str]) -> Decided:
    """Replay an input as the command line does and return what it says."""
    capfd.readouterr()
    with TemporaryDirectory() as temporary:
        events = Path(temporary) / "events.jsonl"
        assert main(["replay", str(source), *options, "--stats", "--events", str(events)]) == 0
        content = events.read_bytes()
    lines = (line.strip().rsplit("  ", 1) for line in capfd.readouterr().out.splitlines())
    said = {parts[0].strip(): parts[1] for parts in lines if len(parts) == 2}
    return Decided(
        commands=int(said["commands"]),
        events=int(said["events"]),
        events_file_hash=hash_of(content),
        state=said["state digest"],
        without_layout=said["digest without layout"],
    )
