"""`pinion payments capture`: its life as a process, before the plain old service."""

import http.client
import json
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pinion.capture.records import about, read
from pinion.capture.verify import verify
from pinion.cli.main import main
from tests.payments.legacy.usual import payment
from tests.pinion.capture.captured import written

PINION = [sys.executable, "-m", "pinion", "payments", "capture"]
SETUP = """\
{"op":"merchant","merchant":"m1"}
{"op":"account","account":1,"balances":{"EUR":10000000}}
"""
FILE_BYTES = 400
"""What capture.json and a line about missing pairs need, and no pair has room in."""


@contextmanager
def program(command: list[str], **options: Any) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start a program that says when it is ready; yield it and what it said. It is gone behind the block."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    try:
        assert process.stdout is not None
        word, _, said = process.stdout.readline().partition(" ")
        assert word == "ready", process.communicate()
        yield process, json.loads(said)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a plain old service."""
    setup = tmp_path_factory.mktemp("legacy") / "setup.jsonl"
    setup.write_text(SETUP)
    command = [sys.executable, "-m", "tests.payments.legacy", "--port", "0", "--setup", str(setup)]
    with program(command) as (_, said):
        yield said["payments"]


def options(service: str, folder: Path, *more: str) -> list[str]:
    """Return the command of a capture."""
    return [*PINION, "--listen", "127.0.0.1:0", "--to", service, "--out", str(folder), *more]


def pay(address: str, number: int) -> int:
    """Ask for a payment; return the status of the answer."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    connection.request("POST", "/v1/payments", json.dumps(payment(request_id=f"r{number}")))
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(service: str, tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "capture"

    with program(options(service, folder)) as (process, said):
        statuses = [pay(said["capture"], each) for each in range(5)]
        process.send_signal(number)
        out, progress = process.communicate(timeout=60)

    assert statuses == [200] * 5
    assert process.returncode == 0
    assert out == 'captured {"records":5,"dropped":0,"unanswered":0,"refused":0}\n'
    assert "5 pairs" in progress
    assert verify(folder).records == 5
    assert about(folder).to == service
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in [folder, *folder.iterdir()]}
    assert modes == {
        "capture": 0o700, "capture.json": 0o600, "records-000001.jsonl": 0o600, "surrogate.key": 0o600,
    }  # fmt: skip


def test_a_limit_ends_it(service: str, tmp_path: Path) -> None:
    folder = tmp_path / "capture"

    with program(options(service, folder, "--limit", "3")) as (process, said):
        for each in range(3):
            pay(said["capture"], each)
        process.communicate(timeout=60)

    assert process.returncode == 0
    assert verify(folder).records == 3


def test_a_kill_leaves_what_was_written(service: str, tmp_path: Path) -> None:
    folder = tmp_path / "capture"
    records = folder / "records-000001.jsonl"

    with program(options(service, folder)) as (process, said):
        count = 0
        while records.stat().st_size < 3000:
            pay(said["capture"], count)
            count += 1
        process.kill()
        process.communicate()
    found = verify(folder)

    assert 3 <= found.records <= count
    assert found.about.records is None
    assert main(["payments", "capture", "verify", str(folder)]) == 0


def test_what_does_not_fit_the_disk_is_dropped_and_told(service: str, tmp_path: Path) -> None:
    folder = tmp_path / "capture"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))

    with program(options(service, folder), preexec_fn=limit) as (process, said):
        statuses = [pay(said["capture"], each) for each in range(20)]
        process.terminate()
        out, _ = process.communicate(timeout=60)
    found = verify(folder)

    assert statuses == [200] * 20
    assert process.returncode == 0
    assert (found.records, found.dropped) == (0, 20)
    assert json.loads(out.removeprefix("captured "))["dropped"] == 20


def test_captures_with_one_key_have_the_same_surrogates(service: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    requests = []
    for name in ("one", "other"):
        command = options(service, tmp_path / name, "--key-file", str(key), "--limit", "1")
        with program(command) as (process, said):
            pay(said["capture"], 1)
            process.communicate(timeout=60)
        requests += [each.request for each in read(tmp_path / name)]

    assert requests[0] == requests[1]
    assert "4111111111111111" not in str(requests)
    assert about(tmp_path / "one").fingerprint == about(tmp_path / "other").fingerprint
    assert not (tmp_path / "one" / "surrogate.key").exists()


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"--listen": None}, 2, "--listen is missing"),
        ({"--to": None}, 2, "--to is missing"),
        ({"--out": None}, 2, "--out is missing"),
        ({"--listen": "127.0.0.1"}, 2, "--listen '127.0.0.1': give HOST:PORT"),
        ({"--listen": "192.0.2.1:0"}, 2, "--listen 192.0.2.1:0: "),
        ({"--listen": "127.0.0.1:9"}, 2, "is the address that --listen gives"),
        ({"--to": "https://127.0.0.1:9"}, 2, "give http://HOST:PORT without a path"),
        ({"--to": "http://127.0.0.1:9/v1"}, 2, "give http://HOST:PORT without a path"),
        ({"--out": "full"}, 1, "full: holds 'x' already; name a new folder"),
        ({"--out": "open"}, 1, "open: others than its owner may read or change it (mode 755); chmod 700 it"),
        ({"--key-file": "open/key"}, 1, "others than its owner may read or change the key"),
        ({"--key-file": "short"}, 1, "short: a key of surrogates has 32 bytes, this file 3"),
        ({"--key-file": "no/such"}, 1, "cannot be read or made (No such file or directory)"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: dict[str, str | None], code: int, said: str
) -> None:
    for name, mode in (("full", 0o700), ("open", 0o755)):
        (tmp_path / name).mkdir(mode=mode)
    (tmp_path / "full" / "x").touch()
    (tmp_path / "short").write_bytes(b"abc")
    (tmp_path / "short").chmod(0o600)
    (tmp_path / "key").write_bytes(bytes(32))
    (tmp_path / "key").chmod(0o644)
    usual = {"--listen": "127.0.0.1:0", "--to": "http://127.0.0.1:9", "--out": "new"}
    paths = {"--out", "--key-file"}
    words = ["payments", "capture"]
    for option, value in (usual | given).items():
        if value is not None:
            words += [option, str(tmp_path / value.removeprefix("open/")) if option in paths else value]

    assert main(words) == code

    assert said in capsys.readouterr().err
    assert not (tmp_path / "new" / "capture.json").exists()


def test_verify_tells_what_a_capture_comes_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "capture", 4)

    assert main(["payments", "capture", "verify", str(folder)]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "captured from  http://127.0.0.1:9",
        "pairs          4, all whole and chained; 0 not answered",
        "missing        0, which the disk did not take",
        "time           1970-01-01T00:00:00.007+00:00 to 1970-01-01T00:00:00.007+00:00",
        "key            ab",
    ]


def test_verify_names_the_line_that_is_not_as_it_should_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path / "capture", 4)
    path = folder / "records-000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"request 1", b"request x"))

    assert main(["payments", "capture", "verify", str(folder)]) == 1

    assert f"pinion payments capture: {path} line 3: prev is " in capsys.readouterr().err
