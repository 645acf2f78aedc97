"""Fields are found by name, whatever their place and width; what cannot be carried over is named."""

from typing import Any

import numpy as np
import pytest

from engine.contract.records import LayoutError, copy_by_name

ORDER = [("qty", "<i8"), ("side", "<i1"), ("pad", "<i1", (7,))]
BEFORE = np.dtype([("seq", "<i8"), ("orders", ORDER, (3,)), ("grid", "<i4", (2, 3)), ("gone", "<i8")])


def before() -> Any:
    made = np.zeros(1, BEFORE)
    made["seq"] = 7
    made["orders"]["qty"], made["orders"]["side"] = (10, 20, 30), (1, 2, 1)
    made["grid"] = [[1, 2, 3], [4, 5, 6]]
    return made


def copied(layout: Any, left_out: tuple[str, ...] = ()) -> tuple[Any, tuple[str, ...]]:
    made = np.zeros(1, layout)
    return made[0], copy_by_name(before(), made, left_out)


def test_of_one_layout_everything_is_copied() -> None:
    made, absent = copied(BEFORE)

    assert made == before()[0]
    assert absent == ()


def test_fields_may_have_another_place_and_width() -> None:
    order = [("side", "<i4"), ("qty", "<i8")]
    made, absent = copied(
        [("grid", "<i8", (2, 3)), ("orders", order, (3,)), ("pad_x", "<i8"), ("seq", "<i8")]
    )

    assert (made["seq"], made["orders"]["qty"].tolist(), made["orders"]["side"].tolist()) == (
        7, [10, 20, 30], [1, 2, 1],
    )  # fmt: skip
    assert made["grid"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert absent == ()


def test_arrays_are_filled_as_far_as_both_reach() -> None:
    made, _ = copied([("orders", ORDER, (2,)), ("grid", "<i4", (3, 2)), ("seq", "<i8")])

    assert made["orders"]["qty"].tolist() == [10, 20]
    assert made["grid"].tolist() == [[1, 2], [4, 5], [0, 0]]


def test_new_fields_are_told_by_their_place() -> None:
    order = [("qty", "<i8"), ("rev", "<i8"), ("side", "<i1"), ("pad2", "<i1", (7,))]
    made, absent = copied([("seq", "<i8"), ("orders", order, (3,)), ("grid", "<i4", (2, 3)), ("due", "<i8")])

    assert absent == ("orders.rev", "due")
    assert not made["orders"]["rev"].any()


def test_what_is_left_out_is_neither_copied_nor_told() -> None:
    made, absent = copied([("seq", "<i8"), ("grid", "<i4", (2, 3)), ("due", "<i8")], ("grid", "due"))

    assert (made["seq"], made["grid"].any(), absent) == (7, False, ())


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (("orders", [("qty", "<i1"), ("side", "<i1")], (3,)), None),
        (("grid", "<i4", (6,)), "grid: .* which no name explains"),
        (("seq", [("low", "<i4"), ("high", "<i4")]), "seq: .* which no name explains"),
        (("orders", "<i8", (3,)), "orders: .* which no name explains"),
    ],
)
def test_another_kind_of_field_is_named(field: Any, said: str | None) -> None:
    if said is None:
        assert copied([field])[0]["orders"]["qty"].tolist() == [10, 20, 30]
        return
    with pytest.raises(LayoutError, match=said):
        copied([field])


def test_a_value_that_does_not_fit_is_named() -> None:
    old = before()
    old["orders"]["qty"][0, 1] = 300

    with pytest.raises(LayoutError, match=r"orders.qty: holds a value that int8 does not"):
        copy_by_name(old, np.zeros(1, [("orders", [("qty", "<i1")], (3,))]))
