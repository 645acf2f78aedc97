"""`pinion journal migrate` behind an update: folders of an earlier version, states laid out otherwise."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import JournalError, open_segment, segment_paths
from engine.runtime.replay import snapshot
from engine.runtime.replay.eras import load_snapshot
from engine.settings.config import ConfigError
from pinion.cli.journal.bring_over import bring_over
from pinion.cli.journal.data import application_of, read_layout, remember
from pinion.cli.journal.migrate import migrate
from pinion.cli.main import main
from tests.engine.runtime.echo import NAME as ECHO_NAME
from tests.engine.runtime.echo_tools import BOTH
from tests.engine.runtime.journal.power import KilledError
from tests.engine.runtime.journal.test_archive import DyingDisk
from tests.pinion.cli.journal import small_journal
from tests.pinion.cli.journal.bring_over.reading import (
    content_of,
    digest_at_end,
    digests_of_snapshots,
    replayed_digest,
    run,
)
from tests.pinion.cli.journal.other_versions import LATER, make_old
from tests.pinion.cli.journal.subjects import ECHO, OF_TRADING, Subject, pinion

OF_ECHO = pytest.mark.parametrize("subject", [ECHO], ids=["echo"], indirect=True)
EVERY_COMMAND = (
    *(("journal", name) for name in ("verify", "dump", "stats", "archive")),
    *(("replay",), ("whatif", "--limit", '{"account":1,"max_open_orders":5}')),
)


@OF_TRADING
@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda command: command[-1][:7])
def test_every_command_refuses_an_old_folder_and_names_the_mend(
    subject: Subject, old: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = command
    place = [name, options.pop(0), str(old)] if name == "journal" else [name, str(old)]

    assert pinion([*place, *options]) == 1

    said = capsys.readouterr().err
    assert f"{old}: its journal was written by an earlier version of Pinion" in said
    assert f"pinion journal migrate {old}" in said
    assert said.count("\n") == 1


def test_a_start_refuses_an_old_folder_and_names_the_mend(subject: Subject, old: Path) -> None:
    with pytest.raises(JournalError, match=f"earlier version of Pinion.*pinion journal migrate {old}"):
        remember(old, subject.name, subject.small, BOTH)


def test_an_old_folder_is_brought_over_and_no_segment_changes(
    subject: Subject, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content_of(old)

    assert run(old) == 0

    said = capsys.readouterr().out
    assert f"brought over   the segments before number {len(before) + 1}, unchanged" in said
    assert content_of(old) == before
    assert pinion(["journal", "verify", str(old)]) == 0
    assert digest_at_end(old) == replayed_digest(old)
    small_journal.append(old, subject.mixed(2_000, 100, 2))
    assert digest_at_end(old) == replayed_digest(old)
    newest = open_segment(segment_paths(old / "journal")[-1]).head.identity
    assert newest == application_of(old, BOTH).identity


def test_twice_is_once(subject: Subject, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(old)
    layout = (old / "journal" / "layout.json").read_bytes()
    capsys.readouterr()

    assert run(old) == 0

    assert "nothing to do" in capsys.readouterr().out
    assert (old / "journal" / "layout.json").read_bytes() == layout


def test_an_old_folder_gets_other_capacities_in_the_same_run(
    subject: Subject, old: Path, tmp_path: Path
) -> None:
    before = replayed_events(old)
    file = subject.write_config(tmp_path / "large.toml", subject.large)

    assert run(old, "--config", str(file)) == 0

    small_journal.append(old, subject.filling(10_000, 20))
    assert replayed_events(old)[: len(before)] == before
    assert digest_at_end(old) == replayed_digest(old)


def replayed_events(data_dir: Path) -> list[Any]:
    """Return the bytes of the commands of the journal, whoever reads it."""
    parts = [open_segment(path).records for path in segment_paths(data_dir / "journal")]
    return [entry.tobytes() for part in parts for entry in part[part["seq"] > 0]]


def test_an_old_folder_with_other_capacities_before_is_one_still(subject: Subject, data_dir: Path) -> None:
    migrate(data_dir, subject.large, Disk(), BOTH)
    small_journal.append(data_dir, subject.filling(10_000, 20))
    expected = replayed_digest(data_dir)
    make_old(data_dir)

    bring_over(data_dir, Disk(), BOTH)

    first, last = (each.identity for each in read_layout(data_dir, BOTH).earlier)
    assert first != last
    assert replayed_digest(data_dir) == digest_at_end(data_dir) == expected
    small_journal.append(data_dir, subject.filling(20_000, 20))
    assert digest_at_end(data_dir) == replayed_digest(data_dir)
    with pytest.raises(ConfigError, match="was written with"):
        remember(data_dir, subject.name, subject.small, BOTH)


def test_segments_that_come_back_from_an_archive_are_known_by_their_place_in_the_chain(
    subject: Subject, data_dir: Path
) -> None:
    migrate(data_dir, subject.large, Disk(), BOTH)
    expected = replayed_digest(data_dir)
    make_old(data_dir)
    away = data_dir.parent / "away"
    away.mkdir()
    for path in segment_paths(data_dir / "journal")[:-1]:
        path.rename(away / path.name)

    bring_over(data_dir, Disk(), BOTH)
    for path in away.iterdir():
        path.rename(data_dir / "journal" / path.name)

    assert read_layout(data_dir, BOTH).earlier[0].identity is None
    assert replayed_digest(data_dir) == expected


def test_killed_at_any_moment_the_folder_is_brought_over_by_the_next_run(
    subject: Subject, old: Path, tmp_path: Path
) -> None:
    lives, alive = 0, DyingDisk()
    expected = None
    while not lives or alive.lives == 0:
        copy = Path(shutil.copytree(old, tmp_path / str(lives)))
        alive = DyingDisk(lives)
        with suppress(KilledError):
            bring_over(copy, alive, LATER)
        bring_over(copy, Disk(), LATER)

        found = digests_of_snapshots(copy, LATER)
        expected = expected or found
        assert found == expected
        assert content_of(copy) == content_of(old)
        assert bring_over(copy, Disk(), LATER) == ([], [])
        shutil.rmtree(copy)
        lives += 1
    assert lives > 15


def test_a_snapshot_of_another_layout_is_passed_over_where_the_journal_is_whole(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    application = application_of(data_dir, LATER)

    found, complaints = snapshot.newest(data_dir, application)

    assert found is None
    assert len(complaints) == 2
    assert all(f"pinion journal migrate {data_dir}" in each for each in complaints)
    assert main(["journal", "verify", str(data_dir)], LATER) == 0
    assert "passed over" in capsys.readouterr().out


def test_snapshots_of_another_layout_are_moved_and_hold_the_same(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digests_of_snapshots(data_dir, BOTH)

    assert run(data_dir, applications=LATER) == 0

    assert capsys.readouterr().out.count("brought over") == 2
    assert digests_of_snapshots(data_dir, LATER) == before
    assert main(["journal", "verify", str(data_dir)], LATER) == 0
    assert "passed over" not in capsys.readouterr().out
    assert run(data_dir, applications=LATER) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_without_its_first_segments_a_journal_goes_on_from_a_moved_snapshot(
    subject: Subject, beheaded: Path
) -> None:
    expected = digest_at_end(beheaded)
    make_old(beheaded)
    with pytest.raises(JournalError, match="pinion journal migrate"):
        application_of(beheaded, LATER)

    bring_over(beheaded, Disk(), LATER)

    if subject.name == ECHO_NAME:  # trading's kernels would be compiled for a state that nobody has
        assert digest_at_end(beheaded, LATER) == expected
    bring_over(beheaded, Disk(), BOTH)
    assert digest_at_end(beheaded) == expected


@OF_ECHO
def test_what_a_state_did_not_have_is_filled_by_the_application(subject: Subject, data_dir: Path) -> None:
    bring_over(data_dir, Disk(), LATER)

    application = application_of(data_dir, LATER)
    states = [
        load_snapshot(path, application)[0].record["state"] for path in snapshot.snapshot_paths(data_dir)
    ]
    assert [int(state["sum"][0]) for state in states] == [state["totals"].sum() for state in states]
    assert states[0]["sum"] > states[1]["sum"] > 0
