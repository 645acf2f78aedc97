"""The expressions of a rule: each is pure integer code, and between two numbers that fit into 64 bits.

A condition is a number too, 0 or 1, as in Python.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any

from engine.rules.language import intervals
from engine.rules.language.faults import NotAllowedError, shown
from engine.rules.language.intervals import OPERATIONS, POWER_MAX, SHIFT_MAX
from engine.rules.language.scope import Scope, hint
from engine.rules.vocabulary import BIT, INT64_MAX, INT64_MIN, Range, Vocabulary

COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
CALLED = ("min", "max", "abs")
REFUSED: Mapping[type[ast.AST], str] = {
    ast.List: "a list; a rule makes nothing, compare number by number",
    ast.Tuple: "a tuple; a rule makes nothing, set one local at a time",
    ast.Dict: "a dict; a rule makes nothing, use if and elif",
    ast.Set: "a set; a rule makes nothing, compare number by number",
    ast.JoinedStr: "a text; a rule knows numbers only",
    ast.Lambda: "a lambda; write its expression where it is needed",
    ast.NamedExpr: "`:=`; set the local on a line before",
    ast.Subscript: "an item of something; a rule has only numbers",
    ast.Starred: "`*` before an operand; write each one out",
    ast.Await: "await; a rule waits for nothing",
    ast.Yield: "yield; a rule returns once",
    ast.YieldFrom: "yield; a rule returns once",
    ast.ListComp: "a comprehension; write `for _ in range(N)` with N up to 64",
    ast.SetComp: "a comprehension; write `for _ in range(N)` with N up to 64",
    ast.DictComp: "a comprehension; write `for _ in range(N)` with N up to 64",
    ast.GeneratorExp: "a generator; write `for _ in range(N)` with N up to 64",
    ast.Div: "`/`, which makes a fraction; use `//`",
    ast.MatMult: "`@`; a rule has no matrices",
    ast.Invert: "`~`; for bits write `-1 - x`, for conditions `not x`",
    ast.In: "`in`; compare number by number with `==` and `or`",
    ast.NotIn: "`not in`; compare number by number with `!=` and `and`",
    ast.Is: "`is`; use `==`",
    ast.IsNot: "`is not`; use `!=`",
}
"""What Python has and a rule has not, and what to write instead."""


def range_of(node: ast.expr, scope: Scope) -> Range:
    """Return between which numbers an expression lies; NotAllowedError where it may not stand in a rule."""
    ask = _ASK.get(type(node))
    if ask is None:
        raise not_allowed(node)
    return ask(node, scope)


def not_allowed(node: ast.AST, at: ast.AST | None = None) -> NotAllowedError:
    """Return the fault of a part that no rule has; at : where it stands, if it does not know that itself."""
    known = REFUSED.get(type(node))
    return NotAllowedError(at or node, f"a rule cannot have {known or f'this: {type(node).__name__}'}")


def is_constant(node: ast.expr, scope: Scope) -> bool:
    """Tell whether an expression is made of literals and constants alone."""
    return not any(
        isinstance(each, ast.Attribute) or (isinstance(each, ast.Name) and each.id in scope.assigned)
        for each in ast.walk(node)
    )


def _literal(node: ast.Constant, scope: Scope) -> Range:
    value = node.value
    if isinstance(value, bool):
        return Range(int(value), int(value))
    if isinstance(value, float | complex):
        raise NotAllowedError(
            node, f"{shown(node)}: a rule has whole numbers only, such as minor units or ms"
        )
    if not isinstance(value, int):
        raise NotAllowedError(node, f"{shown(node)}: a rule knows numbers only; a value not given is -1")
    return _fitting(Range(value, value), node, (), scope)


def _name(node: ast.Name, scope: Scope) -> Range:
    return scope.name(node)


def _attribute(node: ast.Attribute, scope: Scope) -> Range:
    return scope.attribute(node)


def _unary(node: ast.UnaryOp, scope: Scope) -> Range:
    of = range_of(node.operand, scope)
    if isinstance(node.op, ast.Not):
        return BIT
    if isinstance(node.op, ast.USub):
        return _fitting(Range(-of.most, -of.least), node, (node.operand,), scope)
    if isinstance(node.op, ast.UAdd):
        return of
    raise not_allowed(node.op, node)


def _binary(node: ast.BinOp, scope: Scope) -> Range:
    operation = OPERATIONS.get(type(node.op))
    if operation is None:
        raise not_allowed(node.op, node)
    left, right = range_of(node.left, scope), range_of(node.right, scope)
    if scope.vocabulary.is_refusing and may_fault(node, scope.vocabulary):
        return _fitting(_or_fault(node, left, right), node, (node.left, node.right), scope)
    if isinstance(node.op, ast.FloorDiv | ast.Mod):
        _require_divisor(node, right, scope)
    elif isinstance(node.op, ast.Pow):
        _require_exponent(node, right, scope)
    elif isinstance(node.op, ast.LShift | ast.RShift):
        _require_shift(node, right)
    return _fitting(operation(left, right), node, (node.left, node.right), scope)


def may_fault(node: ast.BinOp, vocabulary: Vocabulary) -> bool:
    """Tell whether an operation of a rule that refuses may fault: its divisor or shift is not written out."""
    if not isinstance(node.op, ast.FloorDiv | ast.Mod | ast.LShift | ast.RShift):
        return False
    names = (each for each in ast.walk(node.right) if isinstance(each, ast.Name | ast.Attribute))
    return any(not isinstance(each, ast.Name) or each.id not in vocabulary.constants for each in names)


def _or_fault(node: ast.BinOp, left: Range, right: Range) -> Range:
    """Return the range of an operation that may fault: 0 is what goes on in place of what it cannot give."""
    if isinstance(node.op, ast.FloorDiv | ast.Mod):
        divisors = [
            part
            for part in (Range(right.least, min(right.most, -1)), Range(max(right.least, 1), right.most))
            if part.least <= part.most
        ]
        if not divisors:
            raise NotAllowedError(node, f"divides by {shown(node.right)}, which is always 0")
        of = intervals.quotient if isinstance(node.op, ast.FloorDiv) else intervals.remainder
        return intervals.joined(Range(0, 0), *(of(left, part) for part in divisors))
    shifts = Range(max(right.least, 0), min(right.most, SHIFT_MAX))
    if shifts.least > shifts.most:
        raise NotAllowedError(node, f"shifts by {told(node.right, right)}, which is never 0 to {SHIFT_MAX}")
    return intervals.joined(Range(0, 0), OPERATIONS[type(node.op)](left, shifts))


def _require_divisor(node: ast.BinOp, right: Range, scope: Scope) -> None:
    sign = "//" if isinstance(node.op, ast.FloorDiv) else "%"
    if not is_constant(node.right, scope):
        raise NotAllowedError(
            node,
            f"`{sign}` by {shown(node.right)}, which could be 0; divide by a constant, "
            f"or multiply the other side of the comparison instead",
        )
    if right.least <= 0 <= right.most:
        raise NotAllowedError(node, f"`{sign}` by 0; divide by a constant that is not 0")


def _require_exponent(node: ast.BinOp, right: Range, scope: Scope) -> None:
    if not is_constant(node.right, scope) or not 0 <= right.least == right.most <= POWER_MAX:
        raise NotAllowedError(
            node, f"`**` {shown(node.right)}; the exponent must be a constant from 0 to {POWER_MAX}"
        )


def _require_shift(node: ast.BinOp, right: Range) -> None:
    if not 0 <= right.least <= right.most <= SHIFT_MAX:
        raise NotAllowedError(
            node,
            f"shifts by {told(node.right, right)}; that must lie from 0 to {SHIFT_MAX}, "
            f"as max(0, min({shown(node.right)}, {SHIFT_MAX})) does",
        )


def _boolean(node: ast.BoolOp, scope: Scope) -> Range:
    """`and` and `or` give one of their operands."""
    return intervals.joined(*(range_of(each, scope) for each in node.values))


def _compare(node: ast.Compare, scope: Scope) -> Range:
    for operator in node.ops:
        if not isinstance(operator, COMPARISONS):
            raise not_allowed(operator, node)
    for operand in (node.left, *node.comparators):
        range_of(operand, scope)
    return BIT


def _choice(node: ast.IfExp, scope: Scope) -> Range:
    range_of(node.test, scope)
    return intervals.joined(range_of(node.body, scope), range_of(node.orelse, scope))


def _call(node: ast.Call, scope: Scope) -> Range:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in scope.vocabulary.functions:
        value = called(node, scope)
        return Range(value, value)
    if name not in CALLED or name in scope.assigned:
        raise NotAllowedError(
            node,
            f"calls {shown(node.func)}{hint(name, CALLED)}; a rule can call "
            f"{', '.join((*scope.vocabulary.functions, *CALLED))}",
        )
    of = [range_of(each, scope) for each in node.args]
    count = "one number" if name == "abs" else "two numbers or more"
    if node.keywords or (len(of) != 1 if name == "abs" else len(of) < 2):
        raise NotAllowedError(node, f"{name} takes {count}, and nothing else")
    if name == "abs":
        return _fitting(intervals.magnitude(of[0]), node, tuple(node.args), scope)
    return intervals.least(of) if name == "min" else intervals.greatest(of)


def called(node: ast.Call, scope: Scope) -> int:
    """Return the number that a function of the vocabulary makes of its text."""
    assert isinstance(node.func, ast.Name)
    name, vocabulary = node.func.id, scope.vocabulary
    if name not in scope.imported:
        raise NotAllowedError(node, f"{name} is not imported; write `from {vocabulary.module} import {name}`")
    text = node.args[0].value if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) else None
    if node.keywords or not isinstance(text, str):
        raise NotAllowedError(node, f'{name} takes one text that is written out, as {name}("..")')
    try:
        return vocabulary.functions[name](text)
    except ValueError as error:
        raise NotAllowedError(node, str(error)) from error


def _fitting(found: Range, node: ast.expr, operands: tuple[ast.expr, ...], scope: Scope) -> Range:
    """Return a range that fits into 64 bits; NotAllowedError where it does not, which tells the operands."""
    if INT64_MIN <= found.least and found.most <= INT64_MAX:
        return found
    are = " and ".join(told(each, range_of(each, scope)) for each in operands)
    why = f": {are}; bound an operand first, as max(0, min(x, 1000)) does" if are else ""
    raise NotAllowedError(node, f"{shown(node)} can leave 64 bits{why}")


def told(node: ast.expr, of: Range) -> str:
    """Return an operand and its range in words."""
    if of.least == of.most:
        return shown(node) if isinstance(node, ast.Constant) else f"{shown(node)} is {of.least}"
    return f"{shown(node)} is {of.least} to {of.most}"


_ASK: Mapping[type[ast.expr], Callable[[Any, Scope], Range]] = {
    ast.Constant: _literal,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.Call: _call,
}
