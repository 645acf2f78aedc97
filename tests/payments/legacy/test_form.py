import json
from typing import Any

import pytest

from tests.payments.legacy.form import AHEAD_MS_MAX
from tests.payments.legacy.lifecycle import FORMS
from tests.payments.legacy.steps import NOW, PAN
from tests.payments.legacy.usual import known, payment

TWELVE = "400000000002"  # a PAN of twelve digits
LONG = "x" * 300


def card(**changes: Any) -> dict[str, Any]:
    return {"card": {"pan": PAN, "expiry": "3012", **changes}}


def token(**changes: Any) -> dict[str, Any]:
    return {"card": {"token": "t", "expiry": "3012", **changes}}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"foo": 1, "amount": 0}, "FORMAT foo"),
    ({"card": {"pan": PAN, "cvv": 1}, "foo": 1}, "FORMAT card.cvv"),
    ({"x4111111111111111": 1}, "FORMAT body"),
    ({"card": {"4-1-1-1-1-1-1-1-1-1-1-1": 1}}, "FORMAT body"),
    ({"\ud800": 1}, "FORMAT body"),
    ({"device": f"d{PAN}"}, "FORMAT body"),
    ({"device": [[{"a": PAN}]]}, "FORMAT body"),
    ({"account": int(PAN)}, "FORMAT body"),
    ({"explain": PAN}, "FORMAT body"),
    ({"received_at": int(PAN)}, "FORMAT body"),
    (card(last4=PAN), "FORMAT body"),
    ({"request_id": 1}, "FORMAT request_id"),
    ({"request_id": ""}, "FORMAT request_id"),
    ({"request_id": "a b"}, "FORMAT request_id"),
    ({"request_id": "x" * 65}, "FORMAT request_id"),
    ({"merchant": "x" * 25}, "FORMAT merchant"),
    ({"op": "capture"}, "FORMAT op"),
    ({"op": None}, "FORMAT op"),
    ({"channel": "web"}, "FORMAT channel"),
    ({"channel": ["pos"]}, "FORMAT channel"),
    ({"amount": "1000"}, "FORMAT amount"),
    ({"amount": 1.0}, "FORMAT amount"),
    ({"amount": True}, "FORMAT amount"),
    ({"amount": None}, "FORMAT amount"),
    ({"amount": 0}, "BAD_AMOUNT amount"),
    ({"amount": 10**12}, "BAD_AMOUNT amount"),
    ({"currency": 978}, "FORMAT currency"),
    ({"currency": "eur"}, "BAD_CURRENCY currency"),
    ({"currency": "XAU"}, "BAD_CURRENCY currency"),
    ({"account": 0}, "FORMAT account"),
    ({"account": 2**63}, "FORMAT account"),
    ({"card": PAN}, "FORMAT card"),
    ({"card": {"expiry": "3012"}}, "FORMAT card"),
    (card(token="t"), "FORMAT card"),
    (card(pan=4111111111111111), "FORMAT card.pan"),
    (card(pan="4" * 11), "FORMAT card.pan"),
    (card(pan="4" * 20), "FORMAT card.pan"),
    (card(pan=None), "FORMAT card.pan"),
    (card(pan="4111111111111112"), "BAD_PAN card.pan"),
    (card(bin="411111"), "FORMAT card.bin"),
    (card(last4="1111"), "FORMAT card.last4"),
    (token(token=""), "FORMAT card.token"),
    (token(token="\x7f"), "FORMAT card.token"),
    (token(bin="12345"), "FORMAT card.bin"),
    (token(last4="123"), "FORMAT card.last4"),
    ({"card": {"pan": PAN}}, "FORMAT card.expiry"),
    (card(expiry="3013"), "FORMAT card.expiry"),
    (card(expiry="3000"), "FORMAT card.expiry"),
    (card(type="gift"), "FORMAT card.type"),
    (card(issuer_country="de"), "FORMAT card.issuer_country"),
    ({"terminal": "x" * 17}, "FORMAT terminal"),
    ({"terminal": "\u00e4"}, "FORMAT terminal"),
    ({"device": ""}, "FORMAT device"),
    ({"device": LONG}, "FORMAT device"),
    ({"device": "a\nb"}, "FORMAT device"),
    ({"device": "\ud800"}, "FORMAT device"),
    ({"ip": "10.0.0.256"}, "FORMAT ip"),
    ({"ip": "010.0.0.1"}, "FORMAT ip"),
    ({"ip": "fe80::1%eth0"}, "FORMAT ip"),
    ({"email": "ab"}, "FORMAT email"),
    ({"email": LONG}, "FORMAT email"),
    ({"ip_country": "D"}, "FORMAT ip_country"),
    ({"sca": 1}, "FORMAT sca"),
    ({"cvv_result": "partial"}, "FORMAT cvv_result"),
    ({"avs_result": ""}, "FORMAT avs_result"),
    ({"score": 1001}, "FORMAT score"),
    ({"score": -1}, "FORMAT score"),
    ({"allow_partial": "yes"}, "FORMAT allow_partial"),
    ({"explain": 0}, "FORMAT explain"),
    ({"received_at": -1}, "FORMAT received_at"),
    ({"received_at": 1.5}, "FORMAT received_at"),
    ({"received_at": NOW + AHEAD_MS_MAX + 1}, "FORMAT received_at"),
]
RIGHT: list[dict[str, Any]] = [
    {"request_id": "x" * 64, "merchant": "m1"},
    {"amount": 1},
    card(pan=TWELVE),
    card(pan="4000000000000000006"),
    token(bin="123456", last4="1234"),
    token(token="\u00e4" * 64),
    {"device": "\U0001f600" * 128, "terminal": " " * 16, "email": "a@b", "ip": "::"},
    {"avs_result": "partial", "cvv_result": "none", "score": 0, "sca": False, "explain": True},
    {"received_at": NOW + AHEAD_MS_MAX},
]
REQUIRED = ("request_id", "merchant", "channel", "amount", "currency", "account", "card")
OPERATIONS: dict[str, dict[str, Any]] = {
    "capture": {"request_id": "o", "amount": 1, "final": False},
    "void": {"request_id": "o", "amount": 1},
    "refund": {"request_id": "o", "amount": 1},
    "review": {"outcome": "approve"},
}


def code_and_field(reply: dict[str, Any]) -> str:
    return f"{reply['code']} {reply['field']}"


@pytest.mark.parametrize(("changes", "expected"), WRONG)
def test_a_payment_in_bad_form_is_refused(changes: dict[str, Any], expected: str) -> None:
    service = known()

    reply = service.pay(payment(**changes), NOW)

    assert code_and_field(reply) == expected
    assert service.status_of(reply) == 422
    assert (reply["decision"], reply["approved_amount"], reply["seq"]) == ("DECLINE", 0, None)
    assert (service.seq, service.T) == (16, 0)
    assert PAN not in json.dumps(reply)


@pytest.mark.parametrize("changes", RIGHT)
def test_a_payment_at_the_limits_of_its_form_is_approved(changes: dict[str, Any]) -> None:
    assert known().pay(payment(**changes), NOW)["code"] == "OK"


def test_what_is_missing_is_named_in_the_order_of_the_table() -> None:
    body = payment(amount="wrong")
    for name in reversed(REQUIRED):
        del body[name]

        assert code_and_field(known().pay(body, NOW)) == f"FORMAT {name}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "FORMAT body"),
        (b"[]", "FORMAT body"),
        (b"{", "FORMAT body"),
        (b'{"score":NaN}', "FORMAT body"),
        (b'{"device":"\xff"}', "FORMAT body"),
        (b'\xef\xbb\xbf{"score":1}', "FORMAT body"),
        (b'{"device":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "FORMAT body"),
        (b'{"score":1,"foo":1,"score":2}', "FORMAT foo"),
        (b'{"score":1,"score":2,"foo":1}', "FORMAT score"),
        (b'{"card":{"pan":"1","pan":"2"},"foo":1}', "FORMAT card.pan"),
        (b'{"sc\\u006fre":1,"score":2}', "FORMAT score"),
        (b"{}", "FORMAT request_id"),
    ],
)
def test_bytes_in_bad_form_are_refused(text: bytes, expected: str) -> None:
    assert code_and_field(known().pay(text, NOW)) == expected


def test_a_refusal_repeats_what_is_valid() -> None:
    reply = known().pay(payment(channel="web", amount=0), NOW)

    assert (reply["request_id"], reply["amount"], reply["currency"]) == ("r1", None, "EUR")


@pytest.mark.parametrize("changes", [{"foo": 1}, {}])
def test_a_refusal_never_repeats_a_pan(changes: dict[str, Any]) -> None:
    body = payment(**card(pan=TWELVE), request_id=f"r{TWELVE}", amount=int(TWELVE), **changes)

    reply = known().pay(body, NOW)

    assert (reply["request_id"], reply["amount"], reply["currency"]) == (None, None, "EUR")


def test_luhn_can_be_skipped_on_demand() -> None:
    service = known(faults=frozenset(["luhn_skipped"]))

    assert service.pay(payment(**card(pan="4111111111111112")), NOW)["code"] == "OK"


@pytest.mark.parametrize("kind", OPERATIONS)
def test_an_operation_in_bad_form_is_refused(kind: str) -> None:
    body = OPERATIONS[kind]
    changed = [({**body, "foo": 1}, "foo"), ({**body, "received_at": -1}, "received_at")]
    changed += [({**body, name: None}, name) for name in body]
    first = FORMS[kind][0][0]
    changed.append(({name: value for name, value in body.items() if name != first}, first))
    service = known()

    for wrong, field in changed:
        reply = service.operate(kind, "a-1", wrong, NOW)

        assert code_and_field(reply) == f"FORMAT {field}"
        assert reply["payment"] is reply["seq"] is reply["captured"] is None


def test_a_reversal_in_bad_form_is_refused() -> None:
    service = known()

    assert code_and_field(service.operate("void", None, {"merchant": "m1"}, NOW)) == "FORMAT request_id"
    assert code_and_field(service.operate("void", None, {"request_id": "r"}, NOW)) == "FORMAT merchant"
    assert code_and_field(service.operate("void", None, {"amount": 1}, NOW)) == "FORMAT amount"
    with pytest.raises(ValueError, match="capture of no payment"):
        service.operate("capture", None, {})


SETUP_WRONG: list[tuple[Any, str]] = [
    ([], "FORMAT body"),
    ({"op": "merchants"}, "FORMAT op"),
    ({"op": "merchant"}, "FORMAT merchant"),
    ({"op": "merchant", "merchant": "m", "received_at": 1}, "FORMAT received_at"),
    ({"op": "merchant", "merchant": "m", "hold_days": 32}, "FORMAT hold_days"),
    ({"op": "merchant", "merchant": "m", "limits": {"EUR": {"most": 1}}}, "FORMAT limits"),
    ({"op": "merchant", "merchant": "m", "currencies": ["eur"]}, "FORMAT currencies"),
    ({"op": "account", "account": 1, "status": "shut"}, "FORMAT status"),
    ({"op": "account", "account": 1, "balances": {"EUR": -1}}, "FORMAT balances"),
    ({"op": "list", "list": "friends"}, "FORMAT list"),
    ({"op": "list", "list": "block_bin", "add": ["1234567"]}, "FORMAT add"),
    ({"op": "list", "list": "block_account", "remove": ["1"]}, "FORMAT remove"),
    ({"op": "deposit", "account": 1, "currency": "EUR", "amount": 0, "id": "d"}, "BAD_AMOUNT amount"),
    ({"op": "deposit", "account": 1, "currency": "EUR", "amount": -(10**12), "id": "d"}, "BAD_AMOUNT amount"),
    ({"op": "deposit", "account": 1, "currency": "XXX", "amount": 1, "id": "d"}, "BAD_CURRENCY currency"),
]


@pytest.mark.parametrize(("line", "expected"), SETUP_WRONG)
def test_a_line_of_set_up_in_bad_form_is_refused(line: Any, expected: str) -> None:
    service = known()

    assert code_and_field(service.set_up(line)) == expected
    assert service.seq == 16
