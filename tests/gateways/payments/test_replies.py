"""Replies: their shape, and what each kind of answer leaves null."""

import json
from typing import Any

import pytest

from engine.payments.codes import ISO_CODES, TABLE, Code
from engine.payments.records import Decision, EventKind, Field, Op, Rule, State
from gateways.payments.form import Asked
from gateways.payments.replies import MovedReply, PaymentReply, Replies, Told, encode_reply
from gateways.payments.values import FormRefusal
from tests.gateways.payments.bodies_of_payments import FORM, PAN, body
from tests.gateways.payments.made_events import event, view

REPLIES = Replies("a")
APPROVAL = (
    b'{"payment":"a-17","request_id":"r1","decision":"APPROVE","code":"OK","iso":"00","field":null,"rule":null,'
    b'"retry":"NONE","amount":1000,"approved_amount":1000,"currency":"EUR","state":"open","ruleset":1,'
    b'"cohort":"control","matched":[],"replayed":false,"approval":"00000H","seq":17}'
)
DECLINED: dict[str, Any] = {
    "code": Code["AMOUNT_LIMIT"],
    "decision": Decision.DECLINE,
    "state": State.DECLINED,
    "approved_amount": 0,
    "rule": Rule.MERCHANT_AMOUNT,
    "field": Field.AMOUNT,
    "matched": 1 << Rule.MERCHANT_AMOUNT,
}
MOVED: dict[str, Any] = {"kind": EventKind.MOVED, "op": Op.CAPTURE, "seq": 40, "reply_seq": 40, "amount": 5}
NOTHING: dict[str, Any] = {"ruleset": 0, "currency": -1, "state": 0, "approved_amount": 0}


def fields_of(told: Told) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(encode_reply(told.reply))
    return fields


def decided(**changes: Any) -> dict[str, Any]:
    return fields_of(REPLIES.document(event(**changes), "r1"))


def moved(**changes: Any) -> dict[str, Any]:
    told = REPLIES.document(event(**MOVED | changes), "c1", is_operation=True, asked="a-17")
    return fields_of(told)


def test_an_approval_reads_as_in_the_rules() -> None:
    told = REPLIES.document(event(), "r1")

    assert (told.status, encode_reply(told.reply)) == (200, APPROVAL)


def test_a_decline_names_rule_and_field_and_approves_nothing() -> None:
    found = decided(**DECLINED)

    assert list(found) == list(PaymentReply.__struct_fields__)
    assert (found["code"], found["iso"], found["retry"]) == ("AMOUNT_LIMIT", "61", "LATER")
    assert (found["rule"], found["field"], found["matched"]) == (
        "merchant_amount",
        "amount",
        ["merchant_amount"],
    )
    assert (found["decision"], found["state"]) == ("DECLINE", "declined")
    assert (found["approved_amount"], found["approval"]) == (0, None)


def test_matched_rules_stand_in_their_order() -> None:
    bits = sum(1 << rule for rule in (Rule.BALANCE, Rule.GEO, Rule.CARD_1M))

    for _ in range(2):
        assert decided(matched=bits)["matched"] == ["card_1m", "geo", "balance"]


@pytest.mark.parametrize(
    ("field", "name"),
    [(Field.CARD_EXPIRY, "card.expiry"), (Field.CARD_BIN, "card.bin"), (Field.CARD, "card")],
)
def test_a_field_of_the_card_has_its_path(field: Field, name: str) -> None:
    assert decided(field=field)["field"] == name


@pytest.mark.parametrize(
    ("seq", "approval"), [(17, "00000H"), (36**6 - 1, "ZZZZZZ"), (36**6 + 35, "00000Z"), (46655, "000ZZZ")]
)
def test_an_approval_is_the_last_six_digits_of_seq(seq: int, approval: str) -> None:
    assert decided(payment=seq)["approval"] == approval


def test_a_repeated_request_has_the_seq_of_the_first() -> None:
    found = decided(seq=30, reply_seq=17, replayed=1)

    assert (found["replayed"], found["seq"], found["payment"]) == (True, 17, "a-17")


def test_a_duplicate_is_a_conflict_about_the_first_payment() -> None:
    told = REPLIES.document(
        event(code=Code["DUPLICATE"], decision=Decision.DECLINE, approved_amount=0, seq=30), "r1"
    )

    found = fields_of(told)
    assert (told.status, found["payment"], found["seq"], found["state"]) == (409, "a-17", 17, "open")
    assert found["approval"] is None


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_every_code_has_the_iso_code_and_the_status_of_the_table(row: Any) -> None:
    told = REPLIES.document(event(code=row.number), "r1")

    assert told.status == row.http
    assert (told.reply.code, told.reply.iso, told.reply.retry) == (row.name, row.iso, row.retry.name)


def test_capacity_has_no_payment() -> None:
    found = decided(code=Code["CAPACITY"], payment=0, decision=Decision.DECLINE, approved_amount=0, state=0)

    assert (found["payment"], found["state"], found["seq"]) == (None, None, 17)
    assert moved(code=Code["CAPACITY"])["payment"] is None
    assert moved(code=Code["CAPACITY"])["state"] is None


def test_an_operation_adds_what_has_moved() -> None:
    found = moved(captured=5, refunded=1, held=995)

    assert list(found) == list(MovedReply.__struct_fields__)
    assert list(found)[-3:] == ["captured", "refunded", "held"]
    assert (found["captured"], found["refunded"], found["held"]) == (5, 1, 995)
    assert (found["payment"], found["request_id"], found["seq"]) == ("a-17", "c1", 40)
    assert (found["approval"], found["approved_amount"], found["amount"]) == ("00000H", 1000, 5)


def test_of_an_unknown_payment_nothing_is_known() -> None:
    found = moved(**NOTHING, code=Code["NOT_FOUND"], decision=Decision.DECLINE, field=Field.PAYMENT, amount=0)

    assert (found["payment"], found["field"], found["decision"], found["seq"]) == (
        "a-17",
        "payment",
        "DECLINE",
        40,
    )
    for name in ("state", "currency", "approved_amount", "captured", "refunded", "held", "ruleset", "cohort"):
        assert found[name] is None


def test_a_reversal_before_its_original_is_about_no_payment() -> None:
    found = moved(**NOTHING, op=Op.REVERSE, payment=0, amount=0)

    assert (found["code"], found["decision"], found["amount"]) == ("OK", "APPROVE", 0)
    for name in ("payment", "state", "approved_amount", "captured", "currency", "approval"):
        assert found[name] is None


def test_an_acquirer_reads_what_is_disclosed_to_it() -> None:
    shown = DECLINED | {"disclosed": ISO_CODES.index("05") + 1}

    hidden = fields_of(REPLIES.document(event(**shown), "r1", hides=True))

    assert (hidden["code"], hidden["iso"], hidden["matched"]) == ("DECLINED", "05", [])
    assert (hidden["rule"], hidden["field"]) == (None, None)
    assert decided(**shown)["code"] == "AMOUNT_LIMIT"
    assert fields_of(REPLIES.document(event(**DECLINED), "r1", hides=True))["code"] == "AMOUNT_LIMIT"


def test_explain_tells_an_acquirer_of_no_rule_behind_the_one_that_declined() -> None:
    rules = (Rule.HOT_LIST, Rule.CVV, Rule.SCORE_DECLINE)
    shown = DECLINED | {"rule": Rule.CVV, "matched": sum(1 << rule for rule in rules)}

    hidden = fields_of(REPLIES.document(event(**shown), "r1", hides=True))

    assert hidden["matched"] == ["hot_list", "cvv"]
    assert decided(**shown)["matched"] == ["hot_list", "cvv", "score_decline"]


def test_a_rejected_command_is_a_fault_of_ours() -> None:
    told = REPLIES.document(event(kind=EventKind.REJECTED, code=Code["SYSTEM"], payment=0), "r1")

    found = fields_of(told)
    assert (told.status, found["code"], found["decision"], found["approved_amount"]) == (
        503,
        "SYSTEM",
        None,
        None,
    )


def test_a_view_reads_as_an_operation_does() -> None:
    told = REPLIES.of_view(view(state=State.VOIDED, held=0))

    found = fields_of(told)
    assert told.status == 200
    assert list(found) == list(MovedReply.__struct_fields__)
    assert (found["payment"], found["seq"], found["state"], found["held"]) == ("a-17", 17, "voided", 0)


def test_a_refusal_for_form_repeats_what_is_valid() -> None:
    with pytest.raises(FormRefusal) as refused:
        FORM.pay(body(amount=0))

    told = REPLIES.refused(refused.value)

    found = fields_of(told)
    assert told.status == 422
    assert list(found) == list(PaymentReply.__struct_fields__)
    assert (found["code"], found["iso"], found["field"], found["retry"]) == (
        "BAD_AMOUNT",
        "13",
        "amount",
        "FIX",
    )
    assert (found["decision"], found["approved_amount"]) == ("DECLINE", 0)
    assert (found["request_id"], found["amount"], found["currency"]) == ("r-1:a", None, "EUR")
    for name in ("payment", "rule", "state", "ruleset", "cohort", "approval", "seq"):
        assert found[name] is None


@pytest.mark.parametrize(("code", "status"), [("BUSY", 503), ("TIMEOUT", 504), ("SYSTEM", 503)])
def test_without_an_answer_there_is_no_decision(code: str, status: int) -> None:
    asked = Asked(bytearray(), "r1", "m1", 1, 1000, "EUR")

    told = REPLIES.unanswered(Code[code], asked)

    found = fields_of(told)
    assert (told.status, found["code"], found["retry"]) == (status, code, "LATER")
    assert (found["request_id"], found["amount"], found["currency"]) == ("r1", 1000, "EUR")
    for name in ("decision", "approved_amount", "payment", "seq", "state", "ruleset", "cohort"):
        assert found[name] is None


@pytest.mark.parametrize("asked", ["b-17", "a-", "a-017", "a-x", "a17", "a-１7", "a--1", "", f"a-{PAN}", PAN])
def test_what_is_no_id_of_this_instance_names_no_payment(asked: str) -> None:
    assert REPLIES.seq_of(asked) is None


def test_an_id_names_the_seq_of_its_payment() -> None:
    assert REPLIES.seq_of(REPLIES.id_of(17)) == 17


def test_an_id_that_may_be_a_pan_is_not_repeated() -> None:
    told = REPLIES.document(
        event(**MOVED | NOTHING | {"code": Code["NOT_FOUND"]}), None, is_operation=True, asked=f"a-{PAN}"
    )

    assert told.reply.payment is None
