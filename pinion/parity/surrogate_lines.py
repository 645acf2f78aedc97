"""Lines of set-up as a capture needs them: a card on a list by its surrogate."""

import msgspec

from gateways.payments.values import is_pan
from pinion.capture.surrogates import Surrogates

CARD_LISTS = ("lost", "stolen", "block_card", "allow_card")
CHANGES = ("add", "remove")
_encode = msgspec.json.Encoder().encode


def with_surrogates(lines: bytes, surrogates: Surrogates) -> bytes:
    """Return lines with a surrogate for each card number on a list; what is no such line stays as it is."""
    return b"\n".join(_line(each, surrogates) for each in lines.split(b"\n"))


def _line(line: bytes, surrogates: Surrogates) -> bytes:
    try:
        fields = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # who reads it next says what is wrong
        return line
    if not isinstance(fields, dict) or fields.get("list") not in CARD_LISTS:
        return line
    for name in CHANGES:
        if isinstance(fields.get(name), list):
            fields[name] = [_card(each, surrogates) for each in fields[name]]
    return _encode(fields)


def _card(card: object, surrogates: Surrogates) -> object:
    return surrogates.of(card) if isinstance(card, str) and is_pan(card) else card
