"""Rows stand for records, scalar by scalar."""

import numpy as np
import pytest

from engine.contract.rows import unfolded
from engine.trading.records import COMMAND, COMMAND_VERSION, EVENT
from engine.trading.rows import COMMAND_NAMES, COMMAND_STRUCT, row


@pytest.mark.parametrize("record", [COMMAND, EVENT], ids=["command", "event"])
def test_each_scalar_is_packed_into_its_field(record: "np.dtype[np.void]") -> None:
    names, packing = unfolded(record)

    for idx, name in enumerate(names):
        packed = packing.pack(*(3 if idx == each else 0 for each in range(len(names))))
        found = np.frombuffer(packed, record)[0]
        field, _, part = name.rpartition("_")
        value = found[field][int(part)] if part.isdigit() else found[name]
        assert (name, int(value), sum(packed)) == (name, 3, 3)


def test_row_of_named_fields_is_the_record_that_has_them() -> None:
    named = {name: number for number, name in enumerate(COMMAND_NAMES[:-4], 1)}

    packed = COMMAND_STRUCT.pack(*row(text=(50, 51, 52), value=53, **named))

    found = np.frombuffer(packed, COMMAND)[0]
    assert {name: int(found[name]) for name in named} == named
    assert (found["text"].tolist(), int(found["value"])) == ([50, 51, 52], 53)


def test_what_is_not_named_is_zero_but_the_version() -> None:
    assert dict(zip(COMMAND_NAMES, row(), strict=True)) == {
        **dict.fromkeys(COMMAND_NAMES, 0),
        "version": COMMAND_VERSION,
    }
