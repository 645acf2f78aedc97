"""`make run` reads the beginning of its file before it starts anything."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateways.files.venue_files import dbn_bytes


@pytest.mark.parametrize(
    ("content", "options", "code", "said"),
    [
        (None, [], 1, "INPUT: No such file"),
        (b'{"op":', [], 1, "line 1: line"),
        (dbn_bytes([[("A", "B", 7, 400, 3)]]), ["--tick", "ESX4=0.25"], 2, "it has ESH4"),
        (dbn_bytes([[("A", "B", 7, 400, 3)]]), ["--tick", "ESH4"], 2, "give SYMBOL=SIZE"),
    ],
)
def test_file_that_cannot_be_played_is_refused_at_once(
    tmp_path: Path, content: bytes | None, options: list[str], code: int, said: str
) -> None:
    path = tmp_path / "input"
    if content is not None:
        path.write_bytes(content)

    command = [sys.executable, "-m", "engine.cli.demo", "--feed", str(path), *options]
    result = subprocess.run([*command, "--data", str(tmp_path / "data")], capture_output=True, text=True)

    assert (result.returncode, result.stdout) == (code, "")
    assert said in result.stderr
    assert not (tmp_path / "data").exists()
