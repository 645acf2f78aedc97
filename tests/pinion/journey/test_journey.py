"""The whole way from the plain service to Pinion, as short as it can be."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from pinion.cli.main import main
from pinion.cli.payments.move_over.journey import plain_service

COUNT = 2_000


def test_the_way_is_walked_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "journey"

    assert main(["payments", "journey", "--count", str(COUNT), "--out", str(out)]) == 0

    said = capsys.readouterr().out
    assert [line[0] for line in said.splitlines() if re.match(r"[1-9]\. ", line)] == list("123456")
    summary = json.loads((out / "report" / "summary.json").read_text())
    left_out = summary["left_out"].pop("refused for a member that no capture keeps", 0)
    assert (summary["equal"], summary["different"], summary["left_out"]) == (summary["pairs"], 0, {})
    assert summary["pairs"] == COUNT - left_out
    assert left_out <= COUNT // 1_000
    assert "requests 1 to 800: 800 of 800 answered as the old service did" in said
    assert "promoted" in said
    assert "rolled back by disagreement" in said
    assert "set 2 governs" in said


def test_the_plain_service_is_found_from_any_folder(tmp_path: Path) -> None:
    command = plain_service()
    asked = [*command[: command.index("--port")], "--help"]

    told = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert "--setup" in told.stdout


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["payments", "journey", "--out", str(tmp_path)]) == 2
    assert "is there already; name a new folder" in capsys.readouterr().err


def test_a_service_that_does_not_start_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--count", str(COUNT), "--out", str(tmp_path / "journey"), "--service", "python3 -c exit(3)"]

    assert main(["payments", "journey", *given]) == 1

    assert "the old service did not start" in capsys.readouterr().err
