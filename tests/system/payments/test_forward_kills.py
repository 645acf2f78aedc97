"""Processes killed while payments are at a processor that fails: both sides agree behind every round.

The normal run kills three of them, and with messages the door for ISO 8583;
`python -m tests.system.payments.forward_kills` is the long one.
"""

from pathlib import Path

import pytest

from tests.system.payments.forward_kills import HTTP, ISO8583, VICTIMS, play


@pytest.mark.parametrize(("door", "rounds"), [(HTTP, 3), (ISO8583, 1)])
def test_both_sides_agree_whatever_dies_and_whatever_the_processor_does(
    tmp_path: Path, door: str, rounds: int
) -> None:
    report = play(tmp_path, rounds=rounds, seed=1, door=door)

    assert set(report.killed) == set(VICTIMS[door][:rounds])
    assert report.counts["approved there"] > 0
    assert report.counts["reversed there"] > 0
