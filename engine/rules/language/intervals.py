"""Arithmetic on ranges: between which two numbers a result lies when its operands lie in theirs.

Every function gives the exact corners, in Python's integers, which know no end: whether they fit into 64
bits is asked by whoever calls. Floor division, modulo and shifts are Python's own, of negative numbers too.
"""

import ast
from collections.abc import Callable, Iterable, Mapping
from itertools import product

from engine.rules.vocabulary import INT64_MAX, INT64_MIN, Range

SHIFT_MAX = 63
POWER_MAX = 63


def around(numbers: Iterable[int]) -> Range:
    """Return the range that these numbers span."""
    found = list(numbers)
    return Range(min(found), max(found))


def joined(*ranges: Range) -> Range:
    """Return the range in which a number lies that is in one of these."""
    return around(each for pair in ranges for each in pair)


def corners(operation: Callable[[int, int], int]) -> Callable[[Range, Range], Range]:
    """Return an operation on ranges that is monotone in each operand while the other one stays."""

    def on_ranges(left: Range, right: Range) -> Range:
        return around(operation(a, b) for a, b in product(left, right))

    return on_ranges


def modulo(left: Range, right: Range) -> Range:
    """Return the range of `left % right`; right: one number, not zero."""
    divisor = right.least
    if left.least // divisor == left.most // divisor:
        return Range(left.least % divisor, left.most % divisor)
    return Range(0, divisor - 1) if divisor > 0 else Range(divisor + 1, 0)


def quotient(left: Range, right: Range) -> Range:
    """Return the range of `left // right`; right: all below zero, or all above."""
    return corners(lambda a, b: a // b)(left, right)


def remainder(left: Range, right: Range) -> Range:
    """Return a range of `left % right`; right: all below zero, or all above."""
    if right.least > 0:
        return Range(0, min(right.most - 1, left.most) if left.least >= 0 else right.most - 1)
    if left.least == INT64_MIN and right.most == -1:
        return Range(INT64_MIN, INT64_MAX + 1)  # which the processor cannot divide by -1
    return Range(right.least + 1, 0)


def power(left: Range, right: Range) -> Range:
    """Return the range of `left ** right`; right: one number, not negative."""
    ends = [left.least**right.least, left.most**right.least]
    has_zero = left.least < 0 < left.most
    return around([*ends, 0]) if has_zero and right.least else around(ends)


def conjunction(left: Range, right: Range) -> Range:
    """Return a range of `left & right`."""
    above = [each.most for each in (left, right) if each.least >= 0]
    return Range(0, min(above)) if above else _bits(left, right)


def disjunction(left: Range, right: Range) -> Range:
    """Return a range of `left | right`, and of `left ^ right`."""
    found = _bits(left, right)
    return Range(0, found.most) if left.least >= 0 and right.least >= 0 else found


def _bits(left: Range, right: Range) -> Range:
    """Return the range of all numbers that need no more bits than the longest of these."""
    count = max((each if each >= 0 else -1 - each).bit_length() for each in (*left, *right))
    return Range(-(1 << count), (1 << count) - 1)


def least(ranges: Iterable[Range]) -> Range:
    """Return the range of the least of several numbers."""
    found = list(ranges)
    return Range(min(each.least for each in found), min(each.most for each in found))


def greatest(ranges: Iterable[Range]) -> Range:
    """Return the range of the greatest of several numbers."""
    found = list(ranges)
    return Range(max(each.least for each in found), max(each.most for each in found))


def magnitude(of: Range) -> Range:
    """Return the range of `abs(of)`."""
    ends = around(map(abs, of))
    return Range(0, ends.most) if of.least <= 0 <= of.most else ends


OPERATIONS: Mapping[type[ast.operator], Callable[[Range, Range], Range]] = {
    ast.Add: corners(lambda a, b: a + b),
    ast.Sub: corners(lambda a, b: a - b),
    ast.Mult: corners(lambda a, b: a * b),
    ast.FloorDiv: corners(lambda a, b: a // b),
    ast.Mod: modulo,
    ast.Pow: power,
    ast.LShift: corners(lambda a, b: a << b),
    ast.RShift: corners(lambda a, b: a >> b),
    ast.BitAnd: conjunction,
    ast.BitOr: disjunction,
    ast.BitXor: disjunction,
}
"""The operators that a rule may use."""
