"""What `pinion journal migrate` refuses to bring over, and what it says of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import JournalError
from engine.runtime.replay import snapshot
from pinion.cli.journal.bring_over import bring_over
from pinion.cli.main import main
from tests.engine.runtime.echo_tools import BOTH
from tests.pinion.cli.journal import small_journal
from tests.pinion.cli.journal.bring_over.reading import (
    UPTO,
    capacities_of,
    digests_of_snapshots,
    run,
)
from tests.pinion.cli.journal.other_versions import LATER, with_rows
from tests.pinion.cli.journal.subjects import OF_TRADING, Subject


def damage(path: Path) -> None:
    """Change bytes of a snapshot's content; its header stays whole."""
    record = np.load(path, mmap_mode="r+", max_header_size=2**20)
    _, at = record.dtype.fields["state"]
    record.view(np.uint8)[at + 8 : at + 12] ^= 0xFF
    record.flush()


def test_old_segments_of_which_the_layout_does_not_say_that_they_differ_are_named(
    subject: Subject, data_dir: Path, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = old / "journal" / "layout.json"
    before = path.read_bytes()
    bring_over(old, Disk(), BOTH)
    small_journal.append(old, subject.filling(10_000, 20))  # marked as segments are now
    path.write_bytes(before)

    assert run(old) == 1

    assert "are of different capacities or applications" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_no_command_is_quarantined_beside_a_snapshot_that_may_hold_it(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["journal", "quarantine", "700", "--data", str(data_dir)], LATER) == 1

    assert f"pinion journal migrate {data_dir}" in capsys.readouterr().err


def test_a_segment_of_other_capacities_is_refused_among_old_ones(subject: Subject, old: Path) -> None:
    bring_over(old, Disk(), BOTH)
    path = old / "journal" / "layout.json"
    layout = json.loads(path.read_bytes())
    layout["earlier"][0]["identity"] += 1
    path.write_text(json.dumps(layout))

    with pytest.raises(JournalError, match="written with other capacities or another application"):
        small_journal.replayed(old)


@pytest.mark.parametrize("command", [("verify",), ("archive", "--without-history")])
def test_a_snapshot_of_another_layout_that_is_needed_is_named_with_the_mend(
    beheaded: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = command

    assert main(["journal", name, str(beheaded), *options], LATER) == 1

    said = capsys.readouterr().err
    assert f"pinion journal migrate {beheaded}; it is needed, for " in said


def test_an_application_that_cannot_convert_its_state_says_so(
    subject: Subject, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = with_rows(
        lambda application: replace(LATER[application.name]().make(capacities_of(data_dir)), convert=None)
    )

    assert run(data_dir, applications=fixed) == 1

    assert f"'{subject.name}' cannot bring a state into another layout" in capsys.readouterr().err


def test_damaged_snapshots_of_another_layout_are_called_damaged_and_the_segments_asked_for(
    subject: Subject, beheaded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in snapshot.snapshot_paths(beheaded):
        damage(path)

    assert run(beheaded, applications=LATER) == 1

    told = capsys.readouterr()
    assert told.out.count("is damaged: its content does not fit its digest") == len(UPTO)
    assert "no snapshot is whole" in told.err
    assert f"pinion journal restore {beheaded}" in told.err
    assert "migrate" not in told.err.replace("pinion journal migrate:", "")
    for path in (beheaded / "archive").iterdir():
        path.rename(beheaded / "journal" / path.name)
    assert run(beheaded, applications=LATER) == 0


def test_what_is_passed_over_is_not_told_as_something_done(
    subject: Subject, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(snapshot.snapshot_paths(data_dir)[0])
    assert run(data_dir, applications=LATER) == 0
    assert "brought over" in capsys.readouterr().out

    assert run(data_dir, applications=LATER) == 0

    said = capsys.readouterr().out
    assert "passed over" in said
    assert "nothing to do" in said


def test_capacities_that_no_snapshot_has_are_refused(
    subject: Subject, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _ = subject.is_full
    path = old / "journal" / "layout.json"
    layout = json.loads(path.read_bytes())
    layout["capacities"][name] *= 2
    path.write_text(json.dumps(layout))

    assert run(old, applications=LATER) == 1

    said = capsys.readouterr().err
    had = subject.small[name]
    assert f"was taken with {name} = {had}, layout.json says {2 * had} there" in said
    assert "bring the one or the other back from a backup" in said
    assert json.loads(path.read_bytes()) == layout


def test_who_brought_a_folder_over_and_was_refused_the_rest_is_told_both(
    subject: Subject, old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = subject.write_config(tmp_path / "small.toml", subject.small | {"accounts": 1})

    assert run(old, "--config", str(config)) == 2

    assert "the folder is of this version now, with the capacities that it had" in capsys.readouterr().err


@OF_TRADING
def test_a_field_of_which_nobody_says_what_it_was_stops_it_and_nothing_has_changed(
    subject: Subject, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digests_of_snapshots(data_dir, BOTH)
    more = with_rows(
        lambda application: replace(
            application, state_dtype=np.dtype([*fields_of(application.state_dtype), ("surplus", "<i8")])
        )
    )

    assert run(data_dir, applications=more) == 1

    assert "surplus: states of before have no such field" in capsys.readouterr().err
    assert digests_of_snapshots(data_dir, BOTH) == before


def fields_of(state_dtype: np.dtype[Any]) -> list[Any]:
    return [(name, state_dtype[name]) for name in state_dtype.names or ()]
