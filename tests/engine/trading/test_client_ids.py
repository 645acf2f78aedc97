"""Client ids: every legal one has an address that leads back to it, and a record that tells it as given."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.settings.config import Key
from engine.trading.client_ids import address_of, client_id, named_by, order_of_address, text_bytes
from engine.trading.client_text import UUID_TEXT_BYTES, given_id, text_of
from engine.trading.instruments import INT64_MAX, RefusedAtDoor
from engine.trading.records import Reason, Role

NUMBERS = st.integers(1, INT64_MAX)
PRINTABLE = st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" ")
TRICKY = st.sampled_from(
    (
        *("7", "007", "0", "-5", "+7", "99999999999999999999", '"', '""', '"7"', '""7""'),
        *("a/b", "%", "%2F", "%252F", "client:", "client:7", "..", "{a}"),
    )
)
TEXTS = st.one_of(
    TRICKY,
    st.text("0123456789\"'/%?#&=+:;{}.~ é", min_size=1, max_size=12),
    st.text(PRINTABLE, min_size=1, max_size=24).filter(lambda text: len(text.encode()) <= 24),
)
UUIDS = st.one_of(st.uuids(), st.integers(0, 255).map(lambda byte: UUID(int=byte << 120)))
SPELT = st.tuples(UUIDS, st.sampled_from((str.lower, str.upper, str.title))).map(lambda p: p[1](str(p[0])))


@given(st.one_of(NUMBERS, TEXTS.filter(str.isprintable)))
def test_address_of_a_legal_id_leads_back_to_it(legal: int | str) -> None:
    client_id(legal, "ann")

    assert order_of_address(address_of(legal)) == ("client_order_id", legal)


@given(SPELT)
def test_address_of_a_uuid_leads_to_its_lower_case(uuid: str) -> None:
    assert order_of_address(address_of(uuid)) == ("client_order_id", uuid.lower())


@given(st.one_of(NUMBERS, TEXTS.filter(str.isprintable), UUIDS.map(str)))
def test_record_tells_an_id_as_it_was_given(legal: int | str) -> None:
    number, words = client_id(legal, "ann")

    assert 0 < number <= INT64_MAX
    assert given_id(number, *words) == given_id(number, *np.array(words, np.int64)) == legal


@given(SPELT)
def test_uuid_is_one_id_in_either_case(uuid: str) -> None:
    assert client_id(uuid, "ann") == client_id(uuid.lower(), "ann")
    assert text_bytes(uuid) == b"\x01" + UUID(uuid).bytes


def test_zeros_at_the_end_of_a_uuid_are_its_own() -> None:
    carried = text_bytes("ff000000-0000-0000-0000-000000000000")

    assert len(carried) == UUID_TEXT_BYTES
    assert text_of(carried) == text_of(carried.rstrip(b"\0")) == "ff000000-0000-0000-0000-000000000000"


def test_text_belongs_to_its_owner() -> None:
    assert client_id("abc", "ann")[0] != client_id("abc", "bob")[0]
    assert client_id(7, "ann") == client_id(7, "bob")


@pytest.mark.parametrize(
    ("segment", "named"),
    [
        ("19", ("order_id", 19)),
        ("client:7", ("client_order_id", 7)),
        ("client%3A7", ("client_order_id", 7)),
        ("client:9223372036854775807", ("client_order_id", INT64_MAX)),
        ("client:007", ("client_order_id", "007")),
        ("client:-5", ("client_order_id", "-5")),
        ("client:٣", ("client_order_id", "٣")),
        ('client:"7"', ("client_order_id", "7")),
        ("client:%227%22", ("client_order_id", "7")),
        ('client:""7""', ("client_order_id", '"7"')),
        ('client:"', ("client_order_id", '"')),
        ("client:a+b", ("client_order_id", "a+b")),
        ("client:a%2Fb", ("client_order_id", "a/b")),
        ("client:a%252Fb", ("client_order_id", "a%2Fb")),
        ("client:client:7", ("client_order_id", "client:7")),
    ],
)
def test_syntax_of_addresses(segment: str, named: tuple[str, int | str]) -> None:
    assert order_of_address(segment) == named


@pytest.mark.parametrize(
    ("segment", "reason", "field"),
    [
        ("", Reason.INVALID_FIELD, "order_id"),
        ("0", Reason.INVALID_FIELD, "order_id"),
        ("-5", Reason.INVALID_FIELD, "order_id"),
        ("x", Reason.INVALID_FIELD, "order_id"),
        ("9223372036854775808", Reason.INVALID_FIELD, "order_id"),
        ("9" * 5000, Reason.INVALID_FIELD, "order_id"),
        ("client:100%", Reason.INVALID_FIELD, "order_id"),
        ("client:%zz", Reason.INVALID_FIELD, "order_id"),
        ("client:%ff", Reason.INVALID_FIELD, "order_id"),
        ("client:\udcff", Reason.INVALID_FIELD, "order_id"),
        ("client:" + "9" * 20, Reason.OUT_OF_RANGE, "client_order_id"),
        ("client:" + "9" * 5000, Reason.OUT_OF_RANGE, "client_order_id"),
    ],
)
def test_address_that_names_nothing_is_refused(segment: str, reason: Reason, field: str) -> None:
    with pytest.raises(RefusedAtDoor) as refused:
        order_of_address(segment)

    assert (refused.value.reason, refused.value.field) == (reason, field)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (0, Reason.INVALID_CLIENT_ORDER_ID),
        (-5, Reason.INVALID_CLIENT_ORDER_ID),
        (-(2**70), Reason.INVALID_CLIENT_ORDER_ID),
        (2**63, Reason.OUT_OF_RANGE),
        ("", Reason.INVALID_FIELD),
        ("x" * 25, Reason.INVALID_FIELD),
        ("é" * 13, Reason.INVALID_FIELD),
        ("a\tb", Reason.INVALID_FIELD),
        ("a\0", Reason.INVALID_FIELD),
        ("\x01abc", Reason.INVALID_FIELD),
        ("a\u00a0b", Reason.INVALID_FIELD),
        ("\udcff", Reason.INVALID_FIELD),
        ("8e03978e-40d5-43dd-bc93-6894a57f932", Reason.INVALID_FIELD),
        ("8e03978e-40d5-43dd-bc93-6894a57f932g", Reason.INVALID_FIELD),
        ("8e03978e40d5-43dd-bc93-6894a57f9324-", Reason.INVALID_FIELD),
        ("{8e03978e-40d5-43dd-bc93-6894a57f9324}", Reason.INVALID_FIELD),
        ("８e03978e-40d5-43dd-bc93-6894a57f9324", Reason.INVALID_FIELD),
    ],
)
def test_what_is_no_id_is_refused_by_name(given: int | str, reason: Reason) -> None:
    with pytest.raises(RefusedAtDoor) as refused:
        client_id(given, "ann")

    assert (refused.value.reason, refused.value.field) == (reason, "client_order_id")


def test_a_text_is_looked_for_under_the_asking_key_and_then_under_those_of_the_account() -> None:
    keys = [
        Key(name="every", token="k" * 16, roles=Role.ALL, accounts=None),
        Key(name="ann", token="l" * 16, roles=Role.TRADER, accounts=(1, 2)),
        Key(name="bob", token="m" * 16, roles=Role.TRADER, accounts=(3,)),
    ]

    asked = {(1, "ann"): ["ann", "every", "1"], (3, "every"): ["every", "bob", "3"]}
    for (account, asking), owners in asked.items():
        expected = [(owner, client_id("text", owner)[0]) for owner in owners]
        assert list(named_by("text", account, asking, keys)) == expected
    assert list(named_by(7, 1, "ann", keys)) == [("ann", 7)]
