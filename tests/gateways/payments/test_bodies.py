"""Bodies: what is an object, which names stand in it, and whether it repeats the PAN."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateways.payments.form import CARD_NAMES, NAMES
from tests.gateways.payments.bodies_of_payments import FORM, FORMAT, PAN, TOKEN_CARD, WHOLE, body, judged


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "[]",
        "1",
        "null",
        '"x"',
        "{}x",
        '{"amount":NaN}',
        '{"a":01}',
        "\ufeff{}",
        '{"a":"\n"}',
        "[" * 9999,
    ],
)
def test_what_is_no_object_is_format_of_the_body(text: str) -> None:
    assert judged(text) == (FORMAT, "body")


@pytest.mark.parametrize("raw", [b"\xff", b'{"device":"\xed\xa0\x80"}', json.dumps(WHOLE).encode("utf-16")])
def test_what_is_not_utf_8_is_format_of_the_body(raw: bytes) -> None:
    assert judged(raw) == (FORMAT, "body")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"zz":1,"amount":1}', "zz"),
        ('{"amount":1,"Amount":1}', "Amount"),
        ('{"amount":1,"amount":1}', "amount"),
        ('{"amount":1,"\\u0061mount":1}', "amount"),
        ('{"amount":1,"zz":2,"amount":1}', "zz"),
        ('{"amount":1,"amount":1,"zz":2}', "amount"),
        ('{"card":{"x":1},"zz":1}', "card.x"),
        ('{"zz":1,"card":{"x":1}}', "zz"),
        ('{"card":{"pan":"1","pan":"2"},"zz":1}', "card.pan"),
        ('{"card":{},"card":{"x":1}}', "card"),
        ('{"card":{"x":1},"card":{}}', "card.x"),
        ('{"card.pan":1}', "card.pan"),
        ('{"":1}', ""),
        ('{"device":{"a":1,"a":2}}', "request_id"),
        ('{"a:b":1,"ip":"::1","ip":"::1"}', "a:b"),
        ('{"ip":"::1","ip":""}', "ip"),
        ('{"n123456789012":1}', "body"),
        ('{"1234-5678-9012":1}', "body"),
        ('{"n12345678901":1}', "n12345678901"),
        ('{"card":{"4111111111111111":1}}', "body"),
        ('{"\\ud800":1}', "body"),
    ],
)
def test_names_are_judged_in_the_order_of_the_body(text: str, field: str) -> None:
    assert judged(text) == (FORMAT, field)


@pytest.mark.parametrize(
    "changes",
    [
        {"request_id": PAN},
        {"request_id": f"r{PAN}x"},
        {"device": f"phone of {PAN}"},
        {"email": f"{PAN}@x"},
        {"amount": int(PAN)},
        {"account": int(PAN)},
        {"account": int("9" + PAN)},
        {"device": [{"a": [PAN]}]},
        {"device": {PAN: 1}},
        {"card_type": PAN},
        {"card_token": PAN},
        {"card_pan": "1" * 12, "request_id": "1" * 12},
    ],
)
def test_a_body_that_repeats_the_pan_is_format_of_the_body(changes: dict[str, Any]) -> None:
    assert judged(body(**changes)) == (FORMAT, "body")


def test_a_pan_that_is_repeated_in_escapes_is_found() -> None:
    escaped = "".join(f"\\u{ord(each):04x}" for each in PAN)

    assert judged(json.dumps(WHOLE).replace("phone:7", escaped)) == (FORMAT, "body")


@pytest.mark.parametrize("changes", [{"request_id": PAN[:-1]}, {"card": TOKEN_CARD, "request_id": PAN}])
def test_other_digits_are_not_the_pan(changes: dict[str, Any]) -> None:
    assert judged(body(**changes)) is None


NAMES_OF_ALL = st.sampled_from(sorted(NAMES | {"zz", "a:b", "card"}))
PLAIN_VALUES = st.one_of(
    st.integers(),
    st.text(max_size=8),
    st.sampled_from([None, True, "a:b", "\\", '"', 1.5]),
    st.lists(st.integers(), max_size=2),
)
CARD_PAIRS = st.lists(st.tuples(st.sampled_from(sorted(CARD_NAMES | {"x", ":"})), PLAIN_VALUES), max_size=4)


def as_text(pairs: list[tuple[str, Any]]) -> str:
    members = [
        f"{json.dumps(name)}:{as_text(value[1]) if isinstance(value, tuple) else json.dumps(value)}"
        for name, value in pairs
    ]
    return "{" + ",".join(members) + "}"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(NAMES_OF_ALL, st.one_of(PLAIN_VALUES, st.tuples(st.just("object"), CARD_PAIRS))), max_size=5
    )
)
def test_names_that_stand_twice_are_found_whatever_the_values(pairs: list[tuple[str, Any]]) -> None:
    expected = None
    seen: set[str] = set()
    for name, value in pairs:
        if name not in NAMES or name in seen:
            expected = name
            break
        seen.add(name)
        if name == "card" and isinstance(value, tuple):
            of_card: set[str] = set()
            for inner, _ in value[1]:
                if inner not in CARD_NAMES or inner in of_card:
                    expected = f"card.{inner}"
                    break
                of_card.add(inner)
            if expected:
                break

    found = judged(as_text(pairs))

    if expected is not None:
        assert found == (FORMAT, expected)
    else:
        assert found is not None
        assert found[1] not in ("zz", "a:b", "card.x", "card.:")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_no_bytes_do_anything_but_refuse(raw: bytes) -> None:
    assert judged(raw) is not None


def test_a_body_is_read_the_same_with_and_without_escapes() -> None:
    plain = msgspec.json.encode(body(device='a"b'))
    escaped = json.dumps(body(device='a"b')).replace("m1", "\\u006d1").encode()

    assert FORM.pay(plain).record == FORM.pay(escaped).record
