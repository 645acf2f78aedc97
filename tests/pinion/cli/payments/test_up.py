"""An instance of payments in real processes, with a door that answers nobody: starts, restarts, refusals."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from engine.payments.records import Op
from engine.runtime.journal.journal import FOLDER, JournalReader
from engine.runtime.shared_memory import segment_names
from pinion.cli.payments.set_up import DEMO_SET_UP
from tests.pinion.cli.payments.quiet_door import TOLD

QUIET = [sys.executable, "-m", "tests.pinion.cli.payments.quiet"]
PROGRAM = [sys.executable, "-m", "pinion.cli.main", "payments"]
WAIT_S = 60.0
CONFIG = """
[engine]
cpu = "none"
lock_memory = false
[payments]
instance = "{instance}"
[payments.rules]
card_1m = {card_1m}
[payments.capacities]
accounts = 64
balances = 64
merchants = 16
merchant_currencies = 64
cards = 64
pairs = 64
devices = 64
ips = 64
emails = 64
bins = 64
payments = 256
operations = 64
answers = 256
list_entries = 131072
"""
ENTRIES = 100_000
PAYMENT = {
    "request_id": "r1",
    "merchant": "m1",
    "channel": "ecom",
    "amount": 1000,
    "currency": "EUR",
    "account": 1,
    "card": {"pan": "4111111111111111", "expiry": "9912"},
}


class Up:
    """Starts and stops instances on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.config = folder / "payments.toml"
        self.process: subprocess.Popen[str] | None = None
        self.command = QUIET
        self.write_config()

    def write_config(self, instance: str = "a", card_1m: int = 3) -> None:
        self.config.write_text(CONFIG.format(instance=instance, card_1m=card_1m))

    def arguments(self, set_up: Path, *more: str) -> list[str]:
        given = ["up", "--config", str(self.config), "--setup", str(set_up), "--data", str(self.data_dir)]
        return [*self.command, *given, "--port", "0", *(more or ("--lean",))]

    def start(self, set_up: Path = DEMO_SET_UP, *more: str) -> dict[str, Any]:
        """Start; return what the ready line says."""
        self.process = subprocess.Popen(
            self.arguments(set_up, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("ready "):
                found: dict[str, Any] = json.loads(line.removeprefix("ready "))
                return found
        assert self.process.stderr is not None
        raise AssertionError(self.process.stderr.read())

    def stop(self) -> str:
        """Stop in order; return what was said on standard error."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=WAIT_S)
        assert self.process.returncode == 0, said
        return said

    def refused(self, set_up: Path = DEMO_SET_UP, code: int = 2) -> str:
        """Return what a start says that fails, by wrong usage unless another code is expected."""
        done = subprocess.run(self.arguments(set_up), capture_output=True, text=True, timeout=WAIT_S)
        assert done.returncode == code, done.stderr
        return done.stderr

    def clean_up(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        for name in segment_names(self.data_dir).values():
            Path("/dev/shm", name).unlink(missing_ok=True)

    def told(self) -> dict[str, Any]:
        """Return what the door was told."""
        found: dict[str, Any] = json.loads((self.data_dir / TOLD).read_text())
        return found

    def ops(self) -> Counter[Op]:
        """Return how often the journal has each operation of payments."""
        found: Counter[Op] = Counter()
        for frame in JournalReader(self.data_dir / FOLDER):
            found.update(Op(int(op)) for op in frame.entries["command"]["op"] if op >= Op.MERCHANT)
        return found


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    made = Up(tmp_path)
    yield made
    made.clean_up()


def pinion(arguments: Sequence[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pinion.cli.main", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_first_start_makes_keys_and_the_demo_and_tells_the_door(up: Up) -> None:
    said = up.start()
    status = json.loads(pinion(["payments", "status", "--json", "--data", str(up.data_dir)]))
    shown = pinion(["payments", "status", "--data", str(up.data_dir)])
    up.stop()

    assert said == {
        "payments": said["payments"],
        "data": str(up.data_dir),
        "pid": said["pid"],
    }
    assert said["payments"].startswith("http://127.0.0.1:")
    assert up.told() == {
        "application": {
            **{"instance": "a", "clock": "engine", "hash_key_file": str(up.data_dir / "hash.key")},
            **{"door_host": "", "limits": {"rate": None, "concurrency": None, "shedding": None}},
        },
        "keys": [["demo", 7, None]],
        "section": "payments",
    }
    for name in ("demo.key", "hash.key"):
        assert (up.data_dir / name).stat().st_mode & 0o777 == 0o600
    assert (up.ops()[Op.MERCHANT], up.ops()[Op.ACCOUNT]) == (3, 10)
    assert status["capacities"]["merchants"] == {"used": 3, "of": 16}
    assert status["capacities"]["accounts"] == {"used": 10, "of": 64}
    assert (status["ruleset"], status["payments"], status["application"]) == (1, said["payments"], "payments")
    assert {row["name"] for row in status["processes"]} == {"supervisor", "journaler", "worker", "payments"}
    assert "\naccounts                      10          64\n" in shown


def test_an_instance_that_is_not_lean_has_a_shadow_that_agrees(up: Up) -> None:
    up.start(DEMO_SET_UP, "--wait", "block")
    compared = json.loads(pinion(["digest", "--data", str(up.data_dir), "--wait", "60"]))
    up.stop()

    assert compared["seq"] >= 27
    assert "all whole and chained" in pinion(["journal", "verify", str(up.data_dir)])


def test_a_restart_sends_nothing_that_the_journal_has(up: Up) -> None:
    up.start()
    up.stop()
    first = up.ops()

    up.start()
    up.stop()

    assert up.ops() == first


def test_other_limits_are_sent_at_the_next_start(up: Up) -> None:
    up.start()
    up.stop()
    up.write_config(card_1m=7)

    up.start()
    up.stop()

    assert up.ops()[Op.SETTINGS] == 2
    assert up.ops()[Op.MERCHANT] == 3


def test_another_instance_is_refused_on_the_same_folder(up: Up) -> None:
    up.start()
    up.stop()
    up.write_config(instance="b")

    said = up.refused()

    assert (
        f"payments.instance = 'b': the payments in {up.data_dir} are of instance 'a'; set that again" in said
    )


def test_another_key_of_hashes_is_refused_on_the_same_folder(up: Up) -> None:
    up.start()
    up.stop()
    (up.data_dir / "hash.key").write_bytes(bytes(32))

    assert "payments.hash_key_file: holds another key than that" in up.refused()


def test_a_key_of_hashes_that_is_lost_is_told_and_not_made_anew(up: Up) -> None:
    up.start()
    up.stop()
    key = up.data_dir / "hash.key"
    key.unlink()

    assert "hash.key is not there, and cards in" in up.refused(code=1)
    assert not key.exists()


def test_a_wrong_line_stops_a_start_before_it_has_a_journal(up: Up, tmp_path: Path) -> None:
    lines = tmp_path / "wrong.jsonl"
    lines.write_text('{"op":"account","account":1}\n{"op":"account","account":0}\n')

    said = up.refused(lines)

    assert f"--setup {lines}: line 2: account: 0: give an integer" in said
    assert not (up.data_dir / FOLDER).exists()


def test_a_large_list_goes_through_and_is_known_at_the_next_start(up: Up, tmp_path: Path) -> None:
    lines = tmp_path / "list.jsonl"
    cards = [f"4{number:015d}" for number in range(ENTRIES)]
    lines.write_text(json.dumps({"op": "list", "list": "block_card", "add": cards}) + "\n")

    up.start(lines)
    status = json.loads(pinion(["payments", "status", "--json", "--data", str(up.data_dir)]))
    up.stop()
    first = up.ops()
    up.start(lines)
    up.stop()

    assert status["capacities"]["list_entries"]["used"] == ENTRIES
    assert up.ops() == first
    assert first[Op.LIST] > 1


def test_the_program_itself_serves_payments_and_takes_a_load(up: Up) -> None:
    up.command = PROGRAM
    up.write_config(card_1m=1000)
    said = up.start()
    key = (up.data_dir / "demo.key").read_text().strip()
    asked = Request(
        f"{said['payments']}/v1/payments",
        json.dumps(PAYMENT).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urlopen(asked, timeout=WAIT_S) as answered:
        reply = json.loads(answered.read())
    load = ["payments", "load", "--rate", "50", "--seconds", "1", "--cards", "40", "--json"]
    played = json.loads(pinion([*load, "--data", str(up.data_dir)]))
    up.stop()

    assert (reply["code"], reply["decision"], reply["request_id"]) == ("OK", "APPROVE", "r1")
    assert reply["payment"] == f"a-{reply['seq']}"
    assert (played["requests"], played["errors"]) == (50, {})
    assert played["codes"]["OK"] > 0
