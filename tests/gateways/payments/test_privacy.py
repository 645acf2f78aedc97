"""No PAN is in a command, in what a refusal repeats, or in the text of an error."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateways.payments.form import PaymentForm
from gateways.payments.values import FormRefusal
from tests.gateways.payments.bodies_of_payments import FORM, PAN, REPLAYED, WHOLE, body
from tests.gateways.payments.wired_door import TOKENS, WiredDoor

WORDS = st.sampled_from([
    *(PAN, f"x{PAN}", f"{PAN[:8]}-{PAN[8:]}", int(PAN), "ok", "r1"),
    *(1, True, None, [PAN], {PAN: PAN}, {"a": 1}),
])  # fmt: skip
CHANGES = st.dictionaries(st.sampled_from([*sorted(WHOLE), PAN, f"x{PAN}", "zz"]), WORDS, max_size=4)


def told_of(form: PaymentForm, raw: bytes) -> bytes:
    """Return all that is known of a body once it was read."""
    try:
        asked = form.pay(raw)
    except FormRefusal as refusal:
        parts: list[Any] = [*vars(refusal).values(), refusal, repr(refusal), refusal.__cause__]
        return "|".join(str(each) for each in parts).encode()
    return bytes(asked.record) + repr(asked[1:]).encode()


def packed_digits(pan: str) -> bytes:
    return int(pan).to_bytes(8, "little")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=CHANGES, is_doubled=st.booleans())
def test_whatever_a_body_repeats_no_pan_leaves_the_form(changes: dict[str, Any], is_doubled: bool) -> None:
    given = {**WHOLE, **changes}
    text = json.dumps(given)
    if is_doubled:
        text = text[:-1] + ',"card":{"pan":"1","pan":"2"}}'
    for form in (FORM, REPLAYED):
        told = told_of(form, text.encode())
        if isinstance(given["card"], dict) and "pan" in given["card"]:
            assert PAN.encode() not in told


def test_a_command_holds_the_pan_in_no_form() -> None:
    record = bytes(FORM.pay(WHOLE).record)

    assert PAN.encode() not in record
    assert packed_digits(PAN) not in record
    assert bytes(int(each) for each in PAN) not in record
    assert PAN[8:].encode() not in record
    assert bytes(FORM.pay(body(card_pan="4111111111111129")).record[:80]) == record[:80]


def test_a_command_holds_nothing_else_that_is_personal() -> None:
    record = bytes(FORM.pay(WHOLE).record)

    for text in ("phone:7", "Ann@Example.com", "ann@example.com"):
        assert text.encode() not in record


KEY = f"Authorization: Bearer {TOKENS['acquirer']}"
ASK = f"POST /v1/payments HTTP/1.1\r\nHost: localhost\r\n{KEY}\r\n"
MISPLACED = {
    "nowhere": PAN,
    "method": f"{PAN} / HTTP/1.1\r\nHost: localhost",
    "host": f"GET /v1/payments HTTP/1.1\r\nHost: {PAN}\r\n{KEY}",
    "target": f"GET http://{PAN}/v1/payments HTTP/1.1\r\nHost: localhost\r\n{KEY}",
    "port": f"GET http://localhost:x{PAN}/v1/payments HTTP/1.1\r\nHost: localhost\r\n{KEY}",
    "connect": f"CONNECT {PAN}:70000 HTTP/1.1\r\nHost: localhost\r\n{KEY}",
    "path": f"GET /v1/payments/{PAN} HTTP/1.1\r\nHost: localhost\r\n{KEY}",
    "query": f"GET /v1/payments?pan={PAN} HTTP/1.1\r\nHost: localhost\r\n{KEY}",
    "fragment": f"GET /v1/payments#{PAN} HTTP/1.1\r\nHost: localhost\r\n{KEY}",
    "long header": f"{ASK}A: {PAN * 600}",
    "no header": f"{ASK}{PAN}",
    "origin": f"{ASK}Content-Length: 0\r\nOrigin: http://{PAN}",
    "expect": f"{ASK}Content-Length: 0\r\nExpect: {PAN}",
    "content encoding": f"{ASK}Content-Length: 0\r\nContent-Encoding: {PAN}",
    "transfer encoding": f"{ASK}Transfer-Encoding: {PAN}",
    "length": f"{ASK}Content-Length: {PAN}",
    "account": f"{ASK}Content-Length: 0\r\nPinion-Account: {PAN}",
    "deadline": f"{ASK}Content-Length: 0\r\nPinion-Deadline-Ms: {PAN}",
}


@pytest.mark.parametrize("request_text", MISPLACED.values(), ids=MISPLACED)
async def test_a_request_with_a_pan_in_the_wrong_place_is_refused_without_it(request_text: str) -> None:
    answer = await WiredDoor().raw(f"{request_text}\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 4")
    assert PAN.encode() not in answer
    assert PAN[:12].encode() not in answer
