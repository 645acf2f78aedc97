"""`pinion journal archive`, `restore` and what `stats` and `replay` say of archived segments."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.contract.replica import Replica
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import Position
from engine.runtime.journal.journal import START, JournalReader, first_seq_of, segment_paths
from engine.runtime.journal.writer import JournalWriter
from engine.runtime.process import take_role
from engine.runtime.replay import snapshot
from pinion.cli.journal.archive import needed_from
from pinion.cli.journal.data import remember
from tests.engine.runtime.echo_tools import BOTH
from tests.pinion.cli.journal.subjects import OF_TRADING, Subject, pinion

FRAMES = 30
PER_FRAME = 7


@pytest.fixture(scope="module")
def written(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a journal of some segments, snapshots behind frames 10 and 20 of 30."""
    data_dir = tmp_path_factory.mktemp("data")
    application = BOTH[subject.name]().make(subject.small)
    remember(data_dir, subject.name, subject.small, BOTH)
    replica = Replica(application)
    writer = JournalWriter(data_dir / "journal", Disk(), owner=application.owner, epoch=1, slot_count=32)
    writer.begin(1, START)
    commands = np.concatenate([*subject.definitions, *subject.filling(1, PER_FRAME * FRAMES)])
    for number in range(FRAMES):
        entries = entries_of(commands, number, application.entry_dtype)
        if writer.room < len(entries):
            writer.rotate()
        seq = writer.append(entries.view(np.uint8), np.zeros(0, np.uint8), PER_FRAME * number)
        replica.skip(entries)
        if number in (10, 20):
            *_, last = JournalReader(data_dir / "journal")
            assert last.last_seq == seq
            snapshot.write(data_dir, replica, Position(seq, last.digest), application, Disk())
    writer.close()
    return data_dir


def entries_of(commands: np.ndarray, frame: int, dtype: np.dtype[np.void]) -> np.ndarray:
    first = PER_FRAME * frame
    entries = np.zeros(PER_FRAME, dtype)
    entries["seq"] = np.arange(first + 1, first + PER_FRAME + 1)
    entries["eng_ts"] = 1_000_000 * entries["seq"]
    entries["ring_seq"] = entries["seq"] - 1
    entries["command"] = commands[first : first + PER_FRAME]
    return entries


@pytest.fixture
def data_dir(written: Path, tmp_path: Path) -> Path:
    """Return a copy that may be changed."""
    return Path(shutil.copytree(written, tmp_path / "data"))


def archive(data_dir: Path, *options: str) -> int:
    return pinion(["journal", "archive", str(data_dir), "--without-history", *options])


def files(data_dir: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in segment_paths(data_dir / "journal")}


def test_what_the_older_snapshot_does_not_need_goes_and_comes_back(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, older = files(data_dir), 11 * PER_FRAME

    assert archive(data_dir) == 0

    kept = segment_paths(data_dir / "journal")
    assert first_seq_of(kept[0]) <= older + 1 < first_seq_of(kept[1])
    assert {path.name for path in (data_dir / "archive").iterdir()} == {
        f"{name}.zst" for name in before.keys() - {path.name for path in kept}
    }
    said = capsys.readouterr().out
    assert f"needed from seq {older + 1} on, by the older snapshot" in said
    assert "bytes a command" in said
    assert pinion(["journal", "verify", str(data_dir)]) == 0
    assert pinion(["journal", "restore", str(data_dir)]) == 0
    assert files(data_dir) == before
    assert "the journal begins at seq 1" in capsys.readouterr().out


def test_a_dry_run_tells_and_does_nothing(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(data_dir)

    assert archive(data_dir, "--dry-run") == 0

    assert capsys.readouterr().out.count("would archive") == 3
    assert files(data_dir) == before
    assert not (data_dir / "archive").exists()


def test_rules_that_the_journal_names_go_before_its_segments_and_come_back(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data_dir / "rules" / "code").mkdir(parents=True)
    (data_dir / "rules" / "a1.json").write_text("{}")
    (data_dir / "rules" / "code" / "k").write_text("code")

    assert archive(data_dir) == 0
    told = capsys.readouterr().out.splitlines()
    assert told.index("rules copied   a1.json") < next(
        place for place, line in enumerate(told) if line.startswith("archived")
    )
    assert [path.name for path in (data_dir / "archive" / "rules").iterdir()] == ["a1.json"]
    shutil.rmtree(data_dir / "rules")
    assert pinion(["journal", "restore", str(data_dir)]) == 0
    assert (data_dir / "rules" / "a1.json").read_text() == "{}"
    assert (data_dir / "rules").stat().st_mode & 0o777 == 0o700


def test_another_folder_serves_both_ways(data_dir: Path, tmp_path: Path) -> None:
    before, folder = files(data_dir), tmp_path / "far" / "away"

    assert archive(data_dir, "--to", str(folder)) == 0
    assert pinion(["journal", "restore", str(data_dir)]) == 1
    assert pinion(["journal", "restore", str(data_dir), "--from", str(folder)]) == 0

    assert files(data_dir) == before
    assert archive(data_dir, "--to", str(folder)) == 0, "what is in both places goes from the journal"


def test_the_journal_itself_is_no_archive(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(data_dir)

    for folder in (data_dir / "journal", data_dir / "journal" / "old"):
        assert archive(data_dir, "--to", str(folder)) == 2
        assert f"--to {folder}: is the journal's own folder" in capsys.readouterr().err

    assert files(data_dir) == before


def parted(data_dir: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Archive into two folders: the first segment into one, the others into another."""
    one, other = tmp_path / "one", tmp_path / "other"
    archive(data_dir, "--to", str(one))
    other.mkdir()
    for path in sorted(one.iterdir())[1:]:
        path.rename(other / path.name)
    return one, other


def test_verify_tells_what_is_missing_and_which_archive_holds_it(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = first_seq_of(segment_paths(data_dir / "journal")[1])
    one, other = parted(data_dir, tmp_path)
    begin = first_seq_of(segment_paths(data_dir / "journal")[0])
    verify = ["journal", "verify", str(data_dir)]
    capsys.readouterr()

    assert pinion(verify) == 1
    said = capsys.readouterr()
    assert f"not here       seq 1 to {begin - 1}" in said.out
    assert f"seq 1 to {begin - 1} are neither in the journal nor in" in said.err

    assert pinion([*verify, "--archive", str(one)]) == 1
    assert f"seq {second} to {begin - 1} are neither" in capsys.readouterr().err
    assert pinion([*verify, "--archive", str(other)]) == 1
    assert f"seq 1 to {second - 1} are neither" in capsys.readouterr().err
    assert pinion([*verify, "--archive", str(one), "--archive", str(other)]) == 0
    assert f"seq 1 to {begin - 1}; without a gap in {one}, {other}" in capsys.readouterr().out

    assert pinion(["journal", "dump", str(data_dir), "--from", "1", "--to", str(begin)]) == 1
    assert f"seq 1 to {begin - 1} are not here" in capsys.readouterr().err
    assert pinion(["journal", "dump", str(data_dir), "--to", str(begin)]) == 0
    assert f"begins at seq {begin}: seq 1 to {begin - 1} are not here" in capsys.readouterr().err


def test_stats_and_restore_tell_of_one_archive_of_two(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = first_seq_of(segment_paths(data_dir / "journal")[1])
    one, other = parted(data_dir, tmp_path)
    capsys.readouterr()

    assert pinion(["journal", "stats", str(data_dir), "--archive", str(one)]) == 0
    assert f"  commands     seq 1 to {second - 1}\n" in capsys.readouterr().out
    assert pinion(["journal", "restore", str(data_dir), "--from", str(one)]) == 1
    assert "--from FOLDER" in capsys.readouterr().err
    assert pinion(["journal", "restore", str(data_dir), "--from", str(other)]) == 0
    assert pinion(["journal", "restore", str(data_dir), "--from", str(one)]) == 0


@OF_TRADING
def test_replay_names_the_command_that_brings_the_segments_back(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(data_dir)

    assert pinion(["replay", str(data_dir)]) == 1
    assert f"pinion journal restore {data_dir}" in capsys.readouterr().err
    assert pinion(["journal", "restore", str(data_dir)]) == 0
    assert pinion(["replay", str(data_dir)]) == 0


def test_stats_tell_what_the_archive_holds(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(data_dir)
    capsys.readouterr()

    assert pinion(["journal", "stats", str(data_dir)]) == 0

    said = capsys.readouterr().out
    assert "archived       3 segments" in said
    assert "commands     seq 1 to" in said
    assert "a day" in said


@pytest.mark.parametrize("kept", [0, 1])
def test_without_two_whole_snapshots_nothing_goes(
    data_dir: Path, kept: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(data_dir)
    for path in snapshot.snapshot_paths(data_dir)[kept:]:
        path.unlink()

    assert archive(data_dir) == 1

    assert f"{kept} whole snapshots, 2 are needed" in capsys.readouterr().err
    assert files(data_dir) == before


def test_a_damaged_snapshot_is_none(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest = snapshot.snapshot_paths(data_dir)[0]
    content = bytearray(newest.read_bytes())
    content[8192 + 64] ^= 1
    newest.write_bytes(content)

    assert archive(data_dir) == 1

    assert "1 whole snapshots, 2 are needed" in capsys.readouterr().err


def test_where_nobody_can_tell_how_far_history_is_nothing_goes(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(data_dir)

    assert pinion(["journal", "archive", str(data_dir)]) == 1

    assert "--without-history" in capsys.readouterr().err
    assert files(data_dir) == before


@pytest.mark.parametrize(
    ("floor", "mark", "needed"),
    [(100, None, 101), (100, 500, 101), (100, 101, 101), (100, 100, 100), (100, 99, 1)],
)
def test_history_keeps_what_it_would_begin_with(floor: int, mark: int | None, needed: int) -> None:
    assert needed_from(floor, mark)[0] == needed


def test_two_at_once_are_refused(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = take_role(data_dir, "archive")
    try:
        assert archive(data_dir) == 1
    finally:
        os.close(lock)

    assert f"is held by process {os.getpid()}" in capsys.readouterr().err
