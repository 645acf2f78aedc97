"""The tools open the data folders of every application in the registry, and refuse all others by name."""

import json
from pathlib import Path

import pytest

from engine.runtime.journal.frames import NPY_HEAD_BYTES
from engine.runtime.journal.journal import segment_paths
from engine.trading.name import TRADING
from pinion.cli.applications import APPLICATIONS
from pinion.cli.journal.data import remember
from pinion.cli.main import main
from tests.engine.runtime.echo import NAME
from tests.engine.runtime.echo_tools import BOTH
from tests.pinion.cli.journal import small_journal, subjects
from tests.pinion.cli.journal.subjects import Subject, pinion

COMMANDS = 60


def write(data_dir: Path, subject: Subject) -> Path:
    """Write a folder of this application."""
    remember(data_dir, subject.name, subject.small, BOTH)
    commands = [*subject.definitions, *subject.mixed(1, COMMANDS, 1)]
    small_journal.append(data_dir, commands)
    return data_dir


@pytest.fixture
def data_dir(subject: Subject, tmp_path: Path) -> Path:
    return write(tmp_path / "data", subject)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Return a folder of an application that the program does not have."""
    return write(tmp_path / "data", subjects.ECHO)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_dump_and_stats_name_operations_and_count_bytes(
    subject: Subject, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = BOTH[subject.name]()
    count = len(subject.definitions) + COMMANDS
    slot_bytes = tools.make(subject.small).entry_dtype.itemsize

    assert pinion(["journal", "dump", str(data_dir)]) == 0
    dumped = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert pinion(["journal", "stats", str(data_dir)]) == 0
    said = capsys.readouterr().out

    assert [each["seq"] for each in dumped] == list(range(1, count + 1))
    assert {each["op"] for each in dumped} <= set(tools.operations.values())
    for name in {each["op"] for each in dumped}:
        assert f"  {name:<14} {sum(each['op'] == name for each in dumped):,}\n" in said
    frames = -(-count // small_journal.PER_FRAME)
    assert f"commands       {count} in " in said
    assert f"{(count + frames) * slot_bytes:,} bytes, " in said


@pytest.mark.parametrize(
    "command",
    [
        *(("journal", name) for name in ("verify", "dump", "stats", "archive", "restore")),
        *(("replay",), ("whatif", "--limit", '{"account":1,"max_open_orders":5}')),
        *(("journal", "migrate", "--config", "none.toml"), ("journal", "quarantine", "5", "--data")),
        ("up", "--api-port", "0", "--order-port", "0", "--data"),
        ("up", "--durability", "none", "--api-port", "0", "--order-port", "0", "--data"),
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_a_folder_of_an_application_that_is_not_known_is_refused_by_name(
    foreign: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(foreign / "journal")

    assert main([*command, str(foreign)]) == 1

    said = capsys.readouterr().err
    ours = ", ".join(f"'{name}'" for name in sorted(APPLICATIONS))
    assert f"application = '{NAME}': no tool of this program knows it, only {ours}" in said
    assert "use the program that wrote the journal, or bring the file back" in said
    assert content(foreign / "journal") == before


@pytest.mark.parametrize(
    "command",
    [
        *(("replay",), ("whatif", "--limit", '{"account":1,"max_open_orders":5}')),
        ("up", "--api-port", "0", "--order-port", "0", "--data"),
        ("up", "--durability", "none", "--api-port", "0", "--order-port", "0", "--data"),
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_what_is_for_trading_alone_says_so(
    foreign: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(foreign / "journal")

    assert pinion([*command, str(foreign)]) == 1

    said = capsys.readouterr().err
    assert content(foreign / "journal") == before
    assert f"{foreign}: its journal is of the application '{NAME}', this is for '{TRADING}' alone" in said


@pytest.mark.parametrize(
    "command",
    [
        *(("journal", name) for name in ("verify", "dump", "stats")),
        *(("replay",), ("whatif", "--limit", '{"account":1,"max_open_orders":5}')),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_damage_in_the_last_segment_is_told_by_whoever_reads_it(
    tmp_path: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir = write(tmp_path / "data", subjects.TRADING)
    last = segment_paths(data_dir / "journal")[-1]
    damaged = bytearray(last.read_bytes())
    damaged[NPY_HEAD_BYTES + 2 * 160 + 40] ^= 1  # of the first command in it
    last.write_bytes(damaged)

    assert main([*command, str(data_dir)]) == 1

    said = capsys.readouterr().err
    assert f"{last}: no valid frame at byte {NPY_HEAD_BYTES + 160:,}" in said
    assert "was durable: it is damaged; bring the file back from a backup or the archive" in said
