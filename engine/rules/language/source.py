"""A file of rules, read: every rule in it is checked, and nothing of the file is run.

A file holds a docstring, `from pinion import ..` and functions under `@rule(..)`, nothing else. Of a rule
that was checked a plain function is made of the very same source, without decorator and annotations.
"""

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from engine.rules.language.check import assigned_in, check, require_flat
from engine.rules.language.faults import NotAllowedError, RuleFault, shown
from engine.rules.language.head import head_of, name_of
from engine.rules.language.intervals import SHIFT_MAX
from engine.rules.language.length import longest_statement, rule_at
from engine.rules.language.scope import DECORATOR, Scope, hint
from engine.rules.vocabulary import CTX, PARAM, RULES_MAX, TEXT_CHARACTERS_MAX, Vocabulary

LINE_END = re.compile(r"\r\n|\r|\n")
"""As Python counts lines."""
Plain = Callable[[Any, Any, Any], int]
MATCHED, FAULT = 1, 2
"""What a rule says besides 0; FAULT : of one that refuses, where it cannot compute."""


@dataclass(frozen=True, slots=True)
class UserRule:
    """A rule that was checked.

    params : name -> what it is where nobody says another, in their order
    function : its syntax, without decorator and annotations
    text : its lines as they stand in the file
    plain : the same as a function of three objects with attributes
    """

    name: str
    code: str
    action: str
    params: Mapping[str, int]
    vocabulary: Vocabulary = field(repr=False, compare=False)
    function: ast.FunctionDef = field(repr=False, compare=False)
    text: str = field(repr=False)
    file_name: str
    line: int
    plain: Plain = field(repr=False, compare=False)

    @property
    def context_read(self) -> frozenset[str]:
        """The words of `ctx` that it reads."""
        reads = (each for each in ast.walk(self.function) if isinstance(each, ast.Attribute))
        return frozenset(
            each.attr for each in reads if isinstance(each.value, ast.Name) and each.value.id == CTX
        )


def read(text: str, vocabulary: Vocabulary, file_name: str) -> tuple[UserRule, ...]:
    """Return the rules of a file; raise its first RuleFault."""
    return read_set({file_name: text}, vocabulary)


def read_set(files: Mapping[str, str], vocabulary: Vocabulary) -> tuple[UserRule, ...]:
    """Return the rules of a set in the order of its files, name -> text; raise its first RuleFault."""
    rules, faults = judge(files, vocabulary)
    if faults:
        raise faults[0]
    return rules


def judge(
    files: Mapping[str, str], vocabulary: Vocabulary
) -> tuple[tuple[UserRule, ...], tuple[RuleFault, ...]]:
    """Return the rules of a set, and what is wrong with it: the first fault of every rule that has one."""
    rules: dict[str, UserRule] = {}
    faults: list[RuleFault] = []
    for file_name, text in files.items():
        for found in _read(text, vocabulary, file_name):
            if isinstance(found, RuleFault):
                faults.append(found)
            elif rules.setdefault(found.name, found) is not found:
                other = rules[found.name]
                faults.append(
                    _fault(found, f"{other.file_name}:{other.line} has a rule of this name; rename one")
                )
    behind = f"stands behind {RULES_MAX} rules, which is the most of a set; leave some out"
    faults += [_fault(rule, behind) for rule in list(rules.values())[RULES_MAX:]]
    return tuple(rules.values()), tuple(faults)


def _fault(rule: UserRule, reason: str) -> RuleFault:
    return RuleFault(rule.name, rule.line, reason, rule.file_name)


def _read(text: str, vocabulary: Vocabulary, file_name: str) -> Iterator[UserRule | RuleFault]:
    """Yield the rules of a file, or what is wrong with them."""
    scope = Scope(vocabulary, frozenset(), {}, frozenset(), {})
    functions: set[str] = set()
    is_clean = True
    try:
        tree = _parsed(text)
    except NotAllowedError as wrong:
        yield RuleFault(rule_at(text, wrong.line), wrong.line, wrong.reason, file_name)
        return
    for place, statement in enumerate(tree.body):
        name = name_of(statement) if isinstance(statement, ast.FunctionDef) else ""
        try:
            if isinstance(statement, ast.FunctionDef):
                _require_new(statement, functions)
                yield _rule(statement, scope, text, file_name)
            elif isinstance(statement, ast.ImportFrom) and not functions:
                scope = replace(scope, imported=scope.imported | _imported(statement, vocabulary))
            elif place > 0 or not _is_docstring(statement):
                raise _nothing_else(statement, vocabulary)
        except NotAllowedError as wrong:
            is_clean = False
            yield RuleFault(name, wrong.line, wrong.reason, file_name)
    if not functions and is_clean:
        yield RuleFault("", 1, "holds no rule; write a function under @rule(..)", file_name)


def _parsed(text: str) -> ast.Module:
    """Return the syntax of a file; NotAllowedError where it is no Python, or too much of it."""
    start = ast.Pass(lineno=1)
    if len(text) > TEXT_CHARACTERS_MAX:
        raise NotAllowedError(start, f"has more than {TEXT_CHARACTERS_MAX} characters; split the file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an odd comparison: the check says what counts
            tree = ast.parse(text)
    except SyntaxError as error:
        raise NotAllowedError(ast.Pass(lineno=error.lineno or 1), f"is no Python: {error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise NotAllowedError(
            ast.Pass(lineno=longest_statement(text)),
            "cannot be read as Python: too long or too deep an expression; put parts of it into locals, or "
            "into rules of their own",
        ) from error
    except (ValueError, OverflowError) as error:
        raise NotAllowedError(start, f"cannot be read as Python: {error}") from error
    require_flat(tree)
    return tree


def _require_new(function: ast.FunctionDef, functions: set[str]) -> None:
    if function.name in functions:
        raise NotAllowedError(
            function, f"there is a function {function.name} above, which this one would replace; rename one"
        )
    functions.add(function.name)


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _imported(statement: ast.ImportFrom, vocabulary: Vocabulary) -> frozenset[str]:
    """Return the names that an import brings."""
    if statement.module != vocabulary.module or statement.level:
        raise _nothing_else(statement, vocabulary)
    for each in statement.names:
        known = (*sorted(vocabulary.names), DECORATOR)
        if each.name not in known:
            raise NotAllowedError(
                statement,
                f"{vocabulary.module} has no {each.name} for rules{hint(each.name, known)}; "
                f"it has {', '.join(known)}",
            )
        if each.asname is not None:
            raise NotAllowedError(statement, f"imports {each.name} under another name; leave out `as`")
    return frozenset(each.name for each in statement.names)


def _nothing_else(statement: ast.stmt, vocabulary: Vocabulary) -> NotAllowedError:
    """Return the fault of what does not belong into a file of rules."""
    allowed = f"a docstring, then `from {vocabulary.module} import NAME`, then rules"
    mend = "a number belongs into a rule, or into its params" if isinstance(statement, ast.Assign) else ""
    return NotAllowedError(
        statement,
        f"`{shown(statement)}`: a file of rules holds {allowed}, nothing else{mend and f'; {mend}'}",
    )


def _rule(function: ast.FunctionDef, scope: Scope, text: str, file_name: str) -> UserRule:
    """Return a rule once it is checked."""
    head = head_of(function, scope)
    check(
        function,
        replace(scope, params=dict.fromkeys(head.params, PARAM), assigned=assigned_in(function)),
    )
    text = _lines_of(function, text)
    bare = _bare(function)
    return UserRule(
        name=head.name,
        code=head.code,
        action=head.action,
        params=head.params,
        vocabulary=scope.vocabulary,
        function=bare,
        text=text,
        file_name=file_name,
        line=function.lineno,
        plain=_plain(bare, scope.vocabulary, file_name),
    )


def _lines_of(function: ast.FunctionDef, text: str) -> str:
    """Return the lines of a function with its decorator, each without what is blank at its end."""
    first = min([function.lineno, *(each.lineno for each in function.decorator_list)])
    lines = LINE_END.split(text)[first - 1 : function.end_lineno]
    return "\n".join(line.rstrip() for line in lines)


class _WithoutAnnotations(ast.NodeTransformer):
    """Takes out what is not run by a rule: `x: int = 1` becomes `x = 1`."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        assert node.value is not None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.copy_location(ast.arg(node.arg), node)


def _bare(function: ast.FunctionDef) -> ast.FunctionDef:
    """Strip a function of decorator and annotations: what is left runs when it is called."""
    function.decorator_list, function.returns = [], None
    _WithoutAnnotations().visit(function)
    return ast.fix_missing_locations(function)


class _FaultError(ArithmeticError):
    """A shift too far, in a rule that refuses."""


def _shift_left(number: int, count: int) -> int:
    if not 0 <= count <= SHIFT_MAX:
        raise _FaultError
    return number << count


def _shift_right(number: int, count: int) -> int:
    if not 0 <= count <= SHIFT_MAX:
        raise _FaultError
    return number >> count


class _WatchedShifts(ast.NodeTransformer):
    """Gives shifts to functions that look at how far."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        name = {ast.LShift: _shift_left.__name__, ast.RShift: _shift_right.__name__}.get(type(node.op))
        return node if name is None else _called(name, [node.left, node.right], node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        read = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)  # type: ignore[union-attr]  # checked
        value = ast.copy_location(ast.BinOp(read, node.op, node.value), node)
        return ast.copy_location(ast.Assign([node.target], self.visit(value)), node)


def _called(name: str, operands: list[ast.expr], at: ast.AST) -> ast.Call:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), operands, []), at)


def _plain(bare: ast.FunctionDef, vocabulary: Vocabulary, file_name: str) -> Plain:
    """Return the function that a checked source says, with nothing around it but its vocabulary."""
    if vocabulary.is_refusing:
        bare = ast.fix_missing_locations(_WatchedShifts().visit(deepcopy(bare)))
    names: dict[str, Any] = {"__builtins__": {each.__name__: each for each in (abs, max, min, range)}}
    names |= {**vocabulary.constants, **vocabulary.functions}
    names |= {each.__name__: each for each in (_shift_left, _shift_right)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile(ast.Module([bare], []), file_name, "exec")
    exec(code, names)  # makes the function, and runs nothing in it
    function = names[bare.name]
    if not vocabulary.is_refusing:
        return lambda p, ctx, params: bool(function(p, ctx, params))

    def judged(p: Any, ctx: Any, params: Any) -> int:
        try:
            return MATCHED if function(p, ctx, params) else 0
        except (ZeroDivisionError, _FaultError):
            return FAULT

    return judged
