"""Two instances share limits over one store while instances die and the store fails: no limit is exceeded.

The normal run plays some of the faults once; PINION_LONG=1 plays fifty rounds and prints their report.
"""

import os
from pathlib import Path

import pytest

from tests.system.payments.fleet import faults_of, play

IS_LONG = os.environ.get("PINION_LONG") == "1"
SHORT = ["store slowed", "store killed", "fleet killed", "instance killed"]
SEED = 1


def test_no_daily_limit_is_exceeded_by_two_instances_whatever_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = faults_of(50, SEED) if IS_LONG else SHORT

    report = play(tmp_path, faults, SEED)

    assert report.rounds.total() == len(faults)
    assert report.moves > 2 * len(faults)
    assert report.refused > 0
    with capsys.disabled():
        print(f"\nseed {SEED}\n{report}")
