"""A death within a batch of several rings loses nothing, doubles nothing, and keeps each ring's order."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.contract.control_words import OWN_RING
from engine.runtime.crash_points import VARIABLE
from ringbuf.kernel_cache import ROOT
from tests.engine.runtime.replay.killed import WAITING

PLACES = ("copied:0", "copied:1", "copied:2", "published:0", "released:0", "released:1", "released:2",
          "applied:7", "closed:7", "announced:1", "written:1", "committed:1")  # fmt: skip


def outcome(data_dir: Path, place: str) -> Any:
    """Return what the process told that died there and recovered."""
    data_dir.mkdir(exist_ok=True)
    ended = subprocess.run(
        [sys.executable, "-m", "tests.engine.runtime.replay.killed", str(data_dir)], cwd=ROOT,
        env={**os.environ, VARIABLE: f"loop.{place}"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout)


@pytest.mark.parametrize("place", PLACES)
def test_a_death_in_a_batch_of_several_rings_loses_and_doubles_nothing(place: str, tmp_path: Path) -> None:
    told = outcome(tmp_path, place)

    ours = [each for each in told["entries"] if each[0] != OWN_RING]
    for idx, count in enumerate(WAITING):
        positions = [[ring_seq, req_seq] for ring, ring_seq, req_seq in ours if ring == idx]
        assert positions == [[i, i % count] for i in range(2 * count)]
    assert told["totals"][: len(WAITING)] == [2 * count for count in WAITING]
    seqs = [seq for seq, entry in enumerate(told["entries"], start=1) if entry[0] != OWN_RING]
    assert told["events"] == [[seq, i] for seq in seqs for i in range(2)]


def test_slots_are_given_back_ring_by_ring_behind_the_journal(tmp_path: Path) -> None:
    assert outcome(tmp_path / "copied", "copied:2")["tails"] == [0, 0, 0]
    assert outcome(tmp_path / "published", "published:0")["tails"] == [0, 0, 0]
    assert outcome(tmp_path / "released", "released:0")["tails"] == [0, 0, WAITING[2]]
    assert outcome(tmp_path / "all", "released:2")["tails"] == list(WAITING)
