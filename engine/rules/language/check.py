"""The statements of a rule: each is reached, ends, and reads only what was set on every path to it.

A rule is followed as it would run, but with ranges in place of numbers: branches are followed both and
joined behind, a loop is followed as often as it runs. So whatever a rule computes, for whatever it is
given, fits into 64 bits.
"""

import ast
from typing import TypeGuard

from engine.rules.language.expressions import is_constant, not_allowed, range_of
from engine.rules.language.faults import NotAllowedError, shown
from engine.rules.language.intervals import joined
from engine.rules.language.scope import BUILT_IN, DECORATOR, Locals, Scope

TIMES_MAX = 64
"""How often a statement runs at most."""
NESTED_LOOPS_MAX = 4
NODES_MAX = 2_000
DEPTH_MAX = 64
ROUND = "_"
"""The one name that counts rounds: nobody reads it."""

STATEMENTS = {
    ast.While: "while, which may not end; write `for _ in range(N)` with N up to 64",
    ast.Break: "break; keep in a local whether to go on, and ask it with if",
    ast.Continue: "continue; ask with if",
    ast.Try: "try; nothing in a rule can fail",
    ast.With: "with; a rule opens nothing",
    ast.Raise: "raise; return instead",
    ast.Assert: "assert; return instead",
    ast.Import: "an import in it; imports stand at the beginning of the file",
    ast.ImportFrom: "an import in it; imports stand at the beginning of the file",
    ast.Global: "global; a rule changes nothing outside",
    ast.Nonlocal: "nonlocal; a rule changes nothing outside",
    ast.FunctionDef: "a function in it; write its lines where they are needed",
    ast.AsyncFunctionDef: "a function in it; write its lines where they are needed",
    ast.ClassDef: "a class in it; a rule has numbers only",
    ast.Delete: "del; leave the local as it is",
    ast.Match: "match; use if and elif",
    ast.Expr: "a line that does nothing; set a local, or return it",
}


def check(function: ast.FunctionDef, scope: Scope) -> None:
    """Raise NotAllowedError where a function is no rule; scope : without locals."""
    _require_small(function)
    _require_own_names(function, scope)
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    _block(body, {}, scope, 1, 0)


def _require_own_names(function: ast.FunctionDef, scope: Scope) -> None:
    """Raise NotAllowedError where a rule gives another meaning to a name that has one."""
    taken = {*scope.vocabulary.names, *scope.vocabulary.arguments, *BUILT_IN, DECORATOR}
    named = [(function.name, function), *((node.id, node) for node in ast.walk(function) if is_set(node))]
    for name, node in named:
        if name in taken:
            raise NotAllowedError(node, f"{name} means something else in rules; use another name")


def is_set(node: ast.AST) -> TypeGuard[ast.Name]:
    """Tell whether a node is a name that is given a value."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def assigned_in(function: ast.FunctionDef) -> frozenset[str]:
    """Return the names that a function gives a value to, but for `_`."""
    return frozenset(node.id for node in ast.walk(function) if is_set(node)) - {ROUND}


def _require_small(function: ast.FunctionDef) -> None:
    """Raise NotAllowedError where a rule is longer than any should be."""
    if sum(1 for _ in ast.walk(function)) > NODES_MAX:
        raise NotAllowedError(function, f"has more than {NODES_MAX} parts; make several rules of it")


def require_flat(tree: ast.Module) -> None:
    """Raise NotAllowedError where a file is nested too deep for anybody, this check included, to follow."""
    waiting: list[ast.AST] = [tree]
    for _ in range(DEPTH_MAX):
        waiting = [child for node in waiting for child in ast.iter_child_nodes(node)]
    if waiting:
        lines = [node.lineno for node in waiting if isinstance(node, ast.expr | ast.stmt)]
        at = ast.Pass(lineno=min(lines, default=1))
        raise NotAllowedError(at, f"is nested more than {DEPTH_MAX} deep; use locals")


def _block(statements: list[ast.stmt], known: Locals, scope: Scope, times: int, loops: int) -> Locals | None:
    """Follow statements; return what is set behind them, None where all paths have returned."""
    here: Locals | None = known
    for statement in statements:
        if here is None:
            raise NotAllowedError(statement, "nothing leads to this line; delete it")
        here = _statement(statement, here, scope, times, loops)
    return here


def _statement(statement: ast.stmt, known: Locals, scope: Scope, times: int, loops: int) -> Locals | None:
    here = scope.at(known)
    match statement:
        case ast.Return(value):
            if value is not None:
                range_of(value, here)
            return None
        case ast.Pass():
            return known
        case ast.If(test, body, orelse):
            range_of(test, here)
            return _both(_block(body, known, scope, times, loops), _block(orelse, known, scope, times, loops))
        case ast.For():
            return _loop(statement, known, scope, times, loops)
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            names, value = assignment(statement)
            found = range_of(value, here)
            return known | dict.fromkeys(names, found)
        case ast.Expr(value):
            range_of(value, here)
    raise not_allowed_statement(statement)


def not_allowed_statement(statement: ast.stmt) -> NotAllowedError:
    """Return the fault of a statement that no rule has."""
    what = STATEMENTS.get(type(statement), f"this: {type(statement).__name__}")
    return NotAllowedError(statement, f"a rule cannot have {what}")


def assignment(statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> tuple[list[str], ast.expr]:
    """Return the names that a statement sets, and the expression that it sets them to."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names = []
    for target in targets:
        if not isinstance(target, ast.Name):
            if isinstance(target, ast.Attribute):
                raise NotAllowedError(target, f"sets {shown(target)}; a rule sets its own locals only")
            raise not_allowed(target)
        if target.id == ROUND:
            raise NotAllowedError(target, "sets _, which counts the rounds of loops; use another name")
        names.append(target.id)
    if statement.value is None:
        raise NotAllowedError(statement, f"{names[0]} gets no value; write `{names[0]} = 0`")
    if isinstance(statement, ast.AugAssign):
        read = ast.copy_location(ast.Name(names[0], ast.Load()), statement.target)
        return names, ast.copy_location(ast.BinOp(read, statement.op, statement.value), statement)
    return names, statement.value


def _both(one: Locals | None, other: Locals | None) -> Locals | None:
    """Return what is set behind two branches: what both have set, or that of the one that goes on."""
    if one is None or other is None:
        return other if one is None else one
    return {name: joined(one[name], other[name]) for name in one.keys() & other.keys()}


def _loop(loop: ast.For, known: Locals, scope: Scope, times: int, loops: int) -> Locals | None:
    """Follow a loop round by round."""
    rounds = rounds_of(loop, scope.at(known))
    if times * rounds > TIMES_MAX or loops == NESTED_LOOPS_MAX:
        raise NotAllowedError(
            loop,
            f"loops within loops: a line may run {TIMES_MAX} times at most, "
            f"in {NESTED_LOOPS_MAX} loops at most",
        )
    here: Locals | None = known
    for _ in range(rounds):
        if here is not None:
            here = _block(loop.body, here, scope, times * rounds, loops + 1)
    return here


def rounds_of(loop: ast.For, scope: Scope) -> int:
    """Return how often a loop runs: of `for _ in range(CONSTANT)`, the only one that there is."""
    call = loop.iter
    is_range = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"
    is_counted = isinstance(loop.target, ast.Name) and loop.target.id == ROUND
    if not is_range or not is_counted or loop.orelse or loop.type_comment:
        raise NotAllowedError(
            loop, f"`for` must read `for _ in range(N)`, N a constant from 1 to {TIMES_MAX}, without else"
        )
    assert isinstance(call, ast.Call)
    if len(call.args) == 1 and not call.keywords and is_constant(call.args[0], scope):
        found = range_of(call.args[0], scope)
        if 1 <= found.least == found.most <= TIMES_MAX:
            return found.least
    raise NotAllowedError(
        loop, f"{shown(call)}: give range one constant from 1 to {TIMES_MAX}; a rule must end"
    )
