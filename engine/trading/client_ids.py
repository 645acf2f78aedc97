"""Client order ids (exchange rule S4): what a client may call an order, how records and addresses say it.

    given                       client_order_id            text, 24 bytes               told
    7                           7                          nothing                      7
    "my-first"                  hash of owner and text     the text                     "my-first"
    "5B1F00C4-...", a UUID      the same, in lower case    1, its 16 bytes, 7 zeros     "5b1f00c4-..."

    address                     the order
    19                          of that engine id
    client:7                    of the number 7: a whole number without leading zeros
    client:"7"                  of the text "7": whatever stands in double quotes
    client:my-first, client:07  of that text: anything else

An address is percent-encoded, as one segment of a path. No printable text begins with the byte 1,
so a UUID and a text are never taken for each other. Every door goes through here; what shows an id goes
through client_text.py.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Protocol
from urllib.parse import quote, unquote_to_bytes

from engine.text import numbers
from engine.trading.client_text import UUID_MARK
from engine.trading.instruments import INT64_MAX, RefusedAtDoor
from engine.trading.records import TEXT_BYTES, Reason, text_words
from engine.trading.rows import NO_TEXT

CLIENT_PREFIX = "client:"
HASH_BYTES = 8
TOP_BIT_CLEARED = INT64_MAX
DIGITS_MAX = len(str(INT64_MAX))
LIMIT = f"1 to {TEXT_BYTES} printable bytes of UTF-8, or a UUID of 36 characters (8-4-4-4-12)"

_UUID = re.compile("-".join(f"[0-9a-fA-F]{{{digits}}}" for digits in (8, 4, 4, 4, 12)))
_NUMBER = re.compile("0|[1-9][0-9]*")
_STRAY_PERCENT = re.compile("%(?![0-9a-fA-F]{2})")


class Owner(Protocol):
    """A key: texts are ids of the key that gave them."""

    @property
    def name(self) -> str: ...
    @property
    def accounts(self) -> Iterable[int] | None: ...


def canonical(text: str) -> str:
    """Return the one spelling of a text id: a UUID is the same id in either case."""
    return text.lower() if len(text) == 36 and _UUID.fullmatch(text) else text


def client_id(given: int | str, owner: str) -> tuple[int, tuple[int, int, int]]:
    """Return (client_order_id, text words) of an id as given; refuse what is none.

    owner : whose text it is: the name of a key, or an account's number where there are no keys
    """
    if isinstance(given, int):
        return _number(given), NO_TEXT
    carried = text_bytes(given)
    named = owner.encode() + b"\0" + canonical(given).encode()
    digest = blake2b(named, digest_size=HASH_BYTES).digest()
    # 0 means "none": the one text in 2**63 that would get it takes 1.
    return int.from_bytes(digest, "little") & TOP_BIT_CLEARED or 1, text_words(carried)


def text_bytes(text: str, field: str = "client_order_id") -> bytes:
    """Return what a record carries of a text id, without padding; refuse what is none."""
    if len(text) == 36 and _UUID.fullmatch(text):
        return bytes((UUID_MARK,)) + bytes.fromhex(text.replace("-", ""))
    if not text.isprintable():
        detail = f"must be {LIMIT}; it has characters that cannot be printed"
        raise RefusedAtDoor(Reason.INVALID_FIELD, field, text[:64], detail)
    encoded = text.encode()
    if not 0 < len(encoded) <= TEXT_BYTES:
        detail = f"must be {LIMIT}; it has {len(encoded)} bytes"
        raise RefusedAtDoor(Reason.INVALID_FIELD, field, text[:64], detail)
    return encoded


def named_by(given: int | str, account: int, asking: str, keys: Iterable[Owner]) -> Iterator[tuple[str, int]]:
    """Yield (owner, client_order_id) under which an order of an account is looked for by its client id.

    A number is the same whoever gave it. A text is looked for under the asking key, then under the others.
    """
    if isinstance(given, int):
        yield asking, given
        return
    for owner in _owners_of(account, asking, keys):
        yield owner, client_id(given, owner)[0]


def _owners_of(account: int, asking: str, keys: Iterable[Owner]) -> Iterator[str]:
    """Yield under whose names a text of an account may stand.

    What came through a ring or a file, without a key, is the account's own.
    """
    yield asking
    for key in keys:
        if key.name != asking and (key.accounts is None or account in key.accounts):
            yield key.name
    yield str(account)


def address_of(given: int | str) -> str:
    """Return the address of an order by its client id: one segment of a path."""
    if isinstance(given, str):
        given = canonical(given)
        if _NUMBER.fullmatch(given) or _id_of(given) != given:
            given = f'"{given}"'
    return quote(f"{CLIENT_PREFIX}{given}", safe="")


def order_of_address(segment: str) -> tuple[str, int | str]:
    """Return ("order_id", number) or ("client_order_id", id) of the segment of a path, still encoded.

    It is decoded once, here. A client id is not checked any further: `client_id` does that.
    """
    decoded = _decoded(segment)
    if decoded.startswith(CLIENT_PREFIX):
        given = decoded[len(CLIENT_PREFIX) :]
        if _NUMBER.fullmatch(given) and len(given) > DIGITS_MAX:
            raise _too_high(given[:64], 'a text of digits stands in double quotes: client:"..."')
        return "client_order_id", _id_of(given)
    order_id = numbers.whole(decoded)
    if order_id is None:
        detail = "give the engine's number of an order, or client:ID for the id that you gave it"
        raise RefusedAtDoor(Reason.INVALID_FIELD, "order_id", decoded[:64], detail)
    if not 0 < order_id <= INT64_MAX:
        raise RefusedAtDoor(Reason.INVALID_FIELD, "order_id", decoded, f"must be from 1 to {INT64_MAX}")
    return "order_id", order_id


def _id_of(given: str) -> int | str:
    """Return the client id that stands behind `client:`."""
    if _NUMBER.fullmatch(given) and len(given) <= DIGITS_MAX:
        return int(given)
    if len(given) >= 2 and given[0] == given[-1] == '"':
        return canonical(given[1:-1])
    return canonical(given)


def _decoded(segment: str) -> str:
    """Return a segment with its percent signs resolved; refuse one that means nothing."""
    stray = _STRAY_PERCENT.search(segment)
    if stray is not None:
        shown = segment[stray.start() :][:3]
        detail = "a percent sign is followed by two hexadecimal digits; itself it is %25"
        raise RefusedAtDoor(Reason.INVALID_FIELD, "order_id", shown, detail)
    try:
        return unquote_to_bytes(segment.encode("utf-8", "surrogateescape")).decode()
    except UnicodeError:
        shown = segment[:64].encode("utf-8", "replace").decode()
        detail = "is not percent-encoded UTF-8"
        raise RefusedAtDoor(Reason.INVALID_FIELD, "order_id", shown, detail) from None


def _number(given: int) -> int:
    if given <= 0:
        detail = "must be 1 or more; leave it out where an order has no id of yours"
        raise RefusedAtDoor(Reason.INVALID_CLIENT_ORDER_ID, "client_order_id", given, detail)
    if given > INT64_MAX:
        raise _too_high(given, "must fit 64 bits, signed")
    return given


def _too_high(given: object, mend: str) -> RefusedAtDoor:
    return RefusedAtDoor(Reason.OUT_OF_RANGE, "client_order_id", given, f"must be 1 to {INT64_MAX}; {mend}")
