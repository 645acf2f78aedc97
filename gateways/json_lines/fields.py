"""Reading one field of a JSON command: present, of the right type, in range, spelt right.

Two kinds of fault, and never a third: MalformedCommand when the object says something
we have no word for (unknown field, op or type, a missing field, text where a whole
number belongs), RefusedAtDoor when a value is understood but no record can carry it.
"""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from enum import IntEnum
from typing import Any

from engine.text import exact_json
from engine.text.exact_json import DoubledKey, JsonFault
from engine.trading import client_ids
from engine.trading.instruments import (
    DECIMALS_MAX,
    INT64_MAX,
    Catalogue,
    Currency,
    RefusedAtDoor,
    decimal_from,
)
from engine.trading.records import TEXT_BYTES, Reason
from engine.trading.rows import NO_TEXT

Fields = dict[str, Any]
"""The named fields of a command or of an event, as interfaces R2 and R3 call them."""

FIELD_CHARS_SHOWN = 64
"""Of a name that somebody made up."""
MISSPELT_CHARS_MAX = 64
"""Nothing longer can be a misspelt word of ours: looking for one costs time with every character."""
GIVEN_TWICE = "the key is given twice in one object; give it once"


class MalformedCommand(ValueError):  # noqa: N818 - a name of the contract
    """An object that is no command: which field, which value, and the mend."""

    def __init__(self, field: str, value: object, detail: str) -> None:
        shown = repr(value)
        field = field[:FIELD_CHARS_SHOWN]
        super().__init__(f"{field} {shown if len(shown) <= 80 else shown[:77] + '...'}: {detail}")
        self.field = field
        self.value = value
        self.detail = detail


def decode_object(raw: bytes | str) -> dict[str, Any]:
    """Return the JSON object that `raw` holds."""
    try:
        value = exact_json.decode(raw)
    except DoubledKey as fault:
        raise MalformedCommand(fault.key, fault.given, GIVEN_TWICE) from None
    except JsonFault as fault:
        raise MalformedCommand("line", _beginning(raw), f"not a JSON object: {fault}") from None
    if type(value) is dict:
        return value
    raise MalformedCommand("line", _beginning(raw), f"not a JSON object: {exact_json.kind(value)}")


def _beginning(raw: bytes | str) -> str:
    return raw[:60] if isinstance(raw, str) else raw[:60].decode("utf-8", "replace")


def words_of(enum: type[IntEnum]) -> dict[str, int]:
    """Return the lower-case names of an enum with their numbers."""
    return {member.name.lower(): int(member) for member in enum}


def did_you_mean(word: object, known: Collection[str]) -> str:
    """Return the mend for a word that is not one of `known`."""
    if isinstance(word, str) and len(word) <= MISSPELT_CHARS_MAX:
        close = get_close_matches(word, known, 1)
        if close:
            return f"did you mean {close[0]!r}?"
    return "give one of " + ", ".join(sorted(known))


def refuse_unknown_fields(fields: Mapping[str, Any], known: Collection[str], op: str) -> None:
    """Refuse the first field that `op` does not have."""
    for name in fields:
        if name not in known:
            detail = f"{op!r} has no such field; {did_you_mean(name, known)}"
            raise MalformedCommand(name, fields[name], detail)


def required(fields: Mapping[str, Any], name: str) -> Any:
    """Return a field that must be there and not null."""
    value = fields.get(name)
    if value is None:
        op = fields.get("op")
        raise MalformedCommand(name, None, f"{op!r} needs this field")
    return value


def order_ids(fields: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return (client_order_id, order_id) of a command that names an order: one value and one None."""
    client_order_id, order_id = fields.get("client_order_id"), fields.get("order_id")
    if client_order_id is None and order_id is None:
        op = fields.get("op")
        raise MalformedCommand("client_order_id", None, f"{op!r} needs one of client_order_id and order_id")
    if client_order_id is not None and order_id is not None:
        raise MalformedCommand("order_id", order_id, "give client_order_id or order_id, not both")
    return client_order_id, order_id


def whole(value: object, name: str) -> int:
    """Return an id, count or time: a whole JSON number within int64."""
    if type(value) is not int:
        if isinstance(value, float):
            raise RefusedAtDoor(Reason.INVALID_FIELD, name, value, "write it without fraction or exponent")
        raise MalformedCommand(name, value, "give a whole JSON number")
    if not -INT64_MAX <= value <= INT64_MAX:
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, name, value, "must fit 64 bits, signed")
    return value


def whole_or(fields: Mapping[str, Any], name: str, absent: int) -> int:
    """Return an optional whole number; `absent` when left out or null."""
    value = fields.get(name)
    return absent if value is None else whole(value, name)


def flag(fields: Mapping[str, Any], name: str) -> bool:
    """Return a boolean that is false when left out."""
    value = fields.get(name)
    if value is None or value is False:
        return False
    if value is True:
        return True
    raise MalformedCommand(name, value, "give true or false")


def word(value: object, name: str, known: Mapping[str, int]) -> int:
    """Return the number of a word from a closed list."""
    number = known.get(value) if isinstance(value, str) else None
    if number is None:
        raise MalformedCommand(name, value, did_you_mean(value, known))
    return number


def text(value: object, name: str, bytes_max: int = TEXT_BYTES) -> bytes:
    """Return a short printable text as UTF-8."""
    if not isinstance(value, str):
        raise MalformedCommand(name, value, "give a string")
    encoded = value.encode(errors="replace")  # what has no UTF-8 is not printable either
    if not encoded or len(encoded) > bytes_max or not value.isprintable():
        detail = f"must be 1 to {bytes_max} printable bytes; it has {len(encoded)}"
        raise RefusedAtDoor(Reason.INVALID_FIELD, name, value[:64], detail)
    return encoded


def counted_amount(value: object, name: str) -> tuple[int, int]:
    """Return an amount of any currency as (a whole number, the decimals that it is counted with).

    With as few decimals as it needs; (0, 0) where these are more than DECIMALS_MAX.
    """
    # In integers: arithmetic of decimals would round at 28 digits.
    numerator, denominator = decimal_from(value, name).as_integer_ratio()
    for decimals in range(DECIMALS_MAX + 1):
        if 10**decimals % denominator == 0:
            return numerator * (10**decimals // denominator), decimals
    return 0, 0


def known_currency(catalogue: Catalogue, code: object, name: str) -> Currency:
    """Return a currency that has been defined: not every line brings one with it."""
    if not isinstance(code, str):
        raise MalformedCommand(name, code, "give a string")
    known = catalogue.currency_by_code.get(code)
    if known is None:
        mend = "no such currency; define it first, with a line of op `currency`"
        raise RefusedAtDoor(Reason.UNKNOWN_CURRENCY, name, code[:FIELD_CHARS_SHOWN], mend)
    return known


def client_id(value: object, owner: str) -> tuple[int, tuple[int, int, int]]:
    """Return (client_order_id, text words) of an id as given: null, whole number or text."""
    if value is None:
        return 0, NO_TEXT
    if type(value) is not str and type(value) is not int:
        if isinstance(value, float):
            whole(value, "client_order_id")  # says what is wrong with it
        raise MalformedCommand("client_order_id", value, "give a whole JSON number or a string")
    return client_ids.client_id(value, owner)
