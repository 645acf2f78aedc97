"""Messages of ISO 8583, edition of 1987 in ASCII: bytes become the fields that are read here, and back.

    length (2 bytes, big endian) | type (4 digits) | bitmap (16 hexadecimal digits) | second bitmap | fields

How long a field is says the table of the package pyiso8583, which tests hold this file against. It is read
here and not by that package because what is not in READ must not be read at all: track data, PINs and chip
data are passed over by their length, and no error holds a byte of a message.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from iso8583.specs import default_ascii

LENGTH_BYTES = 2
MESSAGE_MAX = 2**13
"""Bytes of a message: with every field that is read, and room for a dozen that are passed over."""
TYPE_BYTES, BITMAP_BYTES = 4, 16
FIELDS_MAX = 128
SECOND_BITMAP, THIRD_BITMAP = 1, 65
PAN, PROCESSING_CODE, AMOUNT, SENT_AT, STAN, EXPIRY, ENTRY_MODE = 2, 3, 4, 7, 11, 14, 22
REFERENCE, APPROVAL, RESPONSE_CODE, TERMINAL, MERCHANT, AT_FAULT, CURRENCY = 37, 38, 39, 41, 42, 44, 49
NETWORK_CODE, ORIGINAL, REPLACEMENT, ACCOUNT = 70, 90, 95, 102
READ = frozenset((
    *(PAN, PROCESSING_CODE, AMOUNT, SENT_AT, STAN, EXPIRY, ENTRY_MODE, REFERENCE, TERMINAL, MERCHANT),
    *(CURRENCY, NETWORK_CODE, ORIGINAL, REPLACEMENT, ACCOUNT),
))  # fmt: skip
"""The data elements that are read; all others are passed over."""
Elements = dict[int, str]
_is_hexadecimal = re.compile(rb"[0-9A-Fa-f]{16}").fullmatch
BITMAPS_KEPT = 1024


class _FieldShape(NamedTuple):
    """How a field lies in a message: digits of its length in front, 0 where it is fixed; bytes at most."""

    length_digits: int
    bytes_max: int


_TABLE: Any = default_ascii
_SHAPES = (
    _FieldShape(0, 0),
    *(
        _FieldShape(_TABLE[str(number)]["len_type"], _TABLE[str(number)]["max_len"])
        for number in range(1, FIELDS_MAX + 1)
    ),
)


class Message(NamedTuple):
    """A message: its type, and its fields by their numbers."""

    kind: str
    elements: Elements


class MessageFault(ValueError):  # noqa: N818 - an answer, not a fault of ours
    """Bytes that are no message: where they stop to be one, what was read before; no text holds content."""

    def __init__(self, reason: str, message: Message, at_fault: int = 0) -> None:
        super().__init__(reason)
        self.message = message
        self.at_fault = at_fault


def read(data: bytes) -> Message:
    """Return the message that these bytes are, without the length in front; raise MessageFault."""
    kind = data[:TYPE_BYTES]
    if len(kind) < TYPE_BYTES or not kind.isdigit():
        raise MessageFault("does not begin with a type of four digits", Message("", {}))
    message = Message(kind.decode("ascii"), {})
    numbers, at = _numbers(data, message)
    for number in numbers:
        at = _read_field(data, at, number, message)
    if at != len(data):
        raise MessageFault("goes on behind its last field", message)
    return message


def write(message: Message) -> bytes:
    """Return a message as bytes, with its length in front; its fields fit the table."""
    bits, parts = 0, []
    for number, text in sorted(message.elements.items()):
        bits |= 1 << (FIELDS_MAX - number)
        digits = _SHAPES[number].length_digits
        parts.append(f"{len(text):0{digits}}{text}" if digits else text)
    first, second = divmod(bits, 1 << FIELDS_MAX // 2)
    bitmap = f"{first | 1 << 63:016X}{second:016X}" if second else f"{first:016X}"
    data = f"{message.kind}{bitmap}{''.join(parts)}".encode("ascii")
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def is_whole(number: int, text: str) -> bool:
    """Tell whether a text is what a numeric field of fixed length holds: digits, all of them."""
    return len(text) == _SHAPES[number].bytes_max and text.isascii() and text.isdigit()


def _numbers(data: bytes, message: Message) -> tuple[tuple[int, ...], int]:
    """Return the numbers of the fields that the bitmaps name, and where the first one begins."""
    at = TYPE_BYTES + BITMAP_BYTES
    bitmap = data[TYPE_BYTES:at]
    if not _is_hexadecimal(bitmap):
        raise MessageFault("has no bitmap of 16 hexadecimal digits", message)
    if bitmap[0] >= ord("8"):  # bit 1: a second one follows
        second = data[at : at + BITMAP_BYTES]
        at += BITMAP_BYTES
        if not _is_hexadecimal(second):
            raise MessageFault("has no second bitmap of 16 hexadecimal digits", message)
        bitmap += second
    numbers = _numbers_of(bitmap)
    if THIRD_BITMAP in numbers:
        raise MessageFault("has a third bitmap, which this edition does not know", message, THIRD_BITMAP)
    return numbers, at


@lru_cache(BITMAPS_KEPT)
def _numbers_of(bitmap: bytes) -> tuple[int, ...]:
    bits = int(bitmap, 16) << (FIELDS_MAX - 4 * len(bitmap))
    return tuple(
        number
        for number in range(1, FIELDS_MAX + 1)
        if bits >> (FIELDS_MAX - number) & 1 and number != SECOND_BITMAP
    )


def _read_field(data: bytes, at: int, number: int, message: Message) -> int:
    """Read a field where it is one of READ; return where the next one begins."""
    digits, length = _SHAPES[number]
    if digits:
        given = data[at : at + digits]
        if len(given) < digits or not given.isdigit():
            raise MessageFault(f"field {number} has no length", message, number)
        if int(given) > length:
            raise MessageFault(f"field {number} is longer than {length}", message, number)
        length = int(given)
        at += digits
    end = at + length
    if end > len(data):
        raise MessageFault(f"field {number} ends behind the message", message, number)
    if number in READ:
        content = data[at:end]
        if not content.isascii():
            raise MessageFault(f"field {number} is no ASCII", message, number)
        message.elements[number] = content.decode("ascii")
    return end
