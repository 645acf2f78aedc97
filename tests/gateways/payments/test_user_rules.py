"""User rules over HTTP: files are made ready beside the door, refused by rule and line, named in replies."""

from pathlib import Path
from typing import Any

import pytest

from engine.payments.application import open_folder
from engine.rules.stored import FOLDER
from gateways.payments.odd_lines import BASE_RULE
from gateways.payments.rule_names import matched_names, no_user_rules, rule_name
from tests.gateways.payments.engine_client import Client

TEXT = """from pinion import DECLINE, REVIEW, rule


@rule("sevens", code="USER_RULE", action=DECLINE, params={"most": 500})
def sevens(p, ctx, params):
    return p.amount % 7 == 0 and p.amount > params.most


@rule("odd", code="REVIEW", action=REVIEW)
def odd(p, ctx, params):
    return p.amount % 2 == 1
"""


def ended(text: str) -> Any:
    raise AssertionError(text)


@pytest.fixture
async def client(tmp_path: Path) -> Client:
    """The door of a data folder, whose rules the engine beside it finds there."""
    open_folder(tmp_path, ended)
    return await Client.begun(tmp_path / FOLDER)


async def registered(client: Client, given: Any) -> tuple[int, Any]:
    return await client.ask("POST", "/rulesets", given, "risk")


async def test_a_file_is_registered_and_judges_from_the_next_payment_on(client: Client) -> None:
    status, made = await registered(client, TEXT.encode())
    assert (status, made["ruleset"], made["user_rules"]) == (200, 2, ["sevens", "odd"])
    await client.ask("POST", "/rulesets/2/activate", {}, "risk")

    _, declined = await client.pay(amount=700, explain=True)
    _, reviewed = await client.pay(amount=1003, card={"token": "t2", "expiry": "4001"})

    assert (declined["code"], declined["rule"], declined["field"], declined["iso"]) == (
        *("USER_RULE", "sevens", None),
        "05",
    )
    assert (reviewed["decision"], reviewed["rule"], reviewed["matched"]) == ("REVIEW", "odd", ["odd"])
    _, shown = await client.ask("GET", f"/{reviewed['payment']}", key="viewer")
    assert (shown["rule"], shown["matched"]) == ("odd", ["odd"])
    again, kept = await registered(client, {"parameters": {"card_1m": 9}})
    assert (again, kept["user_rules"]) == (200, ["sevens", "odd"]), "the rest is as in the governing set"
    _, without = await registered(client, {"files": {}})
    assert (without["user_rules"], without["source"]) == ([], None)
    assert (await registered(client, {"files": {"other.py": TEXT}}))[1]["ruleset"] == 2, "equal sets are one"


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        (TEXT.replace("% 7", "/ 7"), "sevens", "rules.py:6: rule sevens: a rule cannot have `/`"),
        ("import os\n", "files", "rules.py:1: `import os`"),
    ],
)
async def test_a_file_that_is_not_taken_is_refused_by_rule_and_line(
    client: Client, text: str, field: str, reason: str
) -> None:
    status, problem = await registered(client, text.encode())

    assert (status, problem["field"]) == (422, field)
    assert problem["detail"].startswith(reason)
    assert (await client.ask("GET", "/rulesets", key="viewer"))[1]["rulesets"][1:] == []


@pytest.mark.parametrize(
    "given",
    [{"files": {"../x.py": TEXT}}, {"files": {"": TEXT}}, {"files": [TEXT]}, b"\xff\xfe"],
)
async def test_what_is_no_file_is_refused_before_anything_is_compiled(client: Client, given: Any) -> None:
    status, problem = await registered(client, given)

    assert status == 422
    assert problem["field"].startswith(("files", "body"))


async def test_a_merchant_has_params_of_its_own(client: Client) -> None:
    await registered(client, TEXT.encode())
    await client.ask("POST", "/rulesets/2/activate", {}, "risk")
    line = b'{"op":"merchant","merchant":"m1","params":{"sevens":{"most":90000}}}'
    status, told = await client.ask("POST", "/admin", line, "risk")

    assert (status, told["warnings"]) == (200, [])
    assert (await client.pay(amount=700))[1]["code"] == "OK"


async def test_params_of_a_rule_that_no_set_has_are_taken_with_a_warning_and_count_once_one_has(
    client: Client,
) -> None:
    lines = b"""{"op":"merchant","merchant":"m2"}
{"op":"merchant","merchant":"m1","params":{"sevens":{"most":90000},"sevenz":{"most":1}}}"""
    _, told = await client.ask("POST", "/admin", lines, "risk")
    assert [each["code"] for each in told["results"]] == ["OK", "OK"]
    assert [(each["line"], each["field"]) for each in told["warnings"]] == [
        (2, "params.sevens"), (2, "params.sevenz"),
    ]  # fmt: skip
    assert "no set that was registered has a rule of this name" in told["warnings"][0]["detail"]

    await registered(client, TEXT.encode())
    await client.ask("POST", "/rulesets/2/activate", {}, "risk")

    assert (await client.pay(amount=700))[1]["code"] == "OK", "its params count"
    _, again = await client.ask("POST", "/admin", lines, "risk")
    assert [each["field"] for each in again["warnings"]] == ["params.sevenz"]


async def test_a_param_that_a_rule_does_not_have_is_told_with_those_that_it_has(client: Client) -> None:
    await registered(client, TEXT.encode())
    line = b'{"op":"merchant","merchant":"m1","params":{"sevens":{"most":1,"mots":1},"card_1m":{"limit":9}}}'

    status, told = await client.ask("POST", "/admin", line, "risk")

    assert status == 200
    assert [(each["field"], each["detail"]) for each in told["warnings"]] == [
        ("params.sevens.mots", "sevens has no such param in any set; it has most"),
        ("params.card_1m", BASE_RULE),
    ]


async def test_a_name_of_a_rule_that_may_be_a_card_number_is_not_shown(client: Client) -> None:
    line = b'{"op":"merchant","merchant":"m1","params":{"x4111111111111111":{"most":1}}}'

    _, told = await client.ask("POST", "/admin", line, "risk")

    assert [each["field"] for each in told["warnings"]] == ["params.(not shown)"]
    assert "4111" not in str(told)


def test_rules_have_their_names_and_user_rules_stand_before_the_balance() -> None:
    def names() -> tuple[str, ...]:
        return "one", "two"

    balance, cvv = 1 << 28, 1 << 22
    assert matched_names(cvv | balance, 0b11, names) == ("cvv", "one", "two", "balance")
    assert matched_names(cvv, -(2**63), names) == ("cvv", "user_rule_63")
    assert [rule_name(rule, names) for rule in (0, 1, 64, 65, 66)] == [
        *(None, "idempotency", "one", "two", "user_rule_2"),
    ]
    assert no_user_rules(7) == ()
