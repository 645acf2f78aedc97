"""Processes killed while payments are at a processor that fails: both sides agree behind every round.

The normal run kills three of them; `python -m tests.system.payments.forward_kills` is the long one.
"""

from pathlib import Path

from tests.system.payments.forward_kills import VICTIMS, play

ROUNDS = 3


def test_both_sides_agree_whatever_dies_and_whatever_the_processor_does(tmp_path: Path) -> None:
    report = play(tmp_path, rounds=ROUNDS, seed=1)

    assert set(report.killed) == set(VICTIMS[:ROUNDS])
    assert report.counts["approved there"] > 0
    assert report.counts["reversed there"] > 0
