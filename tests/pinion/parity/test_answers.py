"""Two answers, field by field."""

from typing import Any

import pytest

from gateways.payments.door.routes import PaymentAsk
from pinion.parity.answers import ServiceAnswer, answer_of, differences
from tests.pinion.parity.pairs import paid


def fields(old: dict[str, Any], new: dict[str, Any], *, partial: bool = False) -> list[str]:
    """Return the names of the fields that differ."""
    found = differences(
        ServiceAnswer(200, old, partial), ServiceAnswer(200, new), lambda there: f"here-{there}"
    )
    return [each.field for each in found]


def test_what_each_service_has_of_its_own_is_not_compared() -> None:
    there = paid("x1")
    here = paid("here-x1", seq=99, ruleset=4, cohort="candidate", approval="0000ZZ")

    assert fields(there, here) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", 1001),
        ("amount", True),
        ("amount", 1000.0),
        ("replayed", 0),
        ("matched", ["cvv"]),
        ("state", None),
    ],
)
def test_another_value_or_another_type_differs(name: str, value: Any) -> None:
    assert fields(paid("x1"), paid("here-x1", **{name: value})) == [name]


def test_a_payment_is_the_one_that_it_stands_for() -> None:
    assert fields(paid("x1"), paid("here-x2")) == ["payment"]


def test_a_field_that_one_alone_has_differs_but_not_where_an_adapter_left_it_out() -> None:
    without = {name: value for name, value in paid("x1").items() if name != "rule"}

    assert fields(without, paid("here-x1")) == ["rule"]
    assert fields(paid("x1"), {**paid("here-x1"), "more": 1}) == ["more"]
    assert fields(without, paid("here-x1"), partial=True) == []


def test_of_problems_the_status_is_compared() -> None:
    there, here = (
        ServiceAnswer(404, {"title": "Not Found"}),
        ServiceAnswer(404, {"type": "urn:x", "detail": "no"}),
    )

    assert differences(there, here, str) == []
    assert [each.field for each in differences(there, here._replace(status=410), str)] == ["status"]


def test_a_body_that_is_no_object_differs_from_one() -> None:
    there = answer_of(200, b"[1]", PaymentAsk.PAY)

    found = differences(there, ServiceAnswer(200, paid("x1")), str)

    assert [(each.field, each.old) for each in found] == [("body", "no JSON object")]


def test_set_up_is_compared_by_the_code_of_each_line_however_it_is_written() -> None:
    lines = (
        b'{"op":"merchant","code":"OK","replayed":false}\n{"op":"deposit","code":"FUNDS","replayed":false}\n'
    )
    whole = b'{"lines":2,"results":[{"line":1,"code":"OK"},{"line":2,"code":"FUNDS","replayed":false}]}'

    there, here = (answer_of(200, body, PaymentAsk.SET_UP) for body in (lines, whole))

    assert there.document == here.document == {"lines": [["OK", False], ["FUNDS", False]]}
