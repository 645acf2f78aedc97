"""The doors of payments: which there are, and what that for ISO 8583 is told."""

import subprocess
import sys
from pathlib import Path

from engine.payments.settings import PaymentsSettings
from engine.settings.config import parse
from pinion.cli.payments.starting import STARTING

UP = [sys.executable, "-m", "pinion.cli.main", "payments", "up"]
CONFIGURED = b"""
[payments.iso8583]
host = "::1"
idle_timeout_s = 30
[[payments.iso8583.peers]]
address = "::FFFF:192.0.2.7"
key = "demo"
"""


def test_without_its_section_there_is_no_door_for_messages() -> None:
    doors = STARTING.door_specs(PaymentsSettings(), Path("/data"))

    assert [door.settings.name for door in doors] == ["payments", "api"]


def test_the_door_for_messages_is_told_its_peers_and_has_a_ring_of_its_own() -> None:
    doors = STARTING.door_specs(parse(CONFIGURED, PaymentsSettings), Path("/data"))

    [door] = [each for each in doors if each.settings.name == "iso8583"]
    assert door.settings.ring_name == "iso8583"
    assert door.settings.setting == "payments.iso8583.port"
    assert door.url(8583) == "tcp://[::1]:8583"
    assert door.settings.application["peers"] == {"192.0.2.7": "demo"}
    assert door.settings.application["idle_timeout_s"] == 30.0
    assert door.load().__module__ == "gateways.iso8583.serve"


def test_a_lean_start_keeps_the_door_for_messages() -> None:
    doors = STARTING.lean.door_specs(parse(CONFIGURED, PaymentsSettings), Path("/data"))

    assert [door.settings.name for door in doors] == ["payments", "iso8583"]


def test_a_port_for_a_door_that_is_not_configured_is_refused(tmp_path: Path) -> None:
    config, data_dir = tmp_path / "payments.toml", tmp_path / "data"
    config.write_text("")
    arguments = ["--config", str(config), "--data", str(data_dir), "--iso8583-port", "9"]

    done = subprocess.run([*UP, *arguments], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "payments.iso8583.port = 9: the configuration has no such door" in done.stderr
    assert not data_dir.exists()
