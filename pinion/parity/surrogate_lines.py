"""Lines of set-up as a capture needs them: numbers that are replaced there are replaced here."""

import msgspec

from gateways.payments.values import is_pan
from pinion.capture.scrub import plain_escapes
from pinion.capture.surrogates import Surrogates

CARD_LISTS = ("lost", "stolen", "block_card", "allow_card")
CHANGES = ("add", "remove")


def with_surrogates(lines: bytes, surrogates: Surrogates) -> bytes:
    """Return lines with what a capture has in place of card numbers, and of what looks like one.

    A card on a list is replaced though it does not fit by Luhn. A line that is no UTF-8 stays as it is.
    """
    return b"\n".join(_line(each, surrogates) for each in lines.split(b"\n"))


def _line(line: bytes, surrogates: Surrogates) -> bytes:
    try:
        text = plain_escapes(line.decode())
    except UnicodeDecodeError:  # who reads it next says what is wrong
        return line
    return surrogates.text(text, _listed(line)).encode()


def _listed(line: bytes) -> list[str]:
    """Return the card numbers that a line puts on a list, or takes off."""
    try:
        fields = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):  # who reads it next says what is wrong
        return []
    if not isinstance(fields, dict) or fields.get("list") not in CARD_LISTS:
        return []
    changes = [fields.get(name) for name in CHANGES]
    entries = [entry for change in changes if isinstance(change, list) for entry in change]
    return [entry for entry in entries if isinstance(entry, str) and is_pan(entry)]
