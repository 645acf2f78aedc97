"""An instance as an operator configures it: time of the requests, capacities of its own, keys by role.

It gets more room by a migration, its journal goes to the archive and comes back, a command is left out.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.journal.journal import segment_paths
from tests.engine.payments.building import SMALL
from tests.system.payments.running import Body, Caller, RunningPayments, write_settings
from tests.system.payments.tools import digest_at, pinion

PAYMENTS = "/v1/payments"
WAIT_S = 120.0
MINUTE, DAY = 60_000, 86_400_000
T0 = 20_000 * DAY
SHOP, RISK, VIEWER = "the-key-of-the-shop", "the-key-of-the-risk-desk", "the-key-of-a-viewer"
SETTINGS = f"""
instance = "b7"
clock = "request"
[payments.rules]
card_1m = 2
double_charge_ms = "off"
[payments.capacities]
{{capacities}}
[history]
enabled = false
[[keys]]
name = "shop"
token = "{SHOP}"
roles = ["acquirer"]
merchants = ["m1"]
[[keys]]
name = "risk"
token = "{RISK}"
roles = ["acquirer", "risk"]
[[keys]]
name = "viewer"
token = "{VIEWER}"
roles = ["viewer"]
"""
LARGE = {name: 2 * size for name, size in asdict(SMALL).items()}
"""Sizes that other tests have too: kernels are compiled for each."""
SET_UP = [
    {"op": "merchant", "merchant": "m1", "hold_days": 2},
    {"op": "merchant", "merchant": "m2"},
    {"op": "account", "account": 1, "balances": {"EUR": 10_000}},
]
Start = Callable[..., RunningPayments]


def payment(request_id: str, **changes: Any) -> Body:
    """Return the body of a payment."""
    return {
        "request_id": request_id, "merchant": "m1", "channel": "pos", "amount": 100, "currency": "EUR",
        "account": 1, "card": {"token": "t", "expiry": "9912"}, **changes,
    }  # fmt: skip


class Instance:
    """An instance with these settings, started as often as a test wants."""

    def __init__(self, start: Start, folder: Path) -> None:
        self.data_dir = folder / "data"
        self._start = start
        self._folder = folder
        self._callers: dict[str, Caller] = {}

    def begin(self, capacities: dict[str, int], *options: str) -> RunningPayments:
        """Start it with these capacities."""
        running = self._start(*self.settings(capacities), *options, data_dir=self.data_dir)
        running.await_ready()
        return running

    def refused(self, capacities: dict[str, int]) -> str:
        """Return why a start with these capacities is refused."""
        running = self._start(*self.settings(capacities), data_dir=self.data_dir)
        assert running.process.wait(WAIT_S) == 2
        return running.errors.read_text()

    def settings(self, capacities: dict[str, int]) -> tuple[str, ...]:
        """Write the configuration; return the options that name it."""
        lines = "\n".join(f"{name} = {size}" for name, size in capacities.items())
        return write_settings(
            self._folder, "\n".join(map(json.dumps, SET_UP)), SETTINGS.format(capacities=lines)
        )

    def ask(self, method: str, path: str, body: Any = None, key: str = SHOP) -> tuple[int, Body]:
        """Ask with one of the keys."""
        caller = self._callers.setdefault(key, Caller(self.data_dir, key, 60.0))
        patient = {"Pinion-Deadline-Ms": "60000"}
        answer = caller.ask(method, path, body, patient)
        if answer.status == 0:  # the connection of the instance before
            answer = caller.ask(method, path, body, patient)
        return answer.status, answer.reply

    def pay(self, request_id: str, at: int, key: str = SHOP, **changes: Any) -> Body:
        """Pay at a time; return the reply."""
        return self.ask("POST", PAYMENTS, payment(request_id, received_at=at, **changes), key)[1]

    def account(self) -> dict[str, int]:
        """Return the balance of the account."""
        found: dict[str, int] = self.ask("GET", f"{PAYMENTS}/accounts/1", key=VIEWER)[1]["balances"]["EUR"]
        return found

    def close(self) -> None:
        for each in self._callers.values():
            each.close()


@pytest.fixture
def instance(start: Start, tmp_path: Path) -> Any:
    made = Instance(start, tmp_path)
    yield made
    made.close()


def test_time_is_what_requests_say_and_each_key_may_what_its_role_says(instance: Instance) -> None:
    running = instance.begin(asdict(SMALL), "--lean")

    first = instance.pay("r1", T0)
    codes = [instance.pay(f"v{number}", at)["code"] for number, at in enumerate((T0 + 1, T0 + 2, T0 - DAY))]
    codes.append(instance.ask("POST", PAYMENTS, payment("v9"))[1]["code"])
    later, far = instance.pay("r2", T0 + MINUTE), instance.pay("r3", 2**52)
    path = f"{PAYMENTS}/{first['payment']}"
    shown = instance.ask("GET", path)[1]["state"]
    other = payment("f1", merchant="m2", card={"token": "o", "expiry": "9912"})
    foreign = f"{PAYMENTS}/{instance.ask('POST', PAYMENTS, other, RISK)[1]['payment']}"
    refused = {
        "another merchant": instance.ask("POST", PAYMENTS, other)[0],
        "another's payment": instance.ask("GET", foreign)[0],
        "another's void": instance.ask("POST", f"{foreign}/void", {"request_id": "v"})[0],
        "an account": instance.ask("GET", f"{PAYMENTS}/accounts/1")[0],
        "set-up": instance.ask("POST", f"{PAYMENTS}/admin", SET_UP[0])[0],
        "paying by a viewer": instance.ask("POST", PAYMENTS, payment("r5"), VIEWER)[0],
    }
    instance.pay("r4", T0 + 2 * DAY)
    expired = instance.ask("GET", path)[1]
    captured = instance.ask("POST", f"{path}/capture", {"request_id": "c"})[1]["code"]

    assert (first["payment"][:3], first["code"], shown) == ("b7-", "OK", "open")
    assert codes == ["OK", "VELOCITY", "VELOCITY", "VELOCITY"], "time does not go back, nor on by itself"
    assert (later["code"], later["rule"]) == ("OK", None)
    assert (far["code"], far["field"]) == ("FORMAT", "received_at")
    assert refused == {
        "another merchant": 403, "another's payment": 404, "another's void": 404, "an account": 403,
        "set-up": 403, "paying by a viewer": 403,
    }  # fmt: skip
    assert (expired["state"], expired["held"], captured) == ("expired", 0, "NOT_OPEN")
    assert running.stop() == 0


def test_an_instance_lives_on_with_more_room_and_out_of_its_archive(instance: Instance) -> None:
    small = asdict(SMALL)
    running = instance.begin(small)
    lines = "\n".join(f'{{"op":"account","account":{number}}}' for number in range(2, SMALL.accounts + 2))
    full = [each["code"] for each in instance.ask("POST", f"{PAYMENTS}/admin", lines, RISK)[1]["results"]]
    told = [instance.pay(f"r{number}", T0 + number * MINUTE) for number in range(4)]
    account = instance.account()
    assert running.stop() == 0
    refused = instance.refused(LARGE)

    migrated = pinion("journal", "migrate", str(instance.data_dir), *instance.settings(LARGE)[:2])
    running = instance.begin(LARGE)
    after = instance.account()
    repeats = [instance.pay(f"r{number}", T0 + number * MINUTE) for number in range(4)]
    room = [each["code"] for each in instance.ask("POST", f"{PAYMENTS}/admin", lines, RISK)[1]["results"]]
    compared = json.loads(pinion("digest", "--data", str(instance.data_dir), "--wait", "120"))
    assert running.stop() == 0
    running = instance.begin(LARGE)
    archived = pinion("journal", "archive", str(instance.data_dir), "--without-history")
    capture = instance.ask("POST", f"{PAYMENTS}/{told[0]['payment']}/capture", {"request_id": "c"})[1]
    assert running.stop() == 0
    running = instance.begin(LARGE)
    again = instance.ask("POST", f"{PAYMENTS}/{told[0]['payment']}/capture", {"request_id": "c"})[1]
    assert running.stop() == 0
    left = len(segment_paths(instance.data_dir / "journal"))
    pinion("journal", "restore", str(instance.data_dir))

    assert full == ["OK"] * (SMALL.accounts - 1) + ["CAPACITY"]
    assert f"pinion journal migrate {instance.data_dir}" in refused
    assert f"accounts       {SMALL.accounts} -> {LARGE['accounts']}" in migrated
    assert repeats == [{**each, "replayed": True} for each in told]
    assert (after, room) == (account, ["OK"] * SMALL.accounts)
    assert "archived " in archived
    assert (capture["code"], again) == ("OK", {**capture, "replayed": True})
    assert len(segment_paths(instance.data_dir / "journal")) > left
    pinion("journal", "verify", str(instance.data_dir))
    assert digest_at(instance.data_dir, compared["seq"]) == compared["digest"]


def test_a_command_in_quarantine_never_was(instance: Instance) -> None:
    running = instance.begin(asdict(SMALL), "--lean")
    before = instance.account()
    kept, left_out = instance.pay("r1", T0), instance.pay("r2", T0 + MINUTE)
    assert running.stop() == 0

    pinion("journal", "quarantine", str(left_out["seq"]), "--data", str(instance.data_dir))
    running = instance.begin(asdict(SMALL), "--lean")
    shown = [instance.ask("GET", f"{PAYMENTS}/{each['payment']}")[0] for each in (kept, left_out)]
    account = instance.account()
    repeats = [instance.pay(name, T0 + 2 * MINUTE) for name in ("r1", "r2")]
    assert running.stop() == 0

    assert shown == [200, 404]
    assert account == {**before, "held": 100, "available": before["available"] - 100}
    assert repeats[0] == {**kept, "replayed": True}
    assert (repeats[1]["code"], repeats[1]["replayed"]) == ("OK", False)
    assert repeats[1]["payment"] != left_out["payment"]
    pinion("journal", "verify", str(instance.data_dir))
