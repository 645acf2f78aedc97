"""Bodies: bytes become the fields of a JSON object, each known and given once, of which none repeats the PAN.

    colons in the text = keys found + colons in values     no key stands twice, and nothing is escaped
    anything else                                          a slow parser that sees every pair decides

The first line settles almost every request and costs little; no input can make the two disagree.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateways.payments.values import BODY, FORMAT, FormRefusal, is_pan, may_hold_pan

Fields = dict[str, Any]
CARD = "card"
INTEGER_DIGITS_MAX = 4000
"""Of an integer no more is read: it is out of every range, and Python takes long for more."""
_decode = msgspec.json.Decoder(float_hook=float).decode


class Doubled(Fields):
    """An object in which a key stands twice, and all its pairs in their order."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def object_of(body: bytes | Fields) -> tuple[Fields, bool]:
    """Return the object of a body, `Doubled` where a key stands twice, and whether it is free of escapes."""
    if isinstance(body, dict):
        return body, False
    if b"\\" in body:
        return _object_of(body), False
    try:
        fields = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _object_of(body), False
    if type(fields) is not dict:
        raise FormRefusal(FORMAT, BODY)
    if body.count(b":") != _colon_count(fields):
        return _object_of(body), False
    return fields, True


def refuse_names(fields: Fields, known: frozenset[str], known_of_card: frozenset[str] = frozenset()) -> None:
    """Refuse the first field that is unknown or given twice, those of the card at its place."""
    card = fields.get(CARD)
    if type(fields) is dict and fields.keys() <= known:
        if not isinstance(card, dict) or (type(card) is dict and card.keys() <= known_of_card):
            return
    seen = set()
    for name, value in _pairs(fields):
        if name not in known or name in seen:
            raise FormRefusal(FORMAT, shown_name(name))
        seen.add(name)
        if name == CARD and isinstance(value, dict):
            _refuse_names_of_card(value, known_of_card)


def refuse_repeated_pan(body: bytes | Fields, fields: Fields, is_plain: bool) -> None:
    """Refuse a body in which a text or an integer contains the digits of the card's PAN.

    is_plain : nothing in the body is escaped, so its bytes are looked at
    """
    card = fields.get(CARD)
    pan = card.get("pan") if type(card) is dict else None
    if type(pan) is not str or not is_pan(pan):
        return
    assert type(card) is dict
    if is_plain and isinstance(body, bytes) and body.count(pan.encode()) == 1:
        return
    others = [*(value for name, value in fields.items() if name != CARD)]
    others += [value for name, value in card.items() if name != "pan"]
    if contains(others, (pan,)):
        raise FormRefusal(FORMAT, BODY)


def refuse_missing(fields: Fields, needed: Iterable[str], prefix: str = "") -> None:
    """Refuse the first field that is needed and not there."""
    for name in needed:
        if name not in fields:
            raise FormRefusal(FORMAT, prefix + name)


def shown_name(name: str, prefix: str = "") -> str:
    """Return a name as a reply repeats it: `body` for what may hold a PAN, or is no Unicode."""
    if may_hold_pan(name) or any("\ud800" <= each <= "\udfff" for each in name):
        return BODY
    return prefix + name


def pans_of(fields: Fields) -> tuple[str, ...]:
    """Return every PAN that a body gives: nothing that contains one may be repeated."""
    cards = [value for name, value in _pairs(fields) if name == CARD and isinstance(value, dict)]
    given = [value for card in cards for name, value in _pairs(card) if name == "pan"]
    return tuple(pan for pan in given if type(pan) is str and is_pan(pan))


def contains(value: Any, digits: Iterable[str]) -> bool:
    """Tell whether a text or an integer within a value contains some of these digits."""
    if type(value) is str or type(value) is int:
        text = str(value)
        return any(each in text for each in digits)
    if isinstance(value, dict):
        return any(contains(each, digits) for pair in _pairs(value) for each in pair)
    return type(value) is list and any(contains(each, digits) for each in value)


def _colon_count(fields: Fields) -> int:
    """Return how many colons a text without escapes has in which no key of these stands twice, or has one."""
    count = len(fields)
    for value in fields.values():
        if type(value) is str:
            if ":" in value:
                count += value.count(":")
        elif type(value) is dict:
            count += _colon_count(value)
    return count


def _refuse_names_of_card(card: Mapping[str, Any], known: frozenset[str]) -> None:
    seen = set()
    for name, _ in _pairs(card):
        if name not in known or name in seen:
            raise FormRefusal(FORMAT, shown_name(name, f"{CARD}."))
        seen.add(name)


def _pairs(fields: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return fields.pairs if isinstance(fields, Doubled) else fields.items()


def _object_of(body: bytes) -> Fields:
    """Read a body by the parser that sees every pair."""
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_pair_object, parse_int=_integer, parse_constant=_no_number
        )
    except (ValueError, RecursionError):  # it is refused as no object
        value = None
    if not isinstance(value, dict):
        raise FormRefusal(FORMAT, BODY)
    return value


def _pair_object(pairs: list[tuple[str, Any]]) -> Fields:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Doubled(pairs)


def _integer(text: str) -> int:
    return int(text[:INTEGER_DIGITS_MAX])


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
