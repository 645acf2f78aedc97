"""`pinion payments replay` and `minimise`: what they refuse, and how they say it."""

import json
from pathlib import Path

import pytest

from pinion.capture.folder import KEY_FILE
from pinion.cli.command import DONE, FAILED, WRONG_USAGE
from pinion.cli.main import main
from tests.payments.captures import Written, written

PLAYED = 40


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A capture of a few pairs."""
    return written(tmp_path_factory.mktemp("capture"), 0, PLAYED)


def replay(*arguments: str | Path) -> int:
    try:
        return main(["payments", "replay", *map(str, arguments)])
    except SystemExit as ended:
        return int(str(ended.code))


def test_figures_are_printed_and_progress_goes_to_stderr(
    capture: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    code = replay(capture.capture, "--in-process", "--setup", capture.set_up, "--config", capture.config)

    said = capsys.readouterr()
    assert code == DONE
    assert f"equal              {PLAYED}" in said.out
    assert "at most 7.5 % differ (95 %)" in said.out
    assert f"replay: {PLAYED} pairs" in said.err


def test_without_its_set_up_a_capture_differs_and_the_first_records_are_told(
    capture: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    code = replay(capture.capture, "--in-process", "--config", capture.config)

    said = capsys.readouterr().out
    assert code == FAILED
    assert "record 2, /v1/payments, REVIEW>NO_ACCOUNT" in said
    assert "by codes: " in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "one of the arguments --in-process --against is required"),
        (("--in-process", "--against", "http://h:1"), "not allowed with argument"),
        (("--against", "http://h:1", "--config", "x"), "--config: is for --in-process"),
        (("--against", "h:1"), "give http://HOST:PORT"),
        (("--in-process", "--key", "x"), "--key: is for --against"),
        (("--in-process", "--mutate"), "give --service CMD or --old URL"),
        (("--in-process", "--mutate", "--service", "run it"), "does not say {port}"),
        (("--in-process", "--setup", "/nowhere/x"), "--setup /nowhere/x: cannot be read"),
        (("--in-process", "--ignore", "/nowhere/x"), "--ignore /nowhere/x: cannot be read"),
        (("--in-process", "--adapter", "/nowhere/x.py"), "--adapter /nowhere/x.py: FileNotFoundError"),
        (("--in-process", "--config", "/nowhere/x"), "/nowhere/x: cannot be read"),
        (("--in-process", "--report", "/nowhere/x"), "--report /nowhere/x: cannot be made"),
    ],
)
def test_wrong_usage_is_told_with_the_mend(
    capture: Written, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert replay(capture.capture, *options) == WRONG_USAGE
    assert said in capsys.readouterr().err


def test_a_wrong_line_of_set_up_is_named(
    capture: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "setup.jsonl"
    file.write_text('{"op":"merchant","merchant":"m1"}\n{"op":"merchant","merchant":"m 1"}\n')

    assert replay(capture.capture, "--in-process", "--setup", file) == WRONG_USAGE
    assert f"--setup {file}: line 2: merchant: 'm 1': give 1 to 24" in capsys.readouterr().err


def test_a_folder_that_is_no_capture_or_has_lost_its_key_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = written(tmp_path, 0, 2)
    (made.capture / KEY_FILE).write_bytes(bytes(32))
    other_key = replay(made.capture, "--in-process")
    (made.capture / KEY_FILE).unlink()
    no_key = replay(made.capture, "--in-process")
    no_capture = replay(tmp_path, "--in-process")

    said = capsys.readouterr().err
    assert (other_key, no_key, no_capture) == (FAILED, FAILED, FAILED)
    assert "is the key of other surrogates" in said
    assert "is missing; bring back the key" in said
    assert "has no capture.json" in said


def test_nothing_is_left_of_a_report_where_a_replay_is_refused(capture: Written, tmp_path: Path) -> None:
    code = replay(
        capture.capture, "--in-process", "--setup", tmp_path / "no", "--report", tmp_path / "report"
    )

    assert code == WRONG_USAGE
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_does_not_answer_is_told(capture: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(capture.capture, "--against", "http://127.0.0.1:9") == FAILED
    assert "http://127.0.0.1:9: does not answer" in capsys.readouterr().err


def test_ignored_differences_end_with_0_and_are_counted(capture: Written, tmp_path: Path) -> None:
    names = (
        *(
            "status",
            "payment",
            "decision",
            "code",
            "iso",
            "field",
            "rule",
            "retry",
            "amount",
            "approved_amount",
        ),
        *("currency", "state", "matched", "replayed", "captured", "refunded", "held", "lines"),
    )
    file, report = tmp_path / "ignore.toml", tmp_path / "report"
    file.write_text("".join(f'[[ignore]]\nfield = "{name}"\nowner = "o"\nreason = "r"\n' for name in names))

    code = replay(capture.capture, "--in-process", "--ignore", file, "--report", report)

    summary = json.loads((report / "summary.json").read_text())
    assert code == DONE
    assert summary["different"] == 0
    assert summary["ignored"] > 0
    assert summary["equal"] + summary["ignored"] == summary["pairs"]


def minimise(*arguments: object) -> int:
    return main(["payments", "minimise", *map(str, arguments)])


def test_what_is_answered_alike_or_not_there_cannot_be_minimised(
    capture: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--service", "no-such-command {port}", "--setup", capture.set_up, "--config", capture.config)

    alike = minimise(capture.capture, "--diff", 2, "--out", tmp_path / "out", *options)
    beyond = minimise(capture.capture, "--diff", 999, "--out", tmp_path / "out", *options)
    there = minimise(capture.capture, "--diff", 2, "--out", tmp_path, *options)

    said = capsys.readouterr().err
    assert (alike, beyond, there) == (FAILED, WRONG_USAGE, WRONG_USAGE)
    assert "--diff 2: is answered alike" in said
    assert "--diff 999: is no record that a replay plays" in said
    assert f"--out {tmp_path}: is there already" in said


def test_a_command_that_starts_nothing_is_told_with_what_it_said(
    capture: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "sh -c 'echo out of luck on {port} >&2; exit 3'"

    code = minimise(
        *(capture.capture, "--diff", 2, "--service", command, "--config", capture.config),
        *("--out", tmp_path / "out"),
    )

    assert code == FAILED
    assert "does not listen on port" in (said := capsys.readouterr().err)
    assert "out of luck" in said
