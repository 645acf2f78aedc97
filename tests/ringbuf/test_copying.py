"""Slots copied into and out of a ring, over its end too."""

import numpy as np
import pytest

from ringbuf.copying import put_slots, take_slots

CAPACITY, WIDTH = 8, 3


@pytest.mark.parametrize("count", range(CAPACITY + 1))
@pytest.mark.parametrize("position", [0, 1, 5, 7, 8, 8 * 1000 + 6])
def test_slots_come_back_as_they_were_put(position: int, count: int) -> None:
    slots = np.full((CAPACITY, WIDTH), -1, np.int64)
    records = np.arange((count + 2) * WIDTH).reshape(-1, WIDTH)
    out = np.full((count + 2, WIDTH), -2, np.int64)

    put_slots(slots, position, records, 1, count)
    take_slots(slots, position, out, 1, count)

    used = {(position + i) % CAPACITY for i in range(count)}
    assert out[1 : count + 1].tolist() == records[1 : count + 1].tolist()
    assert (out[[0, -1]] == -2).all()
    assert all((slots[slot] == -1).all() for slot in range(CAPACITY) if slot not in used)
