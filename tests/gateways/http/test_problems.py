"""What the door answers to each reason: one status, one title, a document whose members stand in order."""

from enum import StrEnum
from typing import Any

import msgspec
import pytest

from engine.contract.port import RETRY_AFTER_S, Closed
from engine.trading.records import Reason
from gateways.entry.outcome import CountReply, OrderReply
from gateways.entry.refusals import NOT_NOW, DoorReason, Refusal, busy, not_now
from gateways.http.connections import refusal_reply
from gateways.http.problems import (
    STATUS_OF_REASON,
    TITLES,
    HttpReason,
    HttpStatus,
    OrderProblem,
    document_of,
    problem_of,
)

OWN = (*DoorReason, *HttpReason)
EXPECTED = {
    **{"duplicate": 409, "duplicate_request": 409, "unknown_order": 404, "rate_limit": 429},
    **{"not_permitted": 403, "account_disabled": 403, "invalid_field": 400},
    **{"malformed": 400, "unauthorized": 401, "outcome_unknown": 504},
    **{"busy": 503, "recovering": 503, "latched": 503, "stopping": 503},
    **{"unknown_path": 404, "method_not_allowed": 405, "request_timeout": 408, "too_large": 413},
    "websocket_only": 426,
}
"""Every other reason is one of the engine's and 422."""


def test_every_reason_has_one_status_and_every_status_a_title() -> None:
    names = [reason.name.lower() for reason in Reason] + [str(reason) for reason in OWN]

    assert len(set(names)) == len(names)
    assert set(STATUS_OF_REASON) == set(names)
    assert set(TITLES) == set(STATUS_OF_REASON.values())


@pytest.mark.parametrize("reason", [*(reason.name.lower() for reason in Reason), *OWN])
def test_reason_is_answered_with_the_status_of_the_table(reason: str | StrEnum) -> None:
    reply = refusal_reply(Refusal(reason, "what was meant", "price"))

    status = EXPECTED.get(reason, 422)
    assert reply.status == status
    assert reply.data().startswith(b"HTTP/1.1 %d " % status)
    assert msgspec.json.decode(reply.body) == {
        "type": f"urn:pinion:problem:{reason.replace('_', '-')}",
        "title": TITLES[HttpStatus(status)],
        "status": status,
        "detail": "what was meant",
        "reason": str(reason),
        "field": "price",
    }


def test_field_that_the_engine_has_judged_is_refused_not_malformed() -> None:
    at_the_door, numbered = (problem_of(Refusal("invalid_field", "why", seq=seq)) for seq in (None, 7))

    assert (at_the_door.status, at_the_door.title) == (400, "Malformed request")
    assert (numbered.status, numbered.title) == (422, "Refused")


def test_members_of_a_document_stand_in_one_order() -> None:
    whole = Refusal(
        "duplicate",
        "why",
        seq=9,
        order_id=7,
        client_order_id="a",
        order_status="open",
        cum_quantity="1",
        leaves_quantity="2",
        original_seq=3,
        group=8,
        rule="max_clip",
        rule_reason="MAX_CLIP",
        rule_fault=False,
    )

    assert problem_of(whole).body() == (
        b'{"type":"urn:pinion:problem:duplicate","title":"Duplicate client order id","status":409,'
        b'"detail":"why","reason":"duplicate","field":null,"seq":9,"order_id":7,"client_order_id":"a",'
        b'"order_status":"open","cum_quantity":"1","leaves_quantity":"2","original_seq":3,"group":8,'
        b'"rule":"max_clip","rule_reason":"MAX_CLIP","rule_fault":false}'
    )
    assert list(msgspec.json.decode(problem_of(whole).body())) == list(OrderProblem.__struct_fields__)


@pytest.mark.parametrize("refusal", [busy(), *map(not_now, Closed)], ids=lambda refusal: str(refusal.reason))
def test_what_may_be_sent_again_says_when(refusal: Any) -> None:
    assert refusal.reason in NOT_NOW
    assert b"\r\nRetry-After: %d\r\n" % RETRY_AFTER_S in refusal_reply(refusal).data()


def test_reply_is_encoded_as_it_is() -> None:
    for reply in (OrderReply(1, "k", "open", "0", "5", [], None, 1), CountReply("mass_cancel", 0, [], 1)):
        assert document_of(reply) is reply
