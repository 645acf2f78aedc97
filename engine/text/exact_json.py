"""JSON in which nothing is said twice: the one way in which doors and the command line read it.

RFC 8259 leaves open what a key means that stands twice in an object. Most parsers keep the last
value: the order that is entered is then another one than the one its writer reads.

    colons in the text = keys found   every pair has a colon of its own, so no key stands twice
    more colons than keys             a colon within a text, objects within objects, or a key that
                                      stands twice: a slow parser that sees every pair decides

The first line is nearly free and settles almost every order; no input can make the two disagree.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Without its hook a fraction beyond float's range would refuse the text: so its field is named.
_decode = msgspec.json.Decoder(float_hook=float).decode
_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class JsonFault(ValueError):  # noqa: N818 - an answer, not a fault of ours
    """A text that is no JSON, or in which a key stands twice."""


class TooMany(JsonFault):
    """An array of more elements than its reader takes.

    count : how many there are
    """

    def __init__(self, count: int, count_max: int) -> None:
        super().__init__(f"{count} elements; at most {count_max} are read")
        self.count = count


class DoubledKey(JsonFault):
    """A key that stands twice in one object.

    key : the key, as it reads without escapes
    given : the values that stand under it; objects among them are empty
    value : the whole text as a parser reads it that keeps the last of each
    """

    def __init__(self, key: str, given: list[Any]) -> None:
        super().__init__(f"the key {key[:64]!r} is given twice in one object; give it once")
        self.key = key
        self.given = given
        self.value: Any = None


def decode(raw: bytes | str) -> Any:
    """Return the value of a JSON text; raise JsonFault where there is none, DoubledKey where it is two."""
    try:
        value = _decode(raw)
    except (RecursionError, msgspec.DecodeError, UnicodeError):
        value = _read(_decode, raw)  # says what is wrong
    if type(value) is dict:
        key_count = len(value)
    elif type(value) is list:
        key_count = sum(len(each) for each in value if type(each) is dict)
    else:
        return value
    colon_count = raw.count(b":") if isinstance(raw, bytes) else raw.count(":")
    if colon_count != key_count:
        _refuse_doubled(raw, value)
    return value


def elements(raw: bytes | str, count_max: int) -> list[Any]:
    """Return the values of a JSON array; in the place of an element with a fault stands the JsonFault.

    count_max : with more elements none is read, and TooMany is raised: counting them costs little
    """
    parts = _read(_elements, raw)
    if len(parts) > count_max:
        raise TooMany(len(parts), count_max)
    found: list[Any] = []
    for part in parts:
        try:
            found.append(decode(bytes(part)))
        except JsonFault as fault:
            found.append(fault)
    return found


def members(raw: bytes) -> dict[str, bytes]:
    """Return the members of a JSON object as their texts; what is within them is still to be decoded."""
    parts = {key: bytes(part) for key, part in _read(_members, raw).items()}
    if raw.count(b":") != len(parts) + sum(part.count(b":") for part in parts.values()):
        _refuse_doubled(raw, parts)
    return parts


def kind(value: object) -> str:
    """Return the word of JSON for what a value is."""
    match value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            return "a string"
        case bool():
            return "true or false"
        case None:
            return "null"
    return "a number"


def _read(read: Callable[[bytes | str], Any], raw: bytes | str) -> Any:
    try:
        if read is not _decode and isinstance(raw, bytes):
            raw.decode()  # a part that is left as its text is not looked into
        return read(raw)
    except RecursionError:
        raise JsonFault("nested too deep") from None
    except (msgspec.DecodeError, UnicodeError) as fault:
        raise JsonFault(_told(raw, fault)) from None


def _refuse_doubled(raw: bytes | str, value: Any) -> None:
    """Look at every pair of a text that is known to be JSON."""
    text = raw if isinstance(raw, str) else raw.decode()
    try:
        # Numbers stay text: no time is spent on them, and none is too long.
        json.loads(text, object_pairs_hook=_distinct, parse_int=str, parse_float=str)
    except RecursionError:
        raise JsonFault("nested too deep") from None
    except json.JSONDecodeError as fault:  # within a part that was left as its text
        raise JsonFault(str(fault)) from None
    except DoubledKey as fault:
        fault.value = value
        raise


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse the first key that stands twice; the object itself is not needed."""
    if len({key for key, _ in pairs}) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DoubledKey(key, [value for name, value in pairs if name == key])
            seen.add(key)
    return {}


def _told(raw: bytes | str, fault: Exception) -> str:
    begin = raw[:3].encode(errors="replace") if isinstance(raw, str) else raw[:3]
    if begin.startswith(BYTE_ORDER_MARK):
        return "it begins with a byte order mark; save it as UTF-8 without one"
    return str(fault)
