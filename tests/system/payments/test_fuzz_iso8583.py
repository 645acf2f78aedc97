"""The door for ISO 8583 under fuzz: replies and nothing else whatever comes, right answers in between.

The normal run sends some hundred cases; PINION_LONG=1 as many as go into an hour.
"""

import os
from pathlib import Path

import pytest

from tests.system.payments.fuzz_iso8583 import BETWEEN, play

IS_LONG = os.environ.get("PINION_LONG") == "1"
SEED = 1
CASES, SECONDS_MAX = (10**9, 3600.0) if IS_LONG else (2000, 600.0)
RIGHT = 5


def test_whatever_comes_is_answered_by_replies_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fuzzing = play(tmp_path, SEED, CASES, SECONDS_MAX)

    assert fuzzing.faults == []
    assert {"anything", "changed", "odd fields", "together", "closed"} <= set(fuzzing.counts)
    assert {"00", "12", "13", "21", "25", "30", "40", "94"} <= set(fuzzing.counts)
    assert fuzzing.counts["right"] >= RIGHT * (min(CASES, 2000) // BETWEEN)
    with capsys.disabled():
        print(f"\nseed {SEED}: {dict(sorted(fuzzing.counts.items()))}")
