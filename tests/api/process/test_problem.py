"""Problem documents of the API."""

from http import HTTPStatus

from api.process.problem import not_found, unavailable


def test_document_has_the_members_of_the_order_doors_in_their_order() -> None:
    assert not_found("unknown_order", "no such order", "order_id").body() == (
        b'{"type":"urn:pinion:problem:unknown-order","title":"Not Found","status":404,'
        b'"detail":"no such order","reason":"unknown_order","field":"order_id"}'
    )


def test_what_a_single_document_adds_stands_behind_them() -> None:
    refused = unavailable("not_ready", "the journal is latched", more={"troubles": ["latched"]})

    assert refused.status is HTTPStatus.SERVICE_UNAVAILABLE
    assert refused.body() == (
        b'{"type":"urn:pinion:problem:not-ready","title":"Service Unavailable","status":503,'
        b'"detail":"the journal is latched","reason":"not_ready","field":null,"troubles":["latched"]}'
    )
