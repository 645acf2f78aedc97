"""What messages ask for: the body that the HTTP door would have, and so one command for one payment."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.payments.codes import BY_NUMBER
from engine.payments.currencies import CURRENCIES
from engine.payments.records import AMOUNT_MAX
from gateways.iso8583.messages import Elements
from gateways.iso8583.requests import (
    element_at_fault,
    network_code,
    payment_body,
    refuse_repeated_pan,
    reversal_of,
)
from gateways.payments.values import FormRefusal, passes_luhn
from tests.gateways.iso8583.client import PAN, payment, replacement, reversal
from tests.gateways.payments.bodies_of_payments import FORM

BODY = {
    "op": "authorise", "card": {"pan": PAN, "expiry": "9912"}, "request_id": "TILL-04.1129120000.000001",
    "terminal": "TILL-04", "merchant": "m1", "channel": "pos", "amount": 1000, "currency": "EUR",
    "account": 1,
}  # fmt: skip
IDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"


def elements(message: dict[str, str]) -> Elements:
    return {int(name): text for name, text in message.items() if name != "t"}


def body_of(**changes: Any) -> dict[str, Any]:
    message = payment(**changes)
    return payment_body(message["t"], elements(message))


def paid(found: Elements, kind: str = "0100") -> bytes:
    """Return the command of a payment, or raise FormRefusal."""
    return bytes(FORM.pay(payment_body(kind, found)).record)


def outcome(judge: Callable[[], bytes]) -> bytes | tuple[int, str]:
    """Return what a form makes of a payment, or how it refuses it."""
    try:
        return judge()
    except FormRefusal as refusal:
        return refusal.code, refusal.field


def refusal_of(message: dict[str, str]) -> tuple[str, int]:
    """Return the response code of a refused message, and the data element that is named."""
    judge = {"0800": network_code, "0400": reversal_of}.get(message["t"], paid)
    with pytest.raises(FormRefusal) as refused:
        judge(elements(message))
    found = refused.value
    return str(BY_NUMBER[found.code].iso), element_at_fault(found.field, elements(message))


def test_a_message_becomes_the_body_of_the_http_door() -> None:
    assert body_of() == BODY
    assert payment_body("0200", elements(payment())) == {**BODY, "op": "sale"}
    assert body_of() == payment_body("0101", elements(payment()))


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        *(({"de_22": f"{mode}1"}, "channel", "pos") for mode in ("02", "05", "07", "90", "91")),
        *(({"de_22": f"{mode}0"}, "channel", "ecom") for mode in ("01", "81")),
        *(({"de_22": f"{mode}2"}, "channel", "moto") for mode in ("00", "03", "10", "79", "99")),
        ({"de_49": "392"}, "currency", "JPY"),
        ({"de_49": "048"}, "currency", "BHD"),
        ({"de_102": "0000000000000000000000000042"}, "account", 42),
        ({"de_102": "42 "}, "account", 42),
        ({"de_42": "shop:7.a-b     "}, "merchant", "shop:7.a-b"),
        ({"de_41": " T 1    "}, "terminal", "T 1"),
        ({"de_4": "999999999999"}, "amount", AMOUNT_MAX),
        ({"de_3": "010000"}, "op", "authorise"),
        ({"de_3": None}, "op", "authorise"),
    ],
)
def test_a_field_becomes_a_field_of_the_body(changes: dict[str, Any], name: str, value: Any) -> None:
    assert body_of(**changes)[name] == value


@pytest.mark.parametrize(
    ("changes", "iso", "at_fault"),
    [
        *(({f"de_{number}": None}, "30", number) for number in (2, 4, 7, 11, 14, 22, 41, 42, 49, 102)),
        ({"de_2": "411111111111111"}, "14", 2),
        ({"de_2": "4111111111111112"}, "14", 2),
        ({"de_2": "41111111111"}, "30", 2),
        ({"de_2": "41111111111111a1"}, "30", 2),
        ({"de_2": ""}, "30", 2),
        ({"de_3": "00000x"}, "30", 3),
        ({"de_3": "200000"}, "40", 3),
        ({"de_3": "310000"}, "40", 3),
        ({"de_4": "000000000000"}, "13", 4),
        ({"de_4": "00000000010 "}, "30", 4),
        ({"de_4": "-00000000001"}, "30", 4),
        ({"de_7": "112912000x"}, "30", 7),
        ({"de_11": "00000 "}, "30", 11),
        ({"de_14": "9913"}, "30", 14),
        ({"de_14": "99 1"}, "30", 14),
        ({"de_22": "05 "}, "30", 22),
        ({"de_41": " " * 8}, "30", 41),
        ({"de_41": "A T     "}, "30", 41),
        ({"de_42": " " * 15}, "30", 42),
        ({"de_42": "shop/7         "}, "30", 42),
        ({"de_49": "999"}, "12", 49),
        ({"de_49": "959"}, "12", 49),
        ({"de_49": "EUR"}, "12", 49),
        ({"de_102": "0"}, "30", 102),
        ({"de_102": "9223372036854775808"}, "30", 102),
        ({"de_102": "DE12"}, "30", 102),
    ],
)
def test_a_field_that_is_wrong_is_refused_by_its_number(
    changes: dict[str, Any], iso: str, at_fault: int
) -> None:
    assert refusal_of(payment(**changes)) == (iso, at_fault)


@pytest.mark.parametrize(
    ("changes", "iso", "at_fault"),
    [
        *(({f"de_{number}": None}, "30", number) for number in (7, 11, 41, 42, 90)),
        ({"de_90": "0100" + "x" * 38}, "30", 90),
        ({"de_90": "0800" + "0" * 38}, "40", 90),
        ({"de_42": "shop/7         "}, "30", 42),
        ({"de_49": "999"}, "12", 49),
        ({"de_95": "x" * 42}, "30", 95),
        ({"de_95": replacement(1), "de_4": None}, "30", 4),
        ({"de_95": replacement(1000)}, "13", 4),
        ({"de_95": replacement(1001)}, "13", 4),
    ],
)
def test_a_reversal_that_is_wrong_is_refused_by_its_number(
    changes: dict[str, Any], iso: str, at_fault: int
) -> None:
    assert refusal_of(reversal(payment(), **changes)) == (iso, at_fault)


def test_a_network_message_that_is_not_known_is_refused() -> None:
    assert refusal_of({"t": "0800"}) == ("30", 70)
    assert refusal_of({"t": "0800", "70": "3 1"}) == ("30", 70)
    assert refusal_of({"t": "0800", "70": "161"}) == ("40", 70)
    assert network_code({70: "301"}) == "301"


@pytest.mark.parametrize(
    ("kind", "changes", "is_sale", "amount"),
    [
        ("0100", {}, False, None),
        ("0101", {}, False, None),
        ("0200", {}, True, None),
        ("0201", {}, True, None),
        ("0100", {"de_95": replacement(400)}, False, 600),
        ("0200", {"de_95": replacement(999)}, True, 1),
        ("0100", {"de_95": replacement(0)}, False, None),
        ("0100", {"de_49": None}, False, None),
    ],
)
def test_a_reversal_names_its_original(
    kind: str, changes: dict[str, Any], is_sale: bool, amount: int | None
) -> None:
    original = payment(7, kind)

    found = reversal_of(elements(reversal(original, **changes)))

    assert (found.merchant, found.original) == ("m1", body_of(de_11="000007")["request_id"])
    assert (found.is_sale, found.amount) == (is_sale, amount)
    assert found.operation_body().get("amount") == amount


@pytest.mark.parametrize("number", [37, 41, 42, 90, 95, 102])
def test_a_field_that_repeats_the_card_is_refused(number: int) -> None:
    pan = "501800000009"
    given_elements = {**elements(payment(de_2=pan)), number: f"0{pan}0"}

    with pytest.raises(FormRefusal):
        refuse_repeated_pan(given_elements)
    refuse_repeated_pan({**given_elements, 2: PAN})


digits = st.text("0123456789", min_size=6, max_size=6)


@given(
    kind=st.sampled_from(("0100", "0101", "0200", "0201")),
    amount=st.integers(1, AMOUNT_MAX),
    currency=st.sampled_from(sorted(CURRENCIES)),
    account=st.integers(1, 2**63 - 1),
    head=st.text("0123456789", min_size=11, max_size=18),
    expiry=st.tuples(st.integers(0, 99), st.integers(1, 12)),
    mode=st.sampled_from(("02", "05", "07", "90", "91", "01", "81", "00", "10")),
    ids=st.tuples(st.text(IDS, min_size=1, max_size=8), st.text(IDS, min_size=1, max_size=15)),
    sent=st.tuples(st.text("0123456789", min_size=10, max_size=10), digits),
)
def test_one_payment_is_one_command_through_either_door(
    kind: str,
    amount: int,
    currency: str,
    account: int,
    head: str,
    expiry: tuple[int, int],
    mode: str,
    ids: tuple[str, str],
    sent: tuple[str, str],
) -> None:
    pan = next(pan for pan in (f"{head}{last}" for last in range(10)) if passes_luhn(pan))
    terminal, merchant = ids
    until = f"{expiry[0]:02}{expiry[1]:02}"
    message = {
        "2": pan, "4": f"{amount:012}", "7": sent[0], "11": sent[1], "14": until,
        "22": f"{mode}0", "41": terminal.ljust(8), "42": merchant.ljust(15),
        "49": f"{CURRENCIES[currency].number:03}", "102": str(account),
    }  # fmt: skip
    channel = (
        "ecom" if mode in ("01", "81") else "pos" if mode[0] in "9" or mode in ("02", "05", "07") else "moto"
    )
    over_http = {
        "request_id": f"{terminal}.{sent[0]}.{sent[1]}", "merchant": merchant, "terminal": terminal,
        "op": "sale" if kind.startswith("02") else "authorise", "channel": channel, "amount": amount,
        "currency": currency, "account": account, "card": {"pan": pan, "expiry": until},
    }  # fmt: skip

    wanted = outcome(lambda: bytes(FORM.pay(json.dumps(over_http).encode()).record))
    assert outcome(lambda: paid(elements(message), kind)) == wanted
