"""Processes killed at random moments under load: nothing acknowledged is lost, doubled or changed.

The normal run kills each process once; PINION_LONG=1 plays a hundred rounds and prints their report.
"""

import os
from pathlib import Path

import pytest

from tests.system.payments.kills import play

IS_LONG = os.environ.get("PINION_LONG") == "1"
ROUNDS, SEED = 100 if IS_LONG else 7, 1


def test_nothing_acknowledged_is_lost_doubled_or_changed_when_processes_are_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = play(tmp_path, ROUNDS, SEED)

    assert report.rounds == ROUNDS
    assert report.payments > 5 * ROUNDS
    assert report.looks > 100 * ROUNDS
    with capsys.disabled():
        print(f"\nseed {SEED}\n{report}")
