"""A damaged journal/layout.json is named with field, value and mend by every command."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.journal.journal import JournalError, segment_paths
from engine.settings.config import ConfigError
from pinion.cli.journal.data import read_layout
from pinion.cli.main import main
from tests.capacities import SMALL
from tests.pinion.cli.journal.small_journal import DEFINITIONS, append, begin

EVERY_COMMAND = (
    *(("journal", name) for name in ("verify", "dump", "stats", "archive", "restore")),
    *(("replay",), ("whatif", "--limit", '{"account":1,"max_open_orders":5}')),
)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Return a folder with a journal."""
    made = tmp_path / "data"
    begin(made)
    append(made, [*DEFINITIONS])
    return made


def damage(data_dir: Path, field: str, value: Any) -> None:
    """Set a field, such as capacities.orders; a value of None removes it."""
    path = data_dir / "journal" / "layout.json"
    layout = json.loads(path.read_bytes())
    *parents, name = field.split(".")
    where = layout
    for parent in parents:
        where = where[parent]
    if value is None:
        del where[name]
    else:
        where[name] = value
    path.write_text(json.dumps(layout))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("capacities.ordres", 5, "capacities.ordres = 5: there is no such field, did you mean 'orders'?"),
        ("capacities.orders", None, "capacities.orders: is missing"),
        ("capacities.orders", "many", "capacities.orders = 'many': no journal has that capacity"),
        ("capacities.orders", -1, "capacities.orders = -1: no journal has that capacity"),
        ("capacities", None, "capacities: is missing"),
        ("capacities", 7, "capacities = 7: must be an object"),
        (
            "application",
            "auctions",
            "application = 'auctions': no tool of this program knows it, only 'payments', 'trading'",
        ),
        ("application", None, "application: is missing"),
        ("past", {}, "past = {}: must be a list"),
        ("past", [{"last_seq": 1, "number": 2}], "past[0].capacities: is missing"),
        ("versoin", 2, "versoin = 2: there is no such field, did you mean 'version'?"),
        ("version", 3, "version = 3: this Pinion knows 1 and 2"),
        ("version", "2", "version = '2': this Pinion knows 1 and 2"),
        ("earlier", 7, "earlier = 7: must be a list"),
        (
            "earlier",
            [{"number": 0, "identity": 1}],
            "earlier[0].number = 0: must be a whole number from 1 on",
        ),
        ("earlier", [{"number": 2, "identity": 2**63}], f"earlier[0].identity = {2**63}: must be"),
    ],
)
def test_a_wrong_field_is_named(
    data_dir: Path, field: str, value: Any, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(data_dir, field, value)

    assert main(["journal", "verify", str(data_dir)]) == 1

    told = capsys.readouterr().err
    assert f"{data_dir / 'journal' / 'layout.json'}: {said}" in told
    assert "bring the file back from a backup" in told


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda command: command[-1][:7])
def test_a_cut_file_is_named_by_every_command(
    data_dir: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    path = data_dir / "journal" / "layout.json"
    path.write_bytes(path.read_bytes()[:40])
    (data_dir / "archive").mkdir()

    assert main([*command, str(data_dir)]) == 1

    told = capsys.readouterr().err
    assert f"{path}: is cut or damaged" in told
    assert "bring the file back from a backup" in told


def test_a_key_given_twice_is_named(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data_dir / "journal" / "layout.json"
    path.write_text(path.read_text().replace('"orders":', '"orders":64,"orders":'))

    assert main(["journal", "verify", str(data_dir)]) == 1

    told = capsys.readouterr().err
    assert f"{path}: orders = ['64', '" in told
    assert "the key 'orders' is given twice in one object; give it once" in told


def test_a_missing_file_beside_segments_is_damage(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data_dir / "journal" / "layout.json").unlink()

    assert main(["journal", "verify", str(data_dir)]) == 1

    told = capsys.readouterr().err
    assert "layout.json: is missing; bring the file back from a backup" in told


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda command: command[-1][:7])
@pytest.mark.parametrize("kind", ["nothing", "file"])
def test_what_is_no_folder_is_named_and_left_alone(
    tmp_path: Path, kind: str, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "given"
    if kind == "file":
        given.write_bytes(b"\x01\x02")

    assert main([*command, str(given)]) == 1

    told = capsys.readouterr().err
    assert str(given) in told
    assert "Errno" not in told
    assert [path.name for path in tmp_path.iterdir()] == (["given"] if kind == "file" else [])


def test_a_folder_without_a_journal_is_left_alone(tmp_path: Path) -> None:
    for command in EVERY_COMMAND:
        assert main([*command, str(tmp_path)]) == 1

    assert not [*tmp_path.iterdir()]


def test_a_start_writes_a_lost_file_again_only_where_the_segments_fit(data_dir: Path) -> None:
    path = data_dir / "journal" / "layout.json"
    before = path.read_bytes()
    path.unlink()

    with pytest.raises(
        JournalError,
        match=r"layout\.json: is missing, and .* is of other capacities, or of an earlier version",
    ):
        begin(data_dir, replace(SMALL, orders=2 * SMALL.orders))
    assert not path.exists(), "a wrong one would mislead every tool"
    begin(data_dir, SMALL)

    assert path.read_bytes() == before


def test_a_layout_of_which_no_journal_came_binds_nobody(tmp_path: Path) -> None:
    begin(tmp_path, SMALL)
    other = replace(SMALL, orders=2 * SMALL.orders)

    begin(tmp_path, other)

    assert read_layout(tmp_path).capacities == asdict(other)


@pytest.mark.parametrize(
    "name",
    [
        "journal/00000001-0000000000000001.npy",
        "snapshots/0000000000000007.npy",
        "archive/00000001-0000000000000001.npy.zst",
    ],
)
def test_segment_snapshot_or_archive_binds_to_its_layout(tmp_path: Path, name: str) -> None:
    begin(tmp_path, SMALL)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()

    with pytest.raises(ConfigError, match=f"engine.capacities.orders = {2 * SMALL.orders}: the journal in"):
        begin(tmp_path, replace(SMALL, orders=2 * SMALL.orders))

    assert read_layout(tmp_path).capacities == asdict(SMALL)


def test_a_layout_with_a_past_binds_also_alone(data_dir: Path) -> None:
    past = [{"capacities": asdict(replace(SMALL, orders=8)), "last_seq": 3, "number": 2}]
    damage(data_dir, "past", past)
    for segment in segment_paths(data_dir / "journal"):
        segment.unlink()

    with pytest.raises(ConfigError, match="the journal in"):
        begin(data_dir, replace(SMALL, orders=2 * SMALL.orders))
