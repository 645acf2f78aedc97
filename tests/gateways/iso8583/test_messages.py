"""Messages as bytes: read as the package reads them whose table they follow, but for what may not be read."""

from typing import Any

import iso8583
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso8583.specs import default_ascii

from gateways.iso8583.messages import (
    LENGTH_BYTES,
    MESSAGE_MAX,
    READ,
    Message,
    MessageFault,
    read,
    write,
)
from tests.gateways.iso8583.client import PAN, decoded, payment

TABLE: Any = default_ascii
PASSED_OVER = ("35", "45", "52", "55")
KINDS = st.sampled_from(("0100", "0101", "0200", "0420", "0800", "0110", "9999"))
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


@st.composite
def messages(draw: Any) -> dict[str, str]:
    """Draw a message with any fields but a third bitmap, each with any printable text that fits."""
    message = {"t": draw(KINDS)}
    for number in draw(st.sets(st.integers(2, 128).filter(lambda each: each != 65), max_size=24)):
        shape = TABLE[str(number)]
        least = 0 if shape["len_type"] else shape["max_len"]
        most = min(shape["max_len"], max(least, 40))
        message[str(number)] = draw(st.text(PRINTABLE, min_size=least, max_size=most))
    return message


def encoded(message: dict[str, str]) -> bytes:
    data, _ = iso8583.encode(dict(message), TABLE)
    return bytes(data)


@given(messages())
def test_every_message_is_read_as_the_package_reads_it(message: dict[str, str]) -> None:
    found = read(encoded(message))

    assert found.kind == message["t"]
    assert found.elements == {
        int(name): text for name, text in message.items() if name != "t" and int(name) in READ
    }


@given(messages())
def test_what_is_written_is_what_the_package_writes(message: dict[str, str]) -> None:
    given_elements = {int(name): text for name, text in message.items() if name != "t"}

    data = write(Message(message["t"], given_elements))

    assert data[LENGTH_BYTES:] == encoded(message)
    assert int.from_bytes(data[:LENGTH_BYTES], "big") == len(data) - LENGTH_BYTES


@settings(max_examples=400)
@given(messages(), st.data())
def test_damaged_bytes_are_refused_or_read_as_the_package_reads_them(
    message: dict[str, str], data: Any
) -> None:
    whole = encoded(message)
    at = data.draw(st.integers(0, len(whole) - 1))
    kind = data.draw(st.sampled_from(("cut", "changed", "doubled")))
    changed = {
        "cut": whole[:at],
        "changed": whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :],
        "doubled": whole[:at] + whole[at : at + 1] + whole[at:],
    }[kind]

    try:
        found: Message | None = read(changed)
    except MessageFault:
        found = None
    try:
        theirs, _ = iso8583.decode(changed, TABLE)
    except iso8583.DecodeError:
        theirs = {}

    if found is not None and theirs:
        assert found.elements == {n: theirs[str(n)] for n in READ if str(n) in theirs}
    elif found is None:
        assert not theirs or not is_strict(changed, theirs)
    else:  # something that is not read here is no ASCII
        assert not changed.isascii()


def is_strict(data: bytes, theirs: dict[str, str]) -> bool:
    """Tell whether a message is one by what the package does not look at: digits, bitmaps without blanks."""
    lengths = [number for number in theirs if number.isdigit() and TABLE[number]["len_type"]]
    _, parts = iso8583.decode(data, TABLE)
    digits = [theirs["t"].encode(), *(parts[number]["len"] for number in lengths)]
    bitmaps = theirs["p"] + theirs.get("1", "")
    return (
        all(map(bytes.isdigit, digits)) and " " not in bitmaps and "65" not in theirs and len(bitmaps) <= 32
    )


@pytest.mark.parametrize(
    ("data", "reason", "at_fault"),
    [
        (b"", "does not begin with a type of four digits", 0),
        (b"010", "does not begin with a type of four digits", 0),
        (b"01a0" + b"0" * 16, "does not begin with a type of four digits", 0),
        (b"0100", "has no bitmap of 16 hexadecimal digits", 0),
        (b"0100" + b"x" * 16, "has no bitmap of 16 hexadecimal digits", 0),
        (b"0100" + b"8" + b"0" * 15, "has no second bitmap of 16 hexadecimal digits", 0),
        (b"0100" + b"4" + b"0" * 15, "field 2 has no length", 2),
        (b"0100" + b"4" + b"0" * 15 + b"+5", "field 2 has no length", 2),
        (b"0100" + b"4" + b"0" * 15 + b"20" + b"4" * 20, "field 2 is longer than 19", 2),
        (b"0100" + b"4" + b"0" * 15 + b"16" + b"4" * 15, "field 2 ends behind the message", 2),
        (b"0100" + b"4" + b"0" * 15 + b"04\xff\xff\xff\xff", "field 2 is no ASCII", 2),
        (b"0100" + b"0" * 16 + b" ", "goes on behind its last field", 0),
        (b"0100" + b"8" + b"0" * 15 + b"8" + b"0" * 15, "has a third bitmap, which this edition", 65),
    ],
)
def test_what_is_no_message_is_refused_with_where_it_stops(data: bytes, reason: str, at_fault: int) -> None:
    with pytest.raises(MessageFault) as refused:
        read(data)

    assert str(refused.value).startswith(reason)
    assert refused.value.at_fault == at_fault


def test_a_refusal_tells_what_was_read_before_and_no_content() -> None:
    whole = encoded(payment())

    for end in range(len(whole)):
        with pytest.raises(MessageFault) as refused:
            read(whole[:end])
        assert PAN not in str(refused.value)
        assert PAN not in repr(refused.value)
    assert refused.value.message.elements[11] == "000001"


def test_tracks_pin_and_chip_data_are_passed_over() -> None:
    secret = {"35": f"{PAN}=9912", "45": f"B{PAN}^A/B^9912", "52": "0123456789ABCDEF", "55": "9F2608"}

    found = read(encoded({**payment(), **secret}))

    assert not set(found.elements) & set(map(int, PASSED_OVER))
    assert "9F2608" not in repr(found)
    assert found.elements[102] == "1"


def test_a_field_that_is_passed_over_may_hold_any_bytes() -> None:
    data = encoded({**payment(), "55": "x" * 9}).replace(b"x" * 9, bytes(range(247, 256)))

    assert read(data).elements[102] == "1"


def test_every_field_that_is_read_fits_a_message() -> None:
    longest = {str(number): "9" * TABLE[str(number)]["max_len"] for number in READ}

    assert len(encoded({"t": "0100", **longest})) < MESSAGE_MAX // 8
    assert decoded(encoded({"t": "0100", **longest})).keys() == {"t", *longest}
