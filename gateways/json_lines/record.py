"""The 24 words of a COMMAND record, in its order, from named fields."""

from typing import Any

from engine.trading.records import COMMAND, COMMAND_VERSION
from gateways.json_lines.fields import NO_TEXT

Row = tuple[int, ...]

_NAMES = COMMAND.names
assert _NAMES is not None
assert _NAMES[-2:] == ("text", "value")
_SCALARS = _NAMES[:-2]


def row(*, text: tuple[int, int, int] = NO_TEXT, value: int = 0, **fields: Any) -> Row:
    """Return the words of a record; what is not named is 0, the version is ours."""
    fields.setdefault("version", COMMAND_VERSION)
    get = fields.get
    words = (*(int(get(name, 0)) for name in _SCALARS), *text, int(value))
    assert fields.keys() <= set(_SCALARS), f"no such field in COMMAND: {fields.keys() - set(_SCALARS)}"
    return words
