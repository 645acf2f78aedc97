"""The number of a start: greater than any before, also where the file that holds it is lost."""

from pathlib import Path

import pytest

from engine.runtime.endings import StartError
from engine.runtime.epoch import EPOCH_FILE, next_epoch
from tests.engine.journal.written import Journal, fill


def test_each_start_has_the_next_number(tmp_path: Path) -> None:
    assert [next_epoch(tmp_path) for _ in range(3)] == [1, 2, 3]


def test_a_lost_file_does_not_give_an_epoch_of_the_journal_again(tmp_path: Path) -> None:
    """With the same epoch a recovery would take an earlier start's rings for its own."""
    journal = Journal(tmp_path / "journal")
    for _ in range(4):
        journal.start()
        fill(journal, 2)
    journal.close()
    assert next_epoch(tmp_path) == 5


def test_a_damaged_file_is_named_and_can_be_removed(tmp_path: Path) -> None:
    next_epoch(tmp_path)
    (tmp_path / EPOCH_FILE).write_text("one")
    with pytest.raises(StartError, match=r"epoch holds no number; remove it and start again"):
        next_epoch(tmp_path)
    (tmp_path / EPOCH_FILE).unlink()
    assert next_epoch(tmp_path) == 1
