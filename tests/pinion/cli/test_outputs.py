"""What the commands write, by the whole way: through a shell, into full devices, closed streams and links."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.trading.capacities import Capacities
from pinion.cli.main import main
from ringbuf.kernel_cache import ROOT
from tests.pinion.cli.journal.small_journal import DEFINITIONS, append, begin, resting
from tests.system.running import await_true

PINION = f"{shlex.quote(sys.executable)} -m pinion.cli.main"
LINES = b"""\
{"op":"instrument","symbol":"XYZ","base":"XYZ","quote":"USD","tick_size":"0.01","lot_size":"1"}
{"op":"account","account":1,"unlimited":true}
{"op":"new","client_order_id":1,"account":1,"symbol":"XYZ","side":"sell","price":"10.05","quantity":"300"}
"""
ACCEPTED = b'"event":"accepted"'
EARLIER = b"an earlier result\n"


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders"
    path.write_bytes(LINES)
    return path


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with orders in a file, and in a data folder's journal."""
    folder = tmp_path_factory.mktemp("journal")
    (folder / "orders").write_bytes(LINES)
    begin(folder / "data", Capacities())
    append(folder / "data", [*DEFINITIONS, *resting(1, 20)])
    return folder


def shell(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of shell in which $PINION is the command."""
    return subprocess.run(
        ["bash", "-c", command.replace("$PINION", PINION)],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip


def said(result: "subprocess.CompletedProcess[str]") -> list[str]:
    """Return what was said on standard error, but for the progress of a first compilation."""
    return [line for line in result.stderr.splitlines() if "compil" not in line]


@pytest.mark.parametrize("option", ["--events", "--book"])
@pytest.mark.parametrize("name", ["orders", "symbolic", "hard"])
def test_input_is_never_overwritten(
    orders: Path, option: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (orders.parent / "symbolic").symlink_to(orders)
    (orders.parent / "hard").hardlink_to(orders)

    assert main(["replay", str(orders), option, str(orders.parent / name)]) == 2

    assert f"{option} {orders.parent / name}: " in capsys.readouterr().err
    assert orders.read_bytes() == LINES


@pytest.mark.parametrize("name", ["archive/1.npy.zst", "snapshots/1.npy", "demo.key", "epoch", "new"])
def test_nothing_is_written_into_a_data_folder(
    journal: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = journal / "data" / name
    file.parent.mkdir(exist_ok=True)
    for read in ("data", "data/journal", "orders"):
        for option in ("--events", "--book"):
            assert main(["replay", str(journal / read), option, str(file)]) == 2
            assert f"{option} {file}: " in capsys.readouterr().err
    limit = ["--limit", '{"symbol":"XYZ","max_quantity":"1"}']
    assert main(["whatif", str(journal / "data"), *limit, "--orders", str(file)]) == 2

    assert not file.exists()


def test_one_file_for_events_and_book_is_refused(orders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = orders.with_name("both")

    assert main(["replay", str(orders), "--events", str(both), "--book", str(both)]) == 2

    assert "--book" in capsys.readouterr().err
    assert not both.exists()


@pytest.mark.parametrize("earlier", [None, EARLIER])
def test_input_that_cannot_be_read_leaves_outputs_as_they_were(tmp_path: Path, earlier: bytes | None) -> None:
    events, book = tmp_path / "events", tmp_path / "book"
    (tmp_path / "damaged.dbn").write_bytes(b"DBN")
    (tmp_path / "damaged.jsonl").write_bytes(b"no JSON\n" + LINES)
    if earlier is not None:
        events.write_bytes(earlier)
        book.write_bytes(earlier)
    before = sorted(os.listdir(tmp_path))

    for name, code in (("misspelt", 1), (".", 1), ("damaged.dbn", 1), ("damaged.jsonl", 1)):
        assert main(["replay", str(tmp_path / name), "--events", str(events), "--book", str(book)]) == code

    assert sorted(os.listdir(tmp_path)) == before
    if earlier is not None:
        assert (events.read_bytes(), book.read_bytes()) == (earlier, earlier)


def test_events_before_an_invalid_line_are_kept_and_an_earlier_book_too(orders: Path) -> None:
    events, book = orders.with_name("events"), orders.with_name("book")
    orders.write_bytes(LINES + b"no JSON\n")
    events.write_bytes(EARLIER)
    book.write_bytes(EARLIER)

    assert main(["replay", str(orders), "--events", str(events), "--book", str(book)]) == 1

    assert events.read_bytes().count(b"\n") == 1
    assert ACCEPTED in events.read_bytes()
    assert book.read_bytes() == EARLIER


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_replay_leaves_no_half_file(tmp_path: Path, number: signal.Signals) -> None:
    events = tmp_path / "events"
    events.write_bytes(EARLIER)
    command = [sys.executable, "-m", "pinion.cli.main", "replay", "-", "--events", str(events)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(LINES + b"\n" * 2**19)
        process.stdin.flush()
        await_true(lambda: len(os.listdir(tmp_path)) == 2, "the file beside the output", 300)
        process.send_signal(number)
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()

    assert events.read_bytes() == EARLIER
    assert os.listdir(tmp_path) == ["events"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("$PINION replay orders --events /dev/full", "/dev/full"),
        ("$PINION replay orders --book /dev/full", "/dev/full"),
        ("$PINION replay orders --stats >/dev/full", "standard output"),
        ("$PINION replay orders --events - >/dev/full", "standard output"),
        ('$PINION whatif data --limit \'{"account":1,"order_rate":1}\' >/dev/full', "standard output"),
        ("$PINION journal stats data >/dev/full", "standard output"),
        ("$PINION journal dump data >/dev/full", "standard output"),
        ("$PINION journal verify data >/dev/full", "standard output"),
        ("$PINION --version >/dev/full", "standard output"),
        ("$PINION status --help >/dev/full", "standard output"),
    ],
)
def test_write_error_is_one_line_that_names_the_file(journal: Path, command: str, name: str) -> None:
    result = shell(journal, command)

    [line] = said(result)
    assert line.endswith(f": {name}: No space left on device")
    assert result.returncode == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_replay_works_with_standard_streams_closed(journal: Path, tmp_path: Path, closed: str) -> None:
    command = f"$PINION replay orders --events {tmp_path}/events --book - --stats {closed}"

    result = shell(journal, command)

    assert (result.returncode, said(result)[1:]) == (0, said(result)[1:] if "2>" not in closed else [])
    assert (tmp_path / "events").read_bytes().count(b"\n") == 1
    assert ("XYZ" in result.stdout) == (">&-" not in closed.split())


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("replay - --events -", 0),
        ("status --data nowhere", 1),
        ("digest --data nowhere", 1),
        ('whatif data --limit \'{"account":1,"order_rate":1}\' --orders -', 0),
        ("journal dump data", 0),
        ("journal verify data", 0),
        ("feed orders --to ring:nowhere", 1),
        ("--help", 0),
        ("nonsense", 2),
    ],
)
def test_every_command_ends_as_always_with_standard_streams_closed(
    journal: Path, command: str, code: int
) -> None:
    result = shell(journal, f"$PINION {command} <&- >&-")

    assert result.returncode == code
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_full_standard_error_stops_nothing(journal: Path, tmp_path: Path) -> None:
    result = shell(journal, f"$PINION replay orders --events {tmp_path}/events --book - --stats 2>/dev/full")

    assert result.returncode == 0
    assert "XYZ" in result.stdout
    assert (tmp_path / "events").read_bytes().count(b"\n") == 1


def test_a_reader_that_leaves_ends_a_command_quietly(journal: Path) -> None:
    for command in ("replay orders --events - --stats", "journal stats data", "--help"):
        with subprocess.Popen(
            ["bash", "-c", f"cd {shlex.quote(str(journal))}; exec {PINION} {command}"],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            errors = process.stderr.read()
            assert process.wait(300) == 1
        assert "Broken pipe" not in errors
        assert "Traceback" not in errors


def test_statistics_do_not_mix_with_events_on_standard_output(journal: Path) -> None:
    for name in ("-", "/dev/stdout"):
        result = shell(journal, f"$PINION replay orders --events {name} --stats")

        assert result.stdout.count("\n") == 1
        assert "state digest" in result.stderr


def test_nothing_is_printed_into_the_input_or_an_output(journal: Path, tmp_path: Path) -> None:
    own = tmp_path / "orders"
    own.write_bytes(LINES)

    for command in ("replay orders --events - >> orders", "replay orders --events made > made"):
        result = shell(tmp_path, f"$PINION {command}")
        assert (result.returncode, result.stdout) == (2, "")
        assert "standard output" in result.stderr
    assert own.read_bytes() == LINES
