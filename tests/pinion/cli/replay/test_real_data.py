"""The real market data through `pinion replay`; defined only where PINION_DATA names its folder."""

import os
from pathlib import Path

import pytest

from pinion.cli.main import main

if folder := os.environ.get("PINION_DATA"):
    CME = Path(folder) / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
    ITCH = Path(folder) / "12302019_SNIPPET.NASDAQ_ITCH50"

    def test_cme_file_is_reproduced_to_97_and_a_half_per_cent(capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["replay", str(CME), "--tick", "ESH4=0.25", "--stats"]) == 0

        parted = (line.strip().split("  ", 1) for line in capfd.readouterr().out.splitlines())
        lines = {parts[0]: parts[1] for parts in parted if len(parts) == 2}
        assert float(lines["reproduced exactly"].split("(")[1].split()[0]) >= 97.5
        assert lines["unexpected crosses"].strip() == "0"

    def test_itch_snippet_is_read_to_its_end(capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["replay", str(ITCH), "--stats"]) == 0

        assert "messages about orders from before the capture" in capfd.readouterr().out
