"""`pinion journal migrate` behind an update: folders of an earlier version, states laid out otherwise."""

import json
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.contract.replica import private_state
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import JournalError, open_segment, segment_paths
from engine.runtime.replay import snapshot
from engine.runtime.replay.eras import load_snapshot
from engine.settings.config import ConfigError
from pinion.cli.applications import Applications
from pinion.cli.journal.bring_over import bring_over
from pinion.cli.journal.data import application_as, application_of, read_layout, remember
from pinion.cli.journal.migrate import migrate, state_at_end
from pinion.cli.main import main
from tests.engine.runtime.echo import NAME as ECHO_NAME
from tests.engine.runtime.echo_tools import BOTH
from tests.engine.runtime.journal.power import KilledError
from tests.engine.runtime.journal.test_archive import DyingDisk
from tests.pinion.cli.journal import small_journal
from tests.pinion.cli.journal.other_versions import LATER, make_old, with_rows
from tests.pinion.cli.journal.subjects import ECHO, OF_TRADING, Subject, pinion

EVERY_COMMAND = (
    *(("journal", name) for name in ("verify", "dump", "stats", "archive")),
    *(("replay",), ("whatif", "--limit", '{"account":1,"max_open_orders":5}')),
)
OF_ECHO = pytest.mark.parametrize("subject", [ECHO], ids=["echo"], indirect=True)
UPTO = (300, 600)
"""Where the snapshots are taken."""


@pytest.fixture(scope="module")
def written(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped instance's folder, with two snapshots and commands behind them."""
    data_dir = tmp_path_factory.mktemp("data")
    remember(data_dir, subject.name, subject.small, BOTH)
    small_journal.append(data_dir, [*subject.definitions, *subject.mixed(1, 700, 1)])
    for upto in UPTO:
        small_journal.take_snapshot(data_dir, upto)
    return data_dir


@pytest.fixture
def data_dir(written: Path, tmp_path: Path) -> Path:
    """Return a copy that may be changed."""
    return Path(shutil.copytree(written, tmp_path / "data"))


@pytest.fixture
def old(data_dir: Path) -> Path:
    """Return the folder as an earlier version left it."""
    make_old(data_dir)
    return data_dir


@pytest.fixture
def beheaded(data_dir: Path) -> Path:
    """Return the folder without its first segments, as an archive leaves it."""
    archived = data_dir / "archive"
    archived.mkdir()
    for path in segment_paths(data_dir / "journal"):
        if open_segment(path).head.begin.seq <= UPTO[0] - 100:
            path.rename(archived / path.name)
    return data_dir


def run(data_dir: Path, *options: str, applications: Applications = BOTH) -> int:
    return main(["journal", "migrate", str(data_dir), *options], applications)


def content_of(data_dir: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (data_dir / "journal").glob("*.npy")}


def replayed_digest(data_dir: Path) -> str:
    return application_of(data_dir, BOTH).digest(small_journal.replayed(data_dir).state)


def digest_at_end(data_dir: Path, applications: Applications = BOTH) -> str:
    application = application_of(data_dir, applications)
    return application.digest(state_at_end(data_dir, application)[0].state)


def digests_of_snapshots(data_dir: Path, applications: Applications) -> list[str]:
    """Return what every snapshot holds, newest first, as today's version sees it."""
    today = application_as(read_layout(data_dir, applications), BOTH)
    application = application_of(data_dir, applications)
    found = []
    for path in snapshot.snapshot_paths(data_dir):
        record = load_snapshot(path, application)[0].record
        state = private_state(today.state_dtype)
        assert today.convert is not None
        today.convert(record["state"], state)
        found.append(today.digest(state))
    return found


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


@pytest.mark.parametrize("command", [("verify",), ("archive", "--without-history")])
def test_a_snapshot_of_another_layout_that_is_needed_is_named_with_the_mend(
    beheaded: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = command

    assert main(["journal", name, str(beheaded), *options], LATER) == 1

    said = capsys.readouterr().err
    assert f"pinion journal migrate {beheaded}; it is needed, for " in said


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


def test_an_application_that_cannot_convert_its_state_says_so(
    subject: Subject, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = with_rows(
        lambda application: replace(LATER[application.name]().make(capacities_of(data_dir)), convert=None)
    )

    assert run(data_dir, applications=fixed) == 1

    assert f"'{subject.name}' cannot bring a state into another layout" in capsys.readouterr().err


def damage(path: Path) -> None:
    """Change bytes of a snapshot's content; its header stays whole."""
    content = bytearray(path.read_bytes())
    at = snapshot.NPY_HEAD_BYTES + snapshot.META_BYTES + 8
    content[at : at + 4] = bytes(each ^ 0xFF for each in content[at : at + 4])
    path.write_bytes(content)


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


def capacities_of(data_dir: Path) -> dict[str, int]:
    return read_layout(data_dir, BOTH).capacities
