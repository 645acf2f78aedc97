"""What a processor is sent and may answer: the card, and nothing that only rules look at."""

import json

import pytest

from gateways.payments.forward.messages import outcome_in, payment_message, reversal_message
from tests.gateways.payments.bodies_of_payments import CARD, TOKEN_CARD, WHOLE


def test_a_processor_gets_card_and_amount_and_nothing_that_only_rules_look_at() -> None:
    sent = json.loads(payment_message("a-17", WHOLE, 900))
    assert sent == {
        "payment": "a-17", "op": "sale", "amount": 900, "currency": "EUR", "request_id": "r-1:a",
        "merchant": "m1", "channel": "ecom", "terminal": "till 4", "sca": True, "cvv_result": "match",
        "avs_result": "partial", "card": CARD,
    }  # fmt: skip


def test_what_was_not_said_is_not_sent_and_a_token_goes_as_it_is() -> None:
    names = ("request_id", "merchant", "channel", "currency")
    fields = {name: WHOLE[name] for name in names} | {"card": TOKEN_CARD}
    sent = json.loads(payment_message("a-17", fields, 1000))
    assert sent == {
        "payment": "a-17", "op": "authorise", "amount": 1000, "card": TOKEN_CARD,
        **{name: WHOLE[name] for name in names},
    }  # fmt: skip


def test_a_reversal_names_the_payment_alone() -> None:
    assert json.loads(reversal_message("a-17")) == {"payment": "a-17"}


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        ('{"payment":"a-17","outcome":"approved"}', "approved"),
        ('{"payment":"a-17","outcome":"declined","reason":"x"}', "declined"),
        ('{"payment":"a-17","outcome":"reversed"}', "reversed"),
        ('{"payment":"a-18","outcome":"approved"}', ""),
        ('{"payment":"a-17","outcome":"APPROVED"}', ""),
        ('{"payment":17,"outcome":"approved"}', ""),
        ('{"payment":"a-17"}', ""),
        ('["approved"]', ""),
        ("approved", ""),
        ("", ""),
    ],
)
def test_only_an_outcome_of_this_payment_is_one(content: str, outcome: str) -> None:
    assert outcome_in(content.encode(), "a-17") == outcome


def test_an_answer_that_is_no_text_is_none() -> None:
    assert outcome_in(b'{"payment":"a-17\xff","outcome":"approved"}', "a-17") == ""
