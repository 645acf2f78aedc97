"""Delta debugging finds what is needed, and no more."""

from hypothesis import given
from hypothesis import strategies as st

from pinion.parity.minimise.shrink import shrunk


@given(st.integers(0, 60), st.data())
def test_what_is_left_is_what_is_needed_in_its_order(count: int, data: st.DataObject) -> None:
    needed = data.draw(st.sets(st.integers(0, max(count - 1, 0)), max_size=min(count, 6)))

    left = shrunk([*range(count), "last"], lambda some: needed <= set(some))

    assert left == [*sorted(needed), "last"]


@given(st.integers(0, 40), st.integers(0, 12))
def test_of_many_alike_as_many_are_left_as_are_needed(count: int, needed: int) -> None:
    needed = min(count, needed)

    left = shrunk(["one"] * count + ["last"], lambda some: some.count("one") >= needed)

    assert left == ["one"] * needed + ["last"]
