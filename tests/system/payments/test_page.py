"""The page's address, document and acts at the api of a whole instance, whose door answers for one name."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.pinion.cli.payments.test_up import CONFIG
from tests.system.payments.running import Caller, RunningPayments, write_settings
from tests.system.running import await_true

PAYMENTS = "/v1/payments"
NAME = "pay.example.com"
KEYS = {name: f"{name}-{'k' * 16}" for name in ("acquirer", "risk", "viewer")}
SET_UP = """\
{"op":"merchant","merchant":"m1"}
{"op":"account","account":1,"balances":{"EUR":1000000}}
"""
SETTINGS = (
    f'hosts = ["{NAME}"]\n'
    + "[payments.rate]\nper_second = 1\nburst = 1\nlog_only = true\n"
    + CONFIG[CONFIG.index("[payments.capacities]") :]
    + "".join(f'[[keys]]\nname = "{n}"\ntoken = "{t}"\nroles = ["{n}"]\n' for n, t in KEYS.items())
)


class Page(NamedTuple):
    """The api of an instance as the page asks it, and its door."""

    api: str
    risk: Caller
    acquirer: Caller

    def ask(self, method: str, path: str, key: str, body: Any = None, origin: str = "") -> tuple[int, Any]:
        """Return status and document; origin : where the page came from, as a browser says it."""
        connection = HTTPConnection(self.api, timeout=60.0)
        headers = {"Authorization": f"Bearer {KEYS[key]}"} if key else {}
        headers |= {"Origin": origin} if origin else {}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        is_json = answer.headers.get_content_subtype().endswith("json")
        return answer.status, json.loads(raw) if is_json else raw.decode()

    def overview(self, key: str = "viewer") -> Any:
        """Return what the page shows."""
        status, document = self.ask("GET", "/v1/overview", key)
        assert status == 200, document
        return document

    def at_door(self, method: str, path: str, body: Any = None) -> Any:
        """Return what the door answers to the key with the role risk."""
        answer = self.risk.ask(method, f"{PAYMENTS}{path}", body, {"Host": NAME})
        assert answer.status == 200, answer
        return answer.reply

    def pay(self, number: int) -> str:
        """Pay by a card of its own; return the code."""
        body = {
            **{"request_id": f"r{number}", "merchant": "m1", "channel": "pos", "amount": 100, "score": 20},
            **{"currency": "EUR", "account": 1, "card": {"token": f"t{number}", "expiry": "9912"}},
        }
        return self.acquirer.ask("POST", PAYMENTS, body, {"Host": NAME}).code


@pytest.fixture
def page(start: Callable[..., RunningPayments], tmp_path: Path) -> Iterator[Page]:
    running = start(*write_settings(tmp_path, SET_UP, SETTINGS))
    api = running.await_ready()["api"].removeprefix("http://")
    callers = [Caller(running.data_dir, KEYS[name], 60.0) for name in ("risk", "acquirer")]
    yield Page(api, *callers)
    for each in callers:
        each.close()
    assert running.stop() == 0


def limited(page: Page) -> float:
    """Return how many requests were beyond the rate of their key, as metrics tell it."""
    _, text = page.ask("GET", "/metrics", "")
    (line,) = (
        each for each in text.splitlines() if each.startswith('pinion_over_rate_total{owner="payments"}')
    )
    return float(line.rpartition(" ")[2])


def test_the_page_shows_what_the_door_says_and_its_buttons_act_there(page: Page) -> None:
    status, text = page.ask("GET", "/payments", "")
    refused = [page.ask("GET", "/v1/overview", key)[0] for key in ("", "acquirer")]
    before = page.overview()
    set_id = page.at_door("POST", "/rulesets", {"parameters": {"score_review": 10}})["ruleset"]
    page.at_door("POST", "/canary/start", {"ruleset": set_id, "steps": [50, 100], "hold": ["1h", "0"]})
    codes = Counter(page.pay(number) for number in range(20))
    await_true(lambda: page.overview()["decisions"]["codes"] == codes, "every decision is counted")
    shown = page.overview("risk")
    same = (page.at_door("GET", "/canary"), page.at_door("GET", "/rulesets"))
    act = {"ruleset": set_id, "why": "too many reviews"}
    path, own = f"{PAYMENTS}/canary/pause", f"http://{page.api}"
    kept_out = [
        page.ask("POST", path, "viewer", act, own)[0],
        page.ask("POST", path, "risk", act, "http://elsewhere.example.com")[0],
        page.ask("POST", path, "risk", {"ruleset": 9}, own)[0],
        page.ask("POST", path, "risk", act | {"percent": 5}, own)[0],
    ]
    paused = page.ask("POST", path, "risk", act, own)

    await_true(lambda: limited(page) > 0, "what was beyond the rate, and let pass, is counted")
    assert (status, text[:15], refused) == (200, "<!doctype html>", [401, 403])
    assert (before["canary"]["state"], before["key"]["may_change_rules"]) == ("none", False)
    assert set(codes) == {"OK", "REVIEW"}
    assert (shown["canary"], shown["rules"]) == same
    assert shown["key"] == {"name": "risk", "may_change_rules": True}
    assert sum(shown["decisions"]["cohorts"].values()) == shown["status"]["decided"] == 20
    assert shown["latency"]["ring_wait"]["count"] >= 20
    assert {each["name"] for each in shown["status"]["processes"]} >= {"worker", "payments", "api"}
    assert kept_out == [403, 403, 409, 422]
    assert (paused[0], paused[1]["state"], paused[1]["who"]) == (200, "paused", "risk")
    assert page.at_door("GET", "/canary") == paused[1]
