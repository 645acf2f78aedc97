"""What an application's records must have is checked when the application is made, and told by name."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from engine.contract.records import Operation, require_fields
from engine.trading.records import COMMAND, EVENT, Op
from tests.engine.runtime import echo

Fields = Sequence[tuple[Any, ...]]


def without(dtype: np.dtype[Any], name: str) -> np.dtype[Any]:
    """Return a record in which another name stands in the place of one field."""
    return np.dtype([(f"no_{each[0]}" if each[0] == name else each[0], *each[1:]) for each in dtype.descr])


def padded(dtype: np.dtype[Any], by: int) -> np.dtype[Any]:
    return np.dtype([*dtype.descr, ("more", "u1", (by,))])


def test_records_of_trading_and_of_a_smaller_kind_are_taken() -> None:
    require_fields(COMMAND, EVENT)
    require_fields(echo.COMMAND, echo.EVENT)


@pytest.mark.parametrize(
    ("command", "event", "said"),
    [
        (without(echo.COMMAND, "gw_ts"), echo.EVENT, "a command has no field gw_ts"),
        (echo.COMMAND, without(echo.EVENT, "ring"), "an event has no field ring"),
        (padded(echo.COMMAND, 8), echo.EVENT, "a command has 200 bytes; pad it to a multiple of 64"),
        (np.dtype([*echo.COMMAND.descr[:-1], ("pad8", "<i8")]), echo.EVENT, "has 64 bytes; pad it to 128"),
        (echo.COMMAND, np.dtype([("first", "<i8"), *echo.EVENT.descr[:-1], ("r", "<i8", (7,))]),
         "an event's event_idx is word 1; make it word 0"),
    ],
    ids=["no stamp", "no ring", "half a line", "too small", "another place"],
)  # fmt: skip
def test_what_an_application_lacks_is_named(command: np.dtype[Any], event: np.dtype[Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        require_fields(command, event)


def test_the_runtimes_operations_have_the_same_numbers_in_trading() -> None:
    assert {each.name: int(each) for each in Operation}.items() <= {
        each.name: int(each) for each in Op
    }.items()
