"""Rows: the scalars of a record in its order, as Python packs and reads them.

A field of several scalars stands as its parts, `text` as text_0, text_1 and text_2. struct packs
and reads a row: numpy takes three times as long for a record of many fields.
"""

from typing import Any

from engine.contract.rows import unfolded
from engine.trading.records import COMMAND, COMMAND_VERSION

Row = tuple[int, ...]

NO_TEXT = (0, 0, 0)


COMMAND_NAMES, COMMAND_STRUCT = unfolded(COMMAND)
assert COMMAND_NAMES[-4:] == ("text_0", "text_1", "text_2", "value")
_SCALARS = COMMAND_NAMES[:-4]


def row(*, text: tuple[int, int, int] = NO_TEXT, value: int = 0, **fields: Any) -> Row:
    """Return the row of a COMMAND out of named fields; what is not named is 0, the version is ours."""
    fields.setdefault("version", COMMAND_VERSION)
    get = fields.get
    words = (*(int(get(name, 0)) for name in _SCALARS), *text, int(value))
    assert fields.keys() <= set(_SCALARS), f"no such field in COMMAND: {fields.keys() - set(_SCALARS)}"
    return words
