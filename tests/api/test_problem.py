"""Problem documents of the API."""

from http import HTTPStatus

from api.problem import ApiProblem


def test_type_is_the_reason_spelt_as_the_order_door_spells_it() -> None:
    document = ApiProblem(HTTPStatus.NOT_FOUND, "unknown_order", "no such order").document()

    assert (document["type"], document["reason"]) == ("urn:pinion:problem:unknown-order", "unknown_order")
