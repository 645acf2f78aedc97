"""The number of a start: greater than any before, also where the file that holds it is lost."""

import os
from pathlib import Path

import pytest

from engine.runtime.supervision.endings import StartError
from engine.runtime.supervision.epoch import EPOCH_FILE, next_epoch
from tests.engine.runtime.journal.written import Journal, fill


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


def test_an_old_file_does_not_give_an_epoch_of_the_journal_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for _ in range(4):
        journal.start()
        fill(journal, 2)
    journal.close()
    (tmp_path / EPOCH_FILE).write_text("2")

    assert next_epoch(tmp_path) == 5


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_file_is_ours_alone_under_any_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        next_epoch(tmp_path)
    finally:
        os.umask(before)

    assert (tmp_path / EPOCH_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content", [b"one", b"", b"-1", b"1.5", b"\xff\xfe", b"9" * 30, "\N{SUPERSCRIPT TWO}".encode(), b"\0" * 8]
)
def test_a_damaged_file_is_named_and_can_be_removed(tmp_path: Path, content: bytes) -> None:
    next_epoch(tmp_path)
    (tmp_path / EPOCH_FILE).write_bytes(content)
    with pytest.raises(StartError, match=r"epoch holds no number; remove it and start again"):
        next_epoch(tmp_path)
    (tmp_path / EPOCH_FILE).unlink()
    assert next_epoch(tmp_path) == 1
