"""What was promised is there after any loss of power, also after several in a row.

PINION_LONG=1 goes through more lives; a failure names its seed: History(seed).run().
"""

import os
import random
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.journal.disk import Disk
from engine.runtime.journal.survey import survey
from tests.engine.runtime.journal.lives import LIES, History, NewDisk
from tests.engine.runtime.journal.power import RecordingDisk, after_loss, make
from tests.engine.runtime.journal.written import Journal, fill, read

HISTORIES = 10_000 if os.environ.get("PINION_LONG") == "1" else 220
HISTORIES_OF_LIARS = 60


def test_everything_promised_outlives_every_loss_of_power() -> None:
    histories = [History(seed) for seed in range(HISTORIES)]

    wrong = [text for text in (history.run() for history in histories) if text]

    assert not wrong, "\n".join(wrong)
    assert sum(history.losses for history in histories) > 2 * HISTORIES
    assert sum(history.rescued for history in histories) > HISTORIES


@pytest.mark.parametrize("liar", LIES)
def test_a_disk_that_lies_about_any_sync_is_found_out(liar: NewDisk) -> None:
    wrong = [text for text in (History(seed, liar).run() for seed in range(HISTORIES_OF_LIARS)) if text]

    assert wrong


def test_a_loss_that_keeps_nothing_unsynced_keeps_what_was_promised(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path / "journal", {}, random.Random(1))
    journal = Journal(tmp_path / "journal", disk)
    journal.start()
    marks = fill(journal, *[5] * 10)
    journal.put(7, 8)
    end = len(disk.log)
    journal.write_unheard(2)

    make(tmp_path / "after", after_loss(disk.log[:end], random.Random(2)))

    assert read(tmp_path / "after")[0] == marks
    assert survey(tmp_path / "after").cut is None
    journal.close()


def test_a_torn_last_frame_is_cut_wherever_it_is_torn(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path / "journal", {}, random.Random(1))
    journal = Journal(tmp_path / "journal", disk)
    journal.start()
    marks = fill(journal, 3, 2)
    journal.put(7, 8)
    journal.write_unheard(2)
    assert disk.log[-1][0] == "sync"

    ends = set()
    for seed in range(200):
        make(tmp_path / str(seed), after_loss(disk.log[:-1], random.Random(seed)))
        found = survey(tmp_path / str(seed))
        ends.add((found.end.seq, found.cut is not None))
        assert read(tmp_path / str(seed))[0][:5] == marks

    assert ends == {(5, False), (5, True), (7, False)}
    journal.close()


def test_the_disks_of_these_tests_are_disks() -> None:
    kinds: tuple[Any, ...] = (RecordingDisk, *LIES)

    assert all(issubclass(each, Disk) for each in kinds)
