"""Rows: the scalars of a record in its order, as Python packs and reads them.

A field of several scalars stands as its parts, `text` as text_0, text_1 and text_2. struct packs
and reads a row: numpy takes three times as long for a record of many fields.
"""

import struct
from itertools import groupby
from typing import Any

import numpy as np

from engine.trading.records import COMMAND, COMMAND_VERSION

Row = tuple[int, ...]

NO_TEXT = (0, 0, 0)
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}


def unfolded(record: "np.dtype[np.void]") -> tuple[tuple[str, ...], struct.Struct]:
    """Return the names of a record's scalars in order, and what packs and unpacks them."""
    names: list[str] = []
    codes = ""
    for name in record.names or ():
        base, shape = record[name].base, record[name].shape
        names += [f"{name}_{part}" for part in range(shape[0])] if shape else [name]
        codes += _CODES[base.itemsize] * (shape[0] if shape else 1)
    # One code with a count is packed faster than the same code that many times.
    counted = "".join(f"{len(list(run))}{code}" for code, run in groupby(codes))
    packing = struct.Struct(f"<{counted}")
    assert packing.size == record.itemsize
    return tuple(names), packing


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
