"""The door under fuzz: JSON of the right type whatever comes, never a 500, right answers in between.

The normal run sends some hundred cases; PINION_LONG=1 as many as go into an hour.
"""

import os
from pathlib import Path

import pytest

from tests.system.payments.fuzz import BETWEEN, play

IS_LONG = os.environ.get("PINION_LONG") == "1"
SEED = 1
CASES, SECONDS_MAX = (10**9, 3600.0) if IS_LONG else (800, 600.0)


def test_whatever_comes_is_answered_as_a_door_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fuzzing = play(tmp_path, SEED, CASES, SECONDS_MAX)

    assert fuzzing.faults == []
    assert {"anything", "changed", "odd head", "odd body", "200", "400", "401", "404", "422"} <= set(
        fuzzing.counts
    )
    assert fuzzing.counts["right"] >= 4 * (min(CASES, 800) // BETWEEN)
    with capsys.disabled():
        print(f"\nseed {SEED}: {dict(sorted(fuzzing.counts.items()))}")
