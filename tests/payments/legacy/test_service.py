import json
from typing import Any

import pytest

from tests.payments.legacy import scenarios_fraud, scenarios_lifecycle, scenarios_rules
from tests.payments.legacy.codes import CODES, FIELDS, OPERATION_FIELDS
from tests.payments.legacy.faults import FAULTS
from tests.payments.legacy.rules import settings_of
from tests.payments.legacy.service import Legacy
from tests.payments.legacy.steps import NOW, RULE_NAMES, Scenario, expected_of, run, told
from tests.payments.legacy.usual import known, payment

OF_RULES = (*scenarios_rules.SCENARIOS, *scenarios_fraud.SCENARIOS)
SCENARIOS = (*OF_RULES, *scenarios_lifecycle.SCENARIOS)
FORM_CODES = {"FORMAT", "BAD_CURRENCY", "BAD_PAN"}
"""Codes that tests of the form reach."""
OF_USER_RULES = {"USER_RULE"}
"""They are compared with the engine's (tests/payments/test_user_rules.py)."""
NOT_FOUND = {"NOT_FOUND"}


def named(scenarios: tuple[Scenario, ...]) -> list[Any]:
    return [pytest.param(each, id=each.name) for each in scenarios]


def check(scenario: Scenario) -> None:
    replies = run(scenario)

    for number, (reply, step) in enumerate(zip(replies, scenario.steps, strict=True)):
        assert told(reply, step) == expected_of(step), f"step {number}: {step}"


@pytest.mark.parametrize("scenario", named(OF_RULES))
def test_rule(scenario: Scenario) -> None:
    check(scenario)


@pytest.mark.parametrize("scenario", named(scenarios_lifecycle.SCENARIOS))
def test_lifecycle(scenario: Scenario) -> None:
    check(scenario)


@pytest.mark.parametrize("rule", sorted(RULE_NAMES))
def test_every_rule_has_a_scenario_in_which_it_wins(rule: str) -> None:
    of_rule = [each for each in OF_RULES if each.name.startswith(f"{rule}_")]

    assert any(reply.get("rule") == rule for each in of_rule for reply in run(each))


def test_the_scenarios_reach_every_code() -> None:
    reached = {reply["code"] for each in SCENARIOS for reply in run(each)}

    assert reached | FORM_CODES | NOT_FOUND | OF_USER_RULES == CODES.keys()


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"luhn_skipped"}))
def test_each_fault_changes_an_answer(fault: str) -> None:
    faults = frozenset([fault])

    assert any(run(each) != run(each, faults) for each in SCENARIOS)


def test_the_shape_of_replies() -> None:
    service, body = known(), payment()

    paid = service.pay(body)

    assert list(paid.items()) == list(
        {
            "payment": "a-17",
            "request_id": "r1",
            "decision": "APPROVE",
            "code": "OK",
            "iso": "00",
            "field": None,
            "rule": None,
            "retry": "NONE",
            "amount": 1000,
            "approved_amount": 1000,
            "currency": "EUR",
            "state": "open",
            "ruleset": 1,
            "cohort": "control",
            "matched": [],
            "replayed": False,
            "approval": "00000H",
            "seq": 17,
        }.items()
    )
    assert tuple(paid) == FIELDS
    assert tuple(service.operate("capture", "a-17", {"request_id": "o"})) == OPERATION_FIELDS
    assert tuple(service.operate("capture", "a-99", {"request_id": "o"})) == OPERATION_FIELDS
    assert tuple(service.operate("capture", "a-99", b"[]")) == OPERATION_FIELDS
    assert tuple(service.payment("a-17") or {}) == OPERATION_FIELDS


def test_a_payment_and_an_account_are_shown_as_they_are_now() -> None:
    service = known()
    service.pay(payment())
    service.operate("capture", "a-17", {"request_id": "o", "amount": 400})

    shown = service.payment("a-17")

    assert (shown["state"], shown["captured"], shown["refunded"], shown["held"]) == ("open", 400, 0, 600)
    assert service.account(1) == {
        "account": 1,
        "status": "open",
        "balances": {"EUR": {"total": 9600, "held": 600, "available": 9000}},
    }
    assert service.payment("a-18") is None
    assert service.account(2) is None


@pytest.mark.parametrize(("name", "seq"), [("a-99", 17), ("b-17", None), ("a-017", None), ("a", None)])
def test_not_found_repeats_what_was_asked_for(name: str, seq: int | None) -> None:
    service = known()

    reply = service.operate("void", name, {"request_id": "o"})

    assert (reply["code"], reply["field"], reply["payment"], reply["seq"]) == (
        "NOT_FOUND",
        "payment",
        name,
        seq,
    )
    assert service.status_of(reply) == 404
    assert reply["approved_amount"] is reply["captured"] is reply["ruleset"] is None


def test_bytes_and_objects_are_answered_alike() -> None:
    body = payment()

    assert known().pay(json.dumps(body).encode()) == known().pay(body)


def test_an_answer_that_a_caller_changes_stays_as_it_was() -> None:
    service = known()
    service.pay(payment(merchant="m9"))["matched"].append("x")

    again = service.pay(payment(merchant="m9"))

    assert again["matched"] == ["merchant_active"]


def test_the_clock_of_the_engine_is_given_or_read() -> None:
    service = known(clock="engine")
    body = {name: value for name, value in payment().items() if name != "received_at"}

    service.pay(body, NOW)
    at_first = service.T
    refused = service.pay(payment(request_id="r2"), NOW)
    service.pay({**body, "request_id": "r3"})

    assert at_first == NOW < service.T
    assert (refused["code"], refused["field"]) == ("FORMAT", "received_at")


def test_an_acquirer_reads_what_the_merchant_discloses() -> None:
    service = known()
    service.set_up({"op": "merchant", "merchant": "m1", "disclose": {"59": "05"}})

    reply = service.pay(payment(score=950))
    disclosed = service.disclosed(reply)

    assert disclosed == {
        **reply,
        **{"code": "DECLINED", "iso": "05", "rule": None, "field": None, "matched": []},
    }
    assert service.disclosed(service.pay(payment(request_id="r2")))["code"] == "OK"


def test_an_unknown_rule_setting_or_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="card_2m"):
        settings_of({"card_2m": 1})
    with pytest.raises(ValueError, match="no such rule: luck"):
        Legacy({"order": ["luck"]})
    with pytest.raises(ValueError, match="no such fault: luck"):
        Legacy(faults=frozenset(["luck"]))
