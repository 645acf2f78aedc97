"""The form of captures, voids, refunds and reviews, and their commands."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from engine.payments.command_words import BODY, KEY, MERCHANT, OWN_KEY, REQUEST_ID, TERMINAL
from engine.payments.records import APPROVE_IT, DECLINE_IT, FINAL, NOT_GIVEN, Op
from engine.payments.texts import words_text
from gateways.payments.form import Asked
from gateways.payments.hashing import hash_words
from gateways.payments.operations import OperationForm
from gateways.payments.values import FormRefusal
from tests.gateways.payments.bodies_of_payments import (
    BAD_AMOUNT,
    FORMAT,
    HASHER,
    NOW_MS,
    OPERATIONS,
    REPLAYED,
    record_of,
)

Read = Callable[[dict[str, Any] | bytes], Asked]
READS: dict[Op, Read] = {
    Op.CAPTURE: lambda given: OPERATIONS.on_payment(Op.CAPTURE, 17, given),
    Op.VOID: lambda given: OPERATIONS.on_payment(Op.VOID, 17, given),
    Op.REFUND: lambda given: OPERATIONS.on_payment(Op.REFUND, 17, given),
    Op.REVIEW: lambda given: OPERATIONS.review(17, given),
    Op.REVERSE: OPERATIONS.reverse,
}
GOOD: dict[Op, dict[str, Any]] = {
    Op.CAPTURE: {"request_id": "c1", "amount": 5, "final": True},
    Op.VOID: {"request_id": "v1", "amount": 5},
    Op.REFUND: {"request_id": "f1", "amount": 5},
    Op.REVIEW: {"outcome": "approve"},
    Op.REVERSE: {"request_id": "r1", "merchant": "m1"},
}


@pytest.mark.parametrize("op", [Op.CAPTURE, Op.VOID, Op.REFUND])
def test_an_operation_on_a_payment_is_in_its_place_in_the_command(op: Op) -> None:
    asked = READS[op](json.dumps(GOOD[op]).encode())

    record = record_of(asked)
    assert (record["op"], record["payment"], record["amount"]) == (op, 17, 5)
    assert record["received_at"] == NOT_GIVEN
    assert record["kind"] == (FINAL if op == Op.CAPTURE else 0)
    assert words_text(record["words"][REQUEST_ID:MERCHANT]) == asked.request_id == GOOD[op]["request_id"]
    assert tuple(record["words"][KEY:BODY]) == hash_words(HASHER.operation(GOOD[op]["request_id"]))
    assert record["words"][BODY : BODY + 2].all()


@pytest.mark.parametrize("op", [Op.CAPTURE, Op.VOID, Op.REFUND])
def test_an_operation_without_an_amount_is_for_all_there_is(op: Op) -> None:
    record = record_of(READS[op]({"request_id": "x"}))

    assert (record["amount"], record["kind"]) == (NOT_GIVEN, 0)


@pytest.mark.parametrize(("outcome", "kind"), [("approve", APPROVE_IT), ("decline", DECLINE_IT)])
def test_a_review_says_how_it_ended(outcome: str, kind: int) -> None:
    record = record_of(OPERATIONS.review(3, {"outcome": outcome}))

    assert (record["op"], record["payment"], record["kind"]) == (Op.REVIEW, 3, kind)
    assert not record["words"].any()


def test_a_reversal_names_the_payment_as_its_request_does() -> None:
    asked = OPERATIONS.reverse(GOOD[Op.REVERSE])

    record = record_of(asked)
    words = record["words"]
    assert (record["op"], asked.merchant, asked.request_id) == (Op.REVERSE, "m1", "r1")
    assert words_text(words[MERCHANT:TERMINAL]) == "m1"
    assert tuple(words[KEY:BODY]) == hash_words(HASHER.request("m1", "r1"))
    assert tuple(words[OWN_KEY : OWN_KEY + 2]) == hash_words(HASHER.reversal("m1", "r1"))


def test_the_same_body_of_two_operations_has_two_hashes() -> None:
    hashes = {
        tuple(record_of(READS[op]({"request_id": "x"}))["words"][BODY : BODY + 2])
        for op in (Op.CAPTURE, Op.VOID, Op.REFUND)
    }

    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("op", "changes", "expected"),
    [
        *((op, {"zz": 1}, (FORMAT, "zz")) for op in GOOD),
        *((op, {"card": {}}, (FORMAT, "card")) for op in GOOD),
        *((op, {"n123456789012": 1}, (FORMAT, "body")) for op in GOOD),
        *((op, {"received_at": 1}, (FORMAT, "received_at")) for op in GOOD),
        *((op, {"request_id": None}, (FORMAT, "request_id")) for op in GOOD if op != Op.REVIEW),
        *((Op.CAPTURE, {"amount": value}, (FORMAT, "amount")) for value in ("1", 1.0, True, None)),
        *((Op.REFUND, {"amount": value}, (BAD_AMOUNT, "amount")) for value in (0, -1, 10**12)),
        (Op.CAPTURE, {"final": 1}, (FORMAT, "final")),
        (Op.VOID, {"final": True}, (FORMAT, "final")),
        (Op.REVIEW, {"request_id": "x"}, (FORMAT, "request_id")),
        *((Op.REVIEW, {"outcome": value}, (FORMAT, "outcome")) for value in ("", "APPROVE", None, 1)),
        *((Op.REVERSE, {"merchant": value}, (FORMAT, "merchant")) for value in ("", "m" * 25, None)),
        (Op.REVERSE, {"amount": 1}, (FORMAT, "amount")),
    ],
)  # fmt: skip
def test_what_is_refused(op: Op, changes: dict[str, Any], expected: tuple[Any, str]) -> None:
    for given in (GOOD[op] | changes, json.dumps(GOOD[op] | changes).encode()):
        with pytest.raises(FormRefusal) as refused:
            READS[op](given)

        assert (refused.value.code, refused.value.field) == expected


@pytest.mark.parametrize(
    ("op", "name"),
    [(Op.CAPTURE, "request_id"), (Op.REVIEW, "outcome"), (Op.REVERSE, "request_id")],
)
def test_what_is_missing_is_named(op: Op, name: str) -> None:
    with pytest.raises(FormRefusal) as refused:
        READS[op]({})

    assert (refused.value.code, refused.value.field) == (FORMAT, name)


def test_operations_bring_the_time_where_payments_do() -> None:
    record = record_of(OperationForm(REPLAYED).review(1, {"outcome": "decline", "received_at": NOW_MS}))

    assert record["received_at"] == NOW_MS
