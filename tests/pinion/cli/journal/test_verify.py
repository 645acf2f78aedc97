"""What `pinion journal verify` and `quarantine` say of what lies beside the commands."""

from pathlib import Path

import pytest

from pinion.cli.journal.data import remember
from tests.engine.runtime.echo_tools import BOTH
from tests.pinion.cli.journal.small_journal import append, take_snapshot
from tests.pinion.cli.journal.subjects import OF_TRADING, Subject, pinion


@pytest.fixture
def data_dir(subject: Subject, tmp_path: Path) -> Path:
    """Return a folder with 106 commands, some of them behind a snapshot."""
    made = tmp_path / "data"
    write(made, subject, 1)
    take_snapshot(made, upto=50)
    return made


def write(data_dir: Path, subject: Subject, first: int) -> None:
    """Write a journal whose commands are numbered from `first` on."""
    remember(data_dir, subject.name, subject.small, BOTH)
    append(data_dir, [*subject.definitions, *subject.filling(first, 100)])


def quarantine(data_dir: Path, seq: int) -> int:
    return pinion(["journal", "quarantine", str(seq), "--data", str(data_dir)])


def verify(data_dir: Path, *options: str) -> int:
    return pinion(["journal", "verify", str(data_dir), *options])


def snapshot_seq(data_dir: Path) -> int:
    (path,) = (data_dir / "snapshots").glob("*.npy")
    return int(path.stem)


def test_what_a_snapshot_contains_is_not_quarantined(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = snapshot_seq(data_dir)

    assert quarantine(data_dir, taken) == 1

    said = capsys.readouterr().err
    assert f"seq {taken} was applied, and is in the snapshot of seq {taken}" in said
    assert "just start" in said
    assert not (data_dir / "journal" / "quarantine").exists()
    assert quarantine(data_dir, taken + 1) == 0
    assert (data_dir / "journal" / "quarantine").read_text() == f"{taken + 1}\n"


def test_a_damaged_snapshot_contains_nothing(data_dir: Path) -> None:
    (path,) = (data_dir / "snapshots").glob("*.npy")
    content = bytearray(path.read_bytes())
    content[8192 + 64] ^= 1
    path.write_bytes(content)

    assert quarantine(data_dir, 9) == 0


def test_verify_lists_what_is_quarantined(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert quarantine(data_dir, 100) == quarantine(data_dir, 102) == 0
    capsys.readouterr()

    assert verify(data_dir) == 0

    assert "quarantined    seq 100, 102" in capsys.readouterr().out


@OF_TRADING
@pytest.mark.parametrize("content", [b"100\nx1\n", b"100\n\xff\xfe\n", b"100\n101 102\n", b"100\n-3\n"])
def test_a_damaged_quarantine_file_is_named(
    data_dir: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data_dir / "journal" / "quarantine"
    path.write_bytes(content)

    assert verify(data_dir) == 1
    told = capsys.readouterr().err
    assert pinion(["replay", str(data_dir)]) == 1

    for said in (told, capsys.readouterr().err):
        assert f"{path}: line 2:" in said
        assert "one seq a line" in said
        assert "correct that line" in said
        assert "invalid literal" not in said


def test_verify_finds_a_quarantined_command_that_is_to_come(
    subject: Subject, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = len(subject.definitions) + 100
    (data_dir / "journal" / "quarantine").write_text(f"{last + 1}\n")

    assert verify(data_dir) == 1

    assert f"seq {last + 1} is not in the journal, which ends at {last}" in capsys.readouterr().err


def test_verify_finds_the_snapshot_of_another_journal(
    subject: Subject, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    write(other, subject, 1000)
    foreign = take_snapshot(other, upto=50)
    (data_dir / "snapshots" / foreign.name).write_bytes(foreign.read_bytes())

    assert verify(data_dir) == 1

    said = capsys.readouterr()
    assert f"{data_dir / 'snapshots' / foreign.name}: the journal has another frame" in said.err
    assert "remove it" in said.err
    assert verify(other) == 0
