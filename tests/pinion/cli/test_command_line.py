"""The words of the command line: versions, helps, near names, one exit code for each kind."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from pinion.cli.main import COMMANDS, main

ROOT = Path(__file__).resolve().parents[3]
USES = ("up", "status", "load", "traffic", "rules")
"""Of payments."""
ACTIONS = ("verify", "dump", "stats", "archive", "restore", "migrate", "quarantine")


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["--version"])

    assert ending.value.code == 0
    assert capsys.readouterr().out == f"pinion {version('pinion')}\n"


@pytest.mark.parametrize(
    ("given", "named"), [([], tuple(COMMANDS)), (["journal"], ACTIONS), (["payments"], USES)]
)
def test_command_without_a_word_prints_its_help(
    given: list[str], named: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(given) == 0

    shown = capsys.readouterr()
    assert shown.out.startswith("usage: pinion")
    assert all(f"\n    {name}" in shown.out for name in named)
    assert shown.err == ""


@pytest.mark.parametrize(
    "given",
    [[name] for name in COMMANDS]
    + [["journal", name] for name in ACTIONS]
    + [["payments", name] for name in USES],
)
def test_every_command_has_a_help(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main([*given, "--help"])

    assert ending.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: {' '.join(['pinion', *given])} [-h]")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (["replya"], "'replya'; did you mean 'replay'? there are up, status"),
        (["payments", "lod"], "'lod'; did you mean 'load'? there are up, status"),
        (["journal", "vrify", "DIR"], "'vrify'; did you mean 'verify'? there are verify, dump"),
        (["frobnicate"], "'frobnicate'; there are up, status"),
        (["up", "--durability", "synch"], "'synch'; did you mean 'sync'? there are sync, none"),
    ],
)
def test_unknown_word_is_answered_with_the_nearest_known_one(
    given: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(given)

    assert ending.value.code == 2
    assert f"invalid choice: {hint}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (["--nonsense"], "pinion"),
        (["up", "--nonsense"], "pinion up"),
        (["payments", "status", "--nonsense"], "pinion payments status"),
        (["journal", "dump", "DIR", "--nonsense"], "pinion journal dump"),
    ],
)
def test_unknown_option_is_refused_under_the_name_of_its_command(
    given: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(given)

    assert ending.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"usage: {name} [-h]")
    assert said.endswith(f"\n{name}: error: unrecognized arguments: --nonsense\n")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (["status", "--data", "{}"], 1),
        (["digest", "--data", "{}"], 1),
        (["replay", "{}"], 1),
        (["feed", "flow", "--to", "ring:{}"], 1),
        (["up", "--config", "{}"], 2),
        (["feed", __file__, "--to", "ws://127.0.0.1:1", "--data", "{}"], 2),
    ],
    ids=lambda given: str(given),
)
def test_a_path_through_a_file_is_told_as_such(
    tmp_path: Path, given: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()

    assert main([word.format(tmp_path / "file" / "within") for word in given]) == code

    said = capsys.readouterr().err
    assert f"{tmp_path / 'file' / 'within'}" in said
    assert "the path leads through a file; name one that leads through folders" in said
    assert "Errno" not in said


def test_options_of_make_test_reach_pytest() -> None:
    command = ["make", "--no-print-directory", "--dry-run", "test", "ARGS=-k one_test"]

    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert told.endswith("python -m pytest -k one_test\n")
