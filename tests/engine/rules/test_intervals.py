"""Ranges of results: each result of operands within theirs lies in it, and nothing else where that is due."""

import ast
import operator
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.language.intervals import OPERATIONS, SHIFT_MAX, greatest, joined, least, magnitude
from engine.rules.vocabulary import Range

PYTHONS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
CONSTANT_RIGHT = (ast.FloorDiv, ast.Mod, ast.Pow)
LOOSE = (ast.Mod, ast.BitAnd, ast.BitOr, ast.BitXor)
"""Operations whose range may be wider than what is reached."""
SMALL = st.integers(-20, 20)
RANGES = st.tuples(SMALL, SMALL).map(lambda pair: Range(min(pair), max(pair)))
COUNTS = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda pair: Range(min(pair), max(pair)))


def numbers(of: Range) -> range:
    return range(of.least, of.most + 1)


def rights(kind: type[ast.operator]) -> st.SearchStrategy[Range]:
    """Return what may stand on the right of an operator."""
    if kind in (ast.FloorDiv, ast.Mod):
        return SMALL.filter(bool).map(lambda number: Range(number, number))
    if kind == ast.Pow:
        return st.integers(0, 5).map(lambda number: Range(number, number))
    return COUNTS if kind in (ast.LShift, ast.RShift) else RANGES


def test_every_operator_has_pythons_own_beside_it() -> None:
    assert PYTHONS.keys() == OPERATIONS.keys()
    assert SHIFT_MAX == 63


@pytest.mark.parametrize("kind", PYTHONS, ids=lambda kind: kind.__name__)
@given(st.data())
def test_a_range_holds_every_result_and_no_more(kind: type[ast.operator], data: st.DataObject) -> None:
    left, right = data.draw(RANGES), data.draw(rights(kind))

    found = OPERATIONS[kind](left, right)

    results = [PYTHONS[kind](a, b) for a in numbers(left) for b in numbers(right)]
    assert found.least <= min(results)
    assert max(results) <= found.most
    if kind not in LOOSE:
        assert found == (min(results), max(results))


@given(RANGES, RANGES, RANGES)
def test_least_greatest_and_joined_are_exact(one: Range, two: Range, three: Range) -> None:
    triples = [(a, b, c) for a in numbers(one) for b in numbers(two) for c in (three.least, three.most)]

    assert least((one, two, three)) == (min(map(min, triples)), max(map(min, triples)))
    assert greatest((one, two, three)) == (min(map(max, triples)), max(map(max, triples)))
    assert joined(one, two) == (min(one.least, two.least), max(one.most, two.most))


@given(RANGES)
def test_a_magnitude_is_exact(of: Range) -> None:
    sizes = [abs(number) for number in numbers(of)]

    assert magnitude(of) == (min(sizes), max(sizes))


@given(st.integers(-(10**6), 10**6), st.integers(0, 1000), SMALL.filter(bool))
def test_a_remainder_of_a_short_range_is_exact(begin: int, length: int, divisor: int) -> None:
    found = OPERATIONS[ast.Mod](Range(begin, begin + length), Range(divisor, divisor))

    rest = {number % divisor for number in range(begin, begin + length + 1)}
    assert found.least <= min(rest)
    assert max(rest) <= found.most
    assert (found.most - found.least) < abs(divisor)
