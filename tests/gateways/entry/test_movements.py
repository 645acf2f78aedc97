"""Money in and out at a door: who may move it, what is told, what a refusal says (exchange rule S20)."""

import json
from typing import Any

import pytest

from engine.trading.records import Role
from gateways.entry.principals import Principal
from gateways.entry.refusals import Refused
from gateways.http.problems import problem_of

DEPOSIT = {"op": "deposit", "account": 1, "currency": "USD", "amount": "5", "id": "d-1"}
WITHDRAW = DEPOSIT | {"op": "withdraw", "id": "w-1"}
TRANSFER = {"op": "transfer", "from": 1, "to": 2, "currency": "USD", "amount": "5", "id": "t-1"}


def moved(reply: Any) -> dict[str, Any]:
    """Return the one event of a reply."""
    (event,) = reply.events
    made: dict[str, Any] = json.loads(bytes(event))
    return made


def test_an_operator_moves_money_and_hears_what_is_there_then(door: Any) -> None:
    deposit = door.ask(dict(DEPOSIT), door.operator)
    withdrawal = door.ask(WITHDRAW | {"amount": "1"}, door.operator)
    transfer = door.ask(dict(TRANSFER), door.operator)
    fees = door.ask(TRANSFER | {"from": 2, "to": "fees"}, door.operator)

    assert (deposit.op, deposit.cancelled_count) == ("deposit", 0)
    assert moved(deposit)["balance"] == "1000005"
    assert moved(withdrawal)["balance"] == "1000004"
    told = moved(transfer)
    assert (told["from_balance"], told["to_balance"]) == ("999999", "1000005")
    assert (moved(fees)["to"], moved(fees)["to_balance"]) == ("fees", "5")


@pytest.mark.parametrize("line", [DEPOSIT, WITHDRAW, TRANSFER])
@pytest.mark.parametrize("role", [Role.TRADER, Role.VIEWER])
def test_nobody_but_an_operator_moves_money(door: Any, line: dict[str, Any], role: Role) -> None:
    who = Principal("owner", frozenset({1, 2}), int(role), 5)

    with pytest.raises(Refused) as refused:
        door.start(dict(line), who)

    problem = problem_of(refused.value.refusal)
    assert (problem.status, problem.reason) == (403, "not_permitted")
    assert not door.gate.submitted


def test_a_repeat_says_which_movement_stands_whoever_repeats_it(door: Any) -> None:
    first = door.ask(dict(DEPOSIT), door.operator)
    another = Principal("another", None, int(Role.OPERATOR), 6)

    repeat = door.ask(DEPOSIT | {"amount": "7"}, another)

    assert (repeat.status, repeat.reason, repeat.field) == (409, "duplicate", "id")
    assert repeat.original_seq == first.seq < repeat.seq
    assert repeat.detail.startswith("id 'd-1': this id was used before")
    assert moved(door.ask(DEPOSIT | {"id": "d-2"}, door.operator))["balance"] == "1000010"


@pytest.mark.parametrize(
    ("line", "reason", "field", "beginning"),
    [
        (WITHDRAW | {"amount": "1000000.5"}, "insufficient_funds", "amount", "amount '1000000.5': there is"),
        (TRANSFER | {"from": "fees"}, "insufficient_funds", "amount", "amount '5': there is less"),
        (DEPOSIT | {"account": 9}, "unknown_account", "account", "account 9: the engine knows no account"),
        (TRANSFER | {"from": 9}, "unknown_account", "from", "from 9: the engine knows no account"),
        (TRANSFER | {"to": 9}, "unknown_account", "to", "to 9: the engine knows no account"),
        (DEPOSIT | {"amount": "4611686018427"}, "overflow", "amount", "amount '4611686018427': a balance"),
    ],
)
def test_a_refusal_names_field_value_and_mend(
    door: Any, line: dict[str, Any], reason: str, field: str, beginning: str
) -> None:
    problem = door.ask(dict(line), door.operator)

    assert (problem.status, problem.reason, problem.field) == (422, reason, field)
    assert problem.detail.startswith(beginning)


def test_a_refusal_says_which_side_lacks_the_money(door: Any) -> None:
    poor = door.ask(TRANSFER | {"from": "fees"}, door.operator)
    rich = door.ask(TRANSFER | {"from": 2, "to": 1, "amount": "1000001"}, door.operator)

    assert poor.detail.endswith("(from 'fees')")
    assert rich.detail.endswith("(from 2)")


def test_money_in_a_currency_that_cannot_be_valued_is_refused(door: Any) -> None:
    door.ask({"op": "limits", "account": 1, "max_drawdown": "50"}, door.operator)

    problem = door.ask(DEPOSIT | {"currency": "XYZ"}, door.operator)

    assert (problem.status, problem.reason, problem.field) == (422, "no_rate", "currency")
    assert "currency 'XYZ'" in problem.detail


def test_a_currency_that_another_door_has_defined_is_known(door: Any) -> None:
    unknown = DEPOSIT | {"currency": "CHF"}
    with pytest.raises(Refused) as refused:
        door.start(dict(unknown), door.operator)
    problem = problem_of(refused.value.refusal)
    assert (problem.status, problem.reason, problem.field) == (422, "unknown_currency", "currency")
    assert "define it first" in problem.detail

    door.ask({"op": "currency", "currency": "CHF", "decimals": 2}, door.operator)

    assert moved(door.ask(dict(unknown), door.operator))["balance"] == "5"


def test_an_operator_bound_to_accounts_sees_no_other(door: Any) -> None:
    bound = Principal("bound", frozenset({1}), int(Role.OPERATOR), 7)

    told = moved(door.ask(dict(TRANSFER), bound))

    assert (told["from"], told["from_balance"]) == (1, "999995")
    assert (told["to"], told["to_balance"]) == (None, None)
