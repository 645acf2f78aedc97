"""`pinion payments rulesets` and `canary`: a trial goes on through a death and a restart."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pinion.cli.main import main
from pinion.cli.payments.door_client import DoorClient
from pinion.cli.payments.set_up import DEMO_SET_UP
from tests.pinion.cli.payments.test_up import PROGRAM, Up, pinion

PAYMENTS = "/v1/payments"


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    made = Up(tmp_path)
    made.command = PROGRAM
    yield made
    made.clean_up()


def asked(up: Up, *arguments: str) -> Any:
    """Return what a command of payments prints as JSON."""
    return json.loads(pinion(["payments", *arguments, "--json", "--data", str(up.data_dir)]))


def paid(url: str, data_dir: Path, first: int, count: int) -> list[Any]:
    """Pay so often, each time with another card; return the replies."""
    host, port = url.removeprefix("http://").split(":")
    door = DoorClient(host, int(port), (data_dir / "demo.key").read_text().strip())
    return [
        door.ask(
            "POST",
            PAYMENTS,
            {
                **{
                    "request_id": f"r{number}",
                    "merchant": "m1",
                    "channel": "pos",
                    "amount": 100,
                    "score": 20,
                },
                **{"currency": "EUR", "account": 1 + number % 10},
                "card": {"token": f"t{number}", "expiry": "9912"},
            },
        )
        for number in range(first, first + count)
    ]


def worker_of(up: Up) -> int:
    status = json.loads(pinion(["payments", "status", "--json", "--data", str(up.data_dir)]))
    return next(int(row["pid"]) for row in status["processes"] if row["name"] == "worker")


def test_a_canary_goes_on_through_a_death_and_a_restart_and_ends_by_hand(up: Up) -> None:
    ready = up.start(DEMO_SET_UP, "--wait", "block")
    made = asked(up, "rulesets", "register", "score_review=10", "--why", "more reviews")
    assert (made["ruleset"], made["state"], made["why"]) == (2, "registered", "more reviews")
    begun = asked(up, "canary", "start", "2", "--steps", "50,100", "--hold", "1h,0")
    assert (begun["state"], begun["percent"]) == ("running", 50)

    replies = paid(ready["payments"], up.data_dir, 0, 30)
    os.kill(worker_of(up), signal.SIGKILL)
    replies += paid(ready["payments"], up.data_dir, 30, 10)
    compared = json.loads(pinion(["digest", "--data", str(up.data_dir), "--wait", "60"]))
    standing = asked(up, "canary", "status")
    up.stop()

    assert {(each["code"], each["cohort"]) for each in replies} == {("OK", "control"), ("REVIEW", "canary")}
    assert compared["seq"] > 40
    assert (standing["seen"], standing["disagreements"]) == (40, 40)
    assert standing["pairs"] == {"OK>REVIEW": 40}
    up.write_config(card_1m=9)
    assert "payments.rules: are others than those of the last start, while set 2 is on trial" in up.refused()
    up.write_config()
    ready = up.start()
    assert asked(up, "canary", "status") == standing
    assert asked(up, "canary", "rollback", "2", "--why", "by hand")["state"] == "rolled_back"
    (last,) = paid(ready["payments"], up.data_dir, 50, 1)
    assert (last["code"], last["cohort"], last["ruleset"]) == ("OK", "control", 1)
    up.stop()
    up.write_config(card_1m=9)
    up.start()
    assert asked(up, "rulesets", "list")["governing"] == 3
    up.stop()


def test_what_the_door_refuses_is_told_in_one_line(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    up.start()
    data = ["--data", str(up.data_dir)]

    assert main(["payments", "canary", "pause", "1", *data]) == 1
    assert "the rules do not stand so that this can be done" in capsys.readouterr().err
    assert main(["payments", "rulesets", "register", "card_2m=1", *data]) == 1
    assert "parameters: 'card_2m': no such parameter; there are card_1m" in capsys.readouterr().err
    assert main(["payments", "rulesets", "register", "card_1m", *data]) == 2
    assert "'card_1m': give NAME=VALUE" in capsys.readouterr().err
    assert main(["payments", "canary", "status", *data]) == 0
    assert "no set has been on trial" in capsys.readouterr().out
    assert main(["payments", "rulesets", "list", *data]) == 0
    assert "by the configuration" in capsys.readouterr().out
    up.stop()
