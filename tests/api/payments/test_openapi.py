"""The OpenAPI document: both doors' addresses, every code, and nothing that leads nowhere."""

import json
from collections.abc import Iterator
from typing import Any

from api.payments import openapi
from engine.payments.codes import TABLE

DOORS = {"payments": "http://127.0.0.1:8002", "api": "http://127.0.0.1:8003"}


def document() -> Any:
    return json.loads(openapi.document(DOORS))


def references(value: Any) -> Iterator[str]:
    """Yield everything that a document refers to."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_reference_leads_to_a_schema() -> None:
    found = document()

    schemas = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert set(references(found)) <= schemas


def test_every_code_of_a_reply_is_there_with_what_it_means() -> None:
    found = document()

    named = set(found["components"]["schemas"]["Code"]["enum"])
    assert named == {row.name for row in TABLE} - {"UNSUPPORTED"} | {"DECLINED"}
    for row in TABLE:
        if row.name != "UNSUPPORTED":
            line = f"| {row.name} | {row.iso or 'null'} | {row.http} | {row.retry.name} |"
            assert line in found["info"]["description"]


def test_each_route_names_the_door_that_serves_it() -> None:
    paths = document()["paths"]

    assert paths["/v1/payments"]["post"]["servers"] == [{"url": DOORS["payments"]}]
    assert paths["/v1/payments"]["get"]["servers"] == [{"url": DOORS["api"]}]
    assert paths["/metrics"]["get"]["servers"] == [{"url": DOORS["api"]}]


def test_every_status_of_a_code_is_an_answer_to_a_payment() -> None:
    answers = document()["paths"]["/v1/payments"]["post"]["responses"]

    assert {str(row.http) for row in TABLE} <= answers.keys()
    assert "401" in answers


def test_a_reply_has_every_field_that_a_list_shows() -> None:
    schemas = document()["components"]["schemas"]

    assert {"captured", "refunded", "held", "approval"} <= schemas["MovedReply"]["properties"].keys()
    assert schemas["PaymentReply"]["required"][:3] == ["payment", "request_id", "decision"]
