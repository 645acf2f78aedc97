"""How a state lies in one record: every array on a cache line, the whole below numpy's limit of a record."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.contract.records import LINE_BYTES

RECORD_BYTES_MAX = 2**31 - 1


def power_of_two(count: int) -> int:
    """Return the smallest power of two that is not below `count`."""
    return 1 << max(0, count - 1).bit_length()


def state_record(fields: Iterable[Any], capacities: object) -> np.dtype[np.void]:
    """Return the dtype of a state with these fields, padded before every array, so that no record of one
    straddles a cache line; ValueError where it would be too large, which names the capacities."""
    placed: list[Any] = []
    offset_bytes = 0
    for name, kind, *shape in fields:
        if shape and offset_bytes % LINE_BYTES:
            missing = LINE_BYTES - offset_bytes % LINE_BYTES
            placed.append((f"pad_{name}", "<i1", (missing,)))
            offset_bytes += missing
        placed.append((name, kind, *shape))
        offset_bytes += np.dtype([placed[-1]]).itemsize
    dtype = np.dtype(placed)
    if not 0 < dtype.itemsize <= RECORD_BYTES_MAX:
        raise ValueError(
            f"{capacities}: the state would pass 2 GiB, numpy's limit of a record; lower a capacity"
        )
    return dtype
