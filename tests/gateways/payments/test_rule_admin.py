"""Sets of rules and trials over HTTP, before the real kernels."""

import re
from typing import Any

import pytest

from engine.payments.records import LIMITS, RULES
from tests.gateways.payments.engine_client import Client


@pytest.fixture
async def client() -> Client:
    return await Client.begun()


async def risk(client: Client, path: str, given: Any = b"") -> tuple[int, Any]:
    return await client.ask("POST", path, given, "risk")


async def shown(client: Client, path: str) -> Any:
    status, document = await client.ask("GET", path, key="viewer")
    assert status == 200
    return document


async def registered(client: Client, **parameters: Any) -> int:
    status, document = await risk(client, "/rulesets", {"parameters": parameters})
    assert (status, document["state"]) == (200, "registered")
    return int(document["ruleset"])


async def test_a_set_is_registered_with_who_and_why_and_the_rest_as_it_is(
    client: Client,
) -> None:
    asked = {"parameters": {"card_1m": 7, "bin_declines_1h": "off"}, "why": "more by mail"}
    status, document = await risk(client, "/rulesets", asked)

    assert (status, document["ruleset"], document["state"]) == (200, 2, "registered")
    assert (document["who"], document["why"]) == ("risk", "more by mail")
    wanted = {name: "off" if value < 0 else value for name, value in LIMITS.items()}
    assert document["parameters"] == wanted | {"card_1m": 7}
    assert document["order"] == list(RULES)
    listed = await shown(client, "/rulesets")
    assert (listed["governing"], listed["configured"]) == (1, 1)
    assert [each["state"] for each in listed["rulesets"]] == ["governing", "registered"]
    assert listed["rulesets"][1] == document
    assert (await risk(client, "/rulesets", asked))[1] == document, "an equal set is the same one"


async def test_a_set_governs_from_the_next_payment_on(client: Client) -> None:
    number = await registered(client, score_review=10)
    assert (await client.pay(score=10))[1]["code"] == "OK"

    status, document = await risk(client, f"/rulesets/{number}/activate", {"why": "now"})

    assert (status, document["state"]) == (200, "governing")
    _, paid = await client.pay(score=10, card={"token": "t2", "expiry": "4001"})
    assert (paid["code"], paid["ruleset"], paid["cohort"]) == ("REVIEW", 2, "control")


async def test_a_shadow_is_counted_and_shown(client: Client) -> None:
    number = await registered(client, score_review=10)
    status, document = await risk(client, f"/rulesets/{number}/shadow", {"gates": {"min_seen": 5}})
    assert (status, document["state"], document["ruleset"]) == (200, "shadow", number)

    for place in range(3):
        _, paid = await client.pay(score=10 * (place > 0), card={"token": f"t{place}", "expiry": "4001"})
        assert (paid["code"], paid["ruleset"]) == ("OK", 1)

    document = await shown(client, "/canary")
    assert (document["seen"], document["disagreements"]) == (3, 2)
    assert document["pairs"] == {"OK>REVIEW": 2}
    assert document["gates"] == {
        **{"max_disagree_ppm": None, "min_seen": 5, "max_p99_ms": None},
        **{"compare_rates": True, "compare_amounts": True, "compare_faults": True},
    }


async def test_a_canary_goes_its_steps_and_back(client: Client) -> None:
    number = await registered(client, score_review=10)
    start = {"ruleset": number, "steps": [5, 100], "hold": ["5h", "0"], "gates": {"max_disagree_ppm": 10**6}}
    status, document = await risk(client, "/canary/start", start)
    assert (status, document["state"], document["percent"], document["step"]) == (200, "running", 5, 1)
    assert (document["hold_ms"], document["gate"], document["who"]) == ([18_000_000, 0], None, "risk")

    async def asked(act: str, **more: Any) -> tuple[Any, Any]:
        status, document = await risk(client, f"/canary/{act}", {"ruleset": number, **more})
        assert status == 200
        return document["state"], document["percent"]

    assert await asked("pause") == ("paused", 5)
    assert await asked("resume") == ("running", 5)
    assert await asked("set", percent=60) == ("running", 60)
    assert await asked("advance") == ("running", 100)
    _, paid = await client.pay(score=10)
    assert (paid["code"], paid["ruleset"], paid["cohort"]) == ("REVIEW", 2, "canary")
    assert await asked("rollback", why="by hand") == ("rolled_back", 0)
    _, paid = await client.pay(score=10, card={"token": "t2", "expiry": "4001"})
    assert (paid["code"], paid["ruleset"], paid["cohort"]) == ("OK", 1, "control")
    document = await shown(client, "/canary")
    assert document["why"] == "by hand"
    assert document["arms"]["canary"] == {
        **{"decided": 1, "outcomes": {"REVIEW": 1}, "codes": {"REVIEW": 1}},
        **{"approved_ppm": 0, "faults": 0, "unserved": 0},
    }


async def test_the_last_step_promotes(client: Client) -> None:
    number = await registered(client, score_review=10)
    await risk(client, "/canary/start", {"ruleset": number, "steps": [100], "hold": ["0"]})

    status, document = await risk(client, "/canary/advance", {"ruleset": number})

    assert (status, document["state"]) == (200, "promoted")
    assert (await shown(client, "/rulesets"))["governing"] == number


@pytest.mark.parametrize(
    ("path", "given", "field"),
    [
        ("/rulesets", {"parameters": {"card_2m": 3}}, "parameters"),
        ("/rulesets", {"parameters": {"card_1m": -1}}, "parameters.card_1m"),
        ("/rulesets", {"parameters": {"card_1m": "no"}}, "parameters.card_1m"),
        ("/rulesets", {"parameters": []}, "parameters"),
        ("/rulesets", {"order": ["balance"]}, "order"),
        ("/rulesets", {"order": [*RULES[:3], "cvc", "balance"]}, "order"),
        ("/rulesets", {"why": "x" * 25}, "why"),
        ("/rulesets", {"why": "4111 1111 1111 1111"}, "why"),
        ("/rulesets", b"[]", "body"),
        ("/rulesets", b"{", "body"),
        ("/rulesets", b'{"why":"a","why":"a"}', "why"),
        ("/rulesets", b'{"parameters":{"card_1m":1,"card_1m":2}}', "card_1m"),
        ("/canary/pause", b'{"ruleset":2,"ruleset":2}', "ruleset"),
        ("/canary/pause", b'{"4111111111111111":2,"4111111111111111":2}', "body"),
        ("/rulesets/2/shadow", {"gates": {"min_seen": 0}}, "gates.min_seen"),
        ("/rulesets/2/shadow", {"gates": {"min_sen": 5}}, "gates.min_sen"),
        ("/rulesets/2/shadow", {"gates": {"compare_rates": 1}}, "gates.compare_rates"),
        ("/rulesets/2/shadow", {"gate": {}}, "gate"),
        ("/rulesets/2/shadow", {"4111111111111111": 1}, "body"),
        ("/canary/start", {}, "ruleset"),
        ("/canary/start", {"ruleset": 0}, "ruleset"),
        ("/canary/start", {"ruleset": 2, "steps": []}, "steps"),
        ("/canary/start", {"ruleset": 2, "steps": [5, 101], "hold": ["1h", "0"]}, "steps[1]"),
        ("/canary/start", {"ruleset": 2, "steps": [25, 5], "hold": ["1h", "0"]}, "steps"),
        ("/canary/start", {"ruleset": 2, "steps": [5, 25], "hold": ["1h"]}, "hold"),
        ("/canary/start", {"ruleset": 2, "steps": [5], "hold": ["1 hour"]}, "hold[0]"),
        ("/canary/start", {"ruleset": 2, "steps": [5], "hold": ["400d"]}, "hold[0]"),
        ("/canary/set", {"ruleset": 2, "percent": 0}, "percent"),
        ("/canary/pause", {}, "ruleset"),
    ],
    ids=str,
)
async def test_a_body_that_is_wrong_is_refused_by_its_field(
    client: Client, path: str, given: Any, field: str
) -> None:
    before = client.engine.s["seq"]

    status, document = await risk(client, path, given)

    assert (status, document["field"]) == (422, field)
    assert "4111" not in str(document)
    mends = "give|there are|put them|has to be|not shown|at most|did you mean"
    assert re.search(mends, document["detail"]), document
    assert client.engine.s["seq"] == before


async def test_a_field_of_another_act_is_told_with_those_that_there_are(client: Client) -> None:
    _, document = await risk(client, "/canary/advance", {"ruleset": 2, "percent": 5})

    assert document["detail"] == "Object contains unknown field `percent`; there are why, ruleset"


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("/rulesets/9/shadow", {}, 404),
        ("/rulesets/x/activate", {}, 404),
        ("/canary/start", {"ruleset": 9}, 404),
        ("/canary/start", {"ruleset": 1}, 409),
        ("/canary/pause", {"ruleset": 1}, 409),
        ("/canary/cancel", {"ruleset": 1}, 404),
    ],
    ids=str,
)
async def test_what_is_not_there_or_does_not_stand_so_is_a_problem(
    client: Client, path: str, given: Any, status: int
) -> None:
    assert (await risk(client, path, given))[0] == status


@pytest.mark.parametrize("key", ["acquirer", "viewer"])
async def test_rules_are_changed_by_the_role_risk_alone(client: Client, key: str) -> None:
    for path in ("/rulesets", "/rulesets/2/shadow", "/rulesets/2/activate", "/canary/start", "/canary/pause"):
        assert (await client.ask("POST", path, {}, key))[0] == 403
    status = 403 if key == "acquirer" else 200
    assert (await client.ask("GET", "/canary", key=key))[0] == status
    assert (await client.ask("GET", "/rulesets", key=key))[0] == status
