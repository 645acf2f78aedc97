"""A start that is refused changes nothing: no folder, no key, no capacities that bind the next one."""

import os
from pathlib import Path

import pytest

from engine.runtime.process import take_role
from pinion.cli.main import main
from tests.pinion.cli.journal import small_journal

CONFIG = """
[engine.capacities]
orders = 64
client_ids = 16
{more}
[[keys]]
name = "a"
token = "a-token-of-some-length"
[[currencies]]
currency = "USD"
[[instruments]]
symbol = "A"
base = "A"
quote = "USD"
lot_size = "1"
tick_size = "{tick_size}"
"""
ENDS = ["--api-port", "0", "--order-port", "0"]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def config(folder: Path, tick_size: str = "1", more: str = "") -> list[str]:
    """Return the option that names a configuration of few orders."""
    path = folder / "pinion.toml"
    path.write_text(CONFIG.format(tick_size=tick_size, more=more))
    return ["--config", str(path)]


def content(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tick_size": "abc"}, "instruments[0]: tick_size"),
        ({"more": "[[accounts]]\naccount = 1\ndeposit = { USD = '-' }"}, "accounts[0]: "),
        ({"more": "[engine]\nbatch = 0"}, "engine"),
        ({"more": "[orders]\nport = 8000"}, "orders.port = 8000"),
    ],
    ids=["instrument", "account", "engine", "doors"],
)
def test_a_wrong_configuration_makes_no_folder(
    tmp_path: Path, data_dir: Path, wrong: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["up", *config(tmp_path, **wrong), "--data", str(data_dir)]) == 2

    assert said in capsys.readouterr().err
    assert not data_dir.exists()


def test_ports_that_collide_make_no_folder(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--data", str(data_dir), "--api-port", "8001"]) == 2

    assert "orders.port = 8001: the same as api.port" in capsys.readouterr().err
    assert not data_dir.exists()


@pytest.mark.parametrize("is_demo", [True, False], ids=["demo", "file"])
def test_a_folder_that_is_in_use_stays_as_it_is(
    tmp_path: Path, data_dir: Path, is_demo: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir.mkdir()
    lock = take_role(data_dir, "supervisor")
    before = content(data_dir)
    try:
        options = [] if is_demo else config(tmp_path)
        assert main(["up", *options, "--data", str(data_dir), *ENDS]) == 1
    finally:
        os.close(lock)

    assert f"is in use by process {os.getpid()}: stop it" in capsys.readouterr().err
    assert content(data_dir) == before


def test_capacities_that_do_not_fit_make_no_key(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_journal.begin(data_dir)
    small_journal.append(data_dir, [*small_journal.DEFINITIONS])
    before = content(data_dir)

    assert main(["up", "--data", str(data_dir), *ENDS]) == 2

    assert "engine.capacities.orders = 262144: the journal in" in capsys.readouterr().err
    after = content(data_dir)
    assert {name: after[name] for name in before} == before
    assert all(name.endswith(".lock") for name in set(after) - set(before)), after.keys()


def test_a_key_that_cannot_be_read_leaves_no_capacities(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir.mkdir()
    (data_dir / "demo.key").write_text("short")

    assert main(["up", "--data", str(data_dir), *ENDS]) == 2

    assert "demo.key: holds no key" in capsys.readouterr().err
    assert not (data_dir / "journal").exists()
