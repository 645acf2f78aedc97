"""The form of a payment: every field's good and bad values, the order of judgement, and the command."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.payments.command_words import BODY, CARD, DEVICE, EMAIL, IP, KEY, MERCHANT, REQUEST_ID, TERMINAL
from engine.payments.countries import country_number
from engine.payments.records import (
    AMOUNT_MAX,
    COMMAND,
    HAS_SCA,
    NOT_GIVEN,
    WANTS_EXPLANATION,
    WANTS_PARTIAL,
    CardType,
    Channel,
    CheckResult,
    Op,
    PayKind,
)
from engine.payments.texts import words_text
from gateways.payments.form import AHEAD_MS_MAX, HEAD, REQUIRED
from gateways.payments.hashing import hash_words
from gateways.payments.values import FormRefusal
from tests.gateways.payments.bodies_of_payments import (
    BAD_AMOUNT,
    BAD_CURRENCY,
    BAD_PAN,
    FORM,
    FORMAT,
    HASHER,
    LEFT_OUT,
    NOW_MS,
    OTHER_PAN,
    PAN,
    REPLAYED,
    TOKEN_CARD,
    WHOLE,
    body,
    judged,
    record_of,
)
from tests.gateways.payments.bodies_of_payments import (
    CARD as PAN_CARD,
)

VALUES_IN_ORDER = (
    *("request_id", "merchant", "op", "channel", "amount", "currency", "account", "card.pan"),
    *("card.expiry", "card.type", "card.issuer_country", "terminal", "device", "ip", "email", "ip_country"),
    *("sca", "cvv_result", "avs_result", "score", "allow_partial", "explain", "received_at"),
)


def changed(name: str, value: Any) -> dict[str, Any]:
    return body(**{name.replace("card.", "card_"): value})


def test_every_field_is_in_its_place_in_the_command() -> None:
    asked = FORM.pay(json.dumps(WHOLE).encode())

    record = record_of(asked)
    words = record["words"]
    assert (record["op"], record["kind"], record["received_at"]) == (Op.PAY, PayKind.SALE, NOT_GIVEN)
    assert (record["account"], record["amount"], record["currency"], record["exponent"]) == (17, 1000, 978, 2)
    assert (record["expiry"], record["score"]) == (30 * 12 + 11, 12)
    assert record["issuer_country"] == country_number("DE")
    assert record["ip_country"] == country_number("FR")
    assert (record["channel"], record["card_type"]) == (Channel.ECOM, CardType.CREDIT)
    assert (record["cvv_result"], record["avs_result"]) == (CheckResult.MATCH, CheckResult.PARTIAL)
    assert record["options"] == WANTS_PARTIAL | WANTS_EXPLANATION | HAS_SCA
    assert (record["bin"], record["bin_digits"]) == (41111111, 8)
    assert words_text(words[REQUEST_ID:MERCHANT]) == asked.request_id == "r-1:a"
    assert words_text(words[MERCHANT:TERMINAL]) == asked.merchant == "m1"
    assert words_text(words[TERMINAL:KEY]) == "till 4"
    for begin, digest in (
        (KEY, HASHER.request("m1", "r-1:a")),
        (CARD, HASHER.pan(PAN)),
        (DEVICE, HASHER.device("phone:7")),
        (IP, HASHER.ip("2001:db8::1")),
        (EMAIL, HASHER.email("ann@example.com")),
    ):
        assert tuple(words[begin : begin + 2]) == hash_words(digest)
    assert (asked.account, asked.amount, asked.currency) == (17, 1000, "EUR")


def test_what_is_not_given_is_minus_one_or_zeros() -> None:
    record = record_of(FORM.pay({name: WHOLE[name] for name in REQUIRED if name != "card"} | {
        "card": {"token": "t", "expiry": "0001"}
    }))  # fmt: skip

    assert record["kind"] == PayKind.AUTHORISE
    for name in ("received_at", "score", "issuer_country", "ip_country", "card_type"):
        assert record[name] == NOT_GIVEN
    assert (record["cvv_result"], record["avs_result"], record["options"]) == (NOT_GIVEN, NOT_GIVEN, 0)
    assert (record["bin"], record["bin_digits"], record["expiry"]) == (NOT_GIVEN, 0, 0)
    for begin, end in ((TERMINAL, KEY), (DEVICE, IP), (IP, EMAIL), (EMAIL, EMAIL + 2)):
        assert not record["words"][begin:end].any()


def test_the_head_packs_the_fields_in_the_order_of_a_command() -> None:
    assert COMMAND.fields is not None
    names = [name for name in COMMAND.names or () if name not in ("pad", "words")]

    values = HEAD.unpack(HEAD.pack(*range(len(names))))
    record = np.frombuffer(HEAD.pack(*range(len(names))).ljust(COMMAND.itemsize, b"\0"), COMMAND)[0]

    assert values == tuple(int(record[name]) for name in names)


def test_a_token_has_the_bin_that_is_given() -> None:
    record = record_of(FORM.pay(body(card=TOKEN_CARD)))

    assert (record["bin"], record["bin_digits"]) == (411111, 6)
    assert tuple(record["words"][CARD : CARD + 2]) == hash_words(HASHER.token("tok-1"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request_id", "A" * 64),
        ("request_id", "._:-"),
        ("merchant", "m" * 24),
        ("op", "authorise"),
        *(("channel", each) for each in ("ecom", "pos", "moto", "recurring")),
        ("amount", 1),
        ("amount", AMOUNT_MAX),
        *(("currency", each) for each in ("EUR", "JPY", "BHD", "CLF")),
        ("account", 1),
        ("account", 2**63 - 1),
        ("card.pan", "000000000000"),
        ("card.pan", "6304000000000000000"),
        ("card.expiry", "0001"),
        ("card.expiry", "9912"),
        *(("card.type", each) for each in ("credit", "debit", "prepaid")),
        ("terminal", " ~" * 8),
        ("device", "é" * 128),
        ("device", "a:b\U0001f600"),
        *(("ip", each) for each in ("1.2.3.4", "::", "::ffff:1.2.3.4")),
        ("email", "a@b"),
        ("email", "ü" * 254),
        ("cvv_result", "mismatch"),
        ("cvv_result", "none"),
        *(("avs_result", each) for each in ("match", "mismatch", "none", "partial")),
        *(("score", each) for each in (0, 1000)),
        *((name, each) for name in ("sca", "allow_partial", "explain") for each in (True, False)),
        ("op", LEFT_OUT),
    ],
)
def test_good_values(name: str, value: Any) -> None:
    assert judged(changed(name, value)) is None


NO_TEXTS: tuple[Any, ...] = (None, 1, 1.5, True, [], {}, ["a"], {"a": 1})
BAD_VALUES: dict[str, tuple[Any, ...]] = {
    "request_id": ("", "a" * 65, "a b", "é", "a\n", *NO_TEXTS),
    "merchant": ("", "m" * 25, "m/1", *NO_TEXTS),
    "op": ("", "Sale", "refund", *NO_TEXTS),
    "channel": ("", "web", *NO_TEXTS),
    "amount": ("10", 10.0, 1e3, True, False, None, [], {}),
    "currency": NO_TEXTS,
    "account": (0, -1, 2**63, 10**30, 1.0, "1", True, None),
    "card": ("", None, 1, [], True, {**PAN_CARD, "token": "t"}, {**TOKEN_CARD, "pan": PAN}),
    "card.pan": ("", "4" * 11, "4" * 20, "4111 1111 1111 1111", "٤" * 16, PAN + "\n", None, int(PAN), []),
    "card.expiry": ("", "3013", "3000", "301", "30122", "٣٠١٢", *NO_TEXTS),
    "card.type": ("", "charge", *NO_TEXTS),
    "card.issuer_country": ("", "de", "DEU", "D" + "1", "ÄB", *NO_TEXTS),
    "terminal": ("", "t" * 17, "a\tb", "é", *NO_TEXTS),
    "device": ("", "d" * 129, "a\x00", "a\x1f", "a\x7f", "\ud800", *NO_TEXTS),
    "ip": (
        "",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "1.2.3.4/8",
        "::1%lo",
        "x",
        "é",
        "\ud800",
        "1\x00",
        *NO_TEXTS,
    ),
    "email": ("", "ab", "e" * 255, "a\n@b", *NO_TEXTS),
    "ip_country": ("", "fr", "FRA", *NO_TEXTS),
    "sca": (0, 1, "true", None, []),
    "cvv_result": ("", "partial", *NO_TEXTS),
    "avs_result": ("", "no", *NO_TEXTS),
    "score": (-1, 1001, 1.0, "1", True, None),
    "allow_partial": (0, "false", None),
    "explain": (1, "x", None),
    "received_at": (0, 1, NOW_MS, None, "1"),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD_VALUES.items() for value in values]
)
def test_bad_values_are_format(name: str, value: Any) -> None:
    assert judged(changed(name, value)) == (FORMAT, name)


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MAX + 1, 10**40])
def test_an_integer_out_of_range_is_bad_amount(amount: int) -> None:
    assert judged(body(amount=amount)) == (BAD_AMOUNT, "amount")


def test_an_integer_of_any_length_is_bad_amount() -> None:
    text = json.dumps(body(amount=7)).replace("7", "9" * 10_000, 1)

    assert judged(text.replace('"account": 1' + "9" * 10_000, '"account": 17')) == (BAD_AMOUNT, "amount")


@pytest.mark.parametrize("currency", ["", "eur", "XAU", "XXX", "EURO", "€"])
def test_a_text_that_is_no_currency_with_an_exponent_is_bad_currency(currency: str) -> None:
    assert judged(body(currency=currency)) == (BAD_CURRENCY, "currency")


@pytest.mark.parametrize("pan", ["4111111111111112", "1" * 12, "4111111111111111119"])
def test_a_pan_whose_last_digit_does_not_fit_is_bad_pan(pan: str) -> None:
    assert judged(body(card_pan=pan)) == (BAD_PAN, "card.pan")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("token", each) for each in ("", "t" * 65, "a\x01", "\ud800", None, 1)),
        *(("bin", each) for each in ("12345", "123456789", "12345x", 123456, None)),
        *(("last4", each) for each in ("123", "12345", 1234, None)),
    ],
)
def test_bad_values_of_a_card_with_a_token(name: str, value: Any) -> None:
    assert judged(body(card={**TOKEN_CARD, name: value})) == (FORMAT, f"card.{name}")


@pytest.mark.parametrize("name", ["bin", "last4"])
def test_a_pan_stands_without_bin_and_last_digits(name: str) -> None:
    assert judged(body(card={**PAN_CARD, name: TOKEN_CARD[name]})) == (FORMAT, f"card.{name}")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(name: str) -> None:
    assert judged(changed(name, LEFT_OUT)) == (FORMAT, name)


def test_missing_fields_are_named_in_the_order_of_the_table() -> None:
    given: dict[str, Any] = {"card": {}}
    for name in ("request_id", "merchant", "channel", "amount", "currency", "account"):
        assert judged(given) == (FORMAT, name)
        given[name] = None
    assert judged(given) == (FORMAT, "card")
    given["card"] = {"pan": None}
    assert judged(given) == (FORMAT, "card.expiry")
    given["card"]["expiry"] = None
    assert judged(given) == (FORMAT, "request_id")


def test_received_at_is_taken_where_requests_bring_the_time() -> None:
    assert record_of(REPLAYED.pay(body(received_at=NOW_MS)))["received_at"] == NOW_MS
    assert record_of(REPLAYED.pay(body()))["received_at"] == NOT_GIVEN
    for value in (0, NOW_MS + AHEAD_MS_MAX):
        assert judged(body(received_at=value), REPLAYED) is None
    bad: tuple[Any, ...] = (-1, NOW_MS + AHEAD_MS_MAX + 1, 1.0, True, None, "1")
    for wrong in bad:
        assert judged(body(received_at=wrong), REPLAYED) == (FORMAT, "received_at")


def body_hash(given: dict[str, Any] | bytes) -> list[int]:
    return list(record_of(REPLAYED.pay(given))["words"][BODY : BODY + 2])


def test_a_repeated_request_has_the_same_hash_of_its_body() -> None:
    turned = dict(reversed(WHOLE.items())) | {"card": dict(reversed(PAN_CARD.items()))}
    first = body_hash(WHOLE)

    assert body_hash(json.dumps(turned, indent=2).encode()) == first
    assert body_hash(body(received_at=5)) == first
    assert body_hash(body(explain=False)) == body_hash(body(explain=LEFT_OUT)) == first
    assert body_hash(json.dumps(WHOLE).replace("phone", "\\u0070hone").encode()) == first


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 1001},
        {"sca": LEFT_OUT},
        {"card_pan": OTHER_PAN},
        {"card_type": "debit"},
        {"ip": "2001:db8::2"},
    ],
)
def test_another_request_has_another_hash_of_its_body(changes: dict[str, Any]) -> None:
    assert body_hash(body(**changes)) != body_hash(WHOLE)


def test_a_refusal_repeats_what_is_valid() -> None:
    with pytest.raises(FormRefusal) as refused:
        FORM.pay(body(score=-1, currency="eur"))

    refusal = refused.value
    assert (refusal.request_id, refusal.amount, refusal.currency) == ("r-1:a", 1000, None)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    bad=st.lists(st.sampled_from(VALUES_IN_ORDER), min_size=1, unique=True),
    data=st.data(),
)
def test_of_bad_values_the_first_in_the_table_is_named(bad: list[str], data: st.DataObject) -> None:
    changes = {
        name.replace("card.", "card_"): data.draw(st.sampled_from(BAD_VALUES[name]), label=name)
        for name in bad
    }
    given = body(**changes)
    shuffled = dict(data.draw(st.permutations(list(given.items()))))

    assert judged(shuffled) == (FORMAT, min(bad, key=VALUES_IN_ORDER.index))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    unknown=st.booleans(),
    repeated=st.booleans(),
    missing=st.booleans(),
    wrong=st.booleans(),
)
def test_kinds_of_faults_are_judged_in_their_order(
    unknown: bool, repeated: bool, missing: bool, wrong: bool
) -> None:
    changes: dict[str, Any] = {}
    expected = None
    for is_so, change, found in (
        (wrong, {"score": -1}, "score"),
        (missing, {"merchant": LEFT_OUT}, "merchant"),
        (repeated, {"device": PAN}, "body"),
        (unknown, {"zz": 1}, "zz"),
    ):
        if is_so:
            changes |= change
            expected = FORMAT, found

    assert judged(body(**changes)) == expected
