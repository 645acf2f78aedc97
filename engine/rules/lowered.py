"""A checked rule as plain int64 code: fields are items of arrays, constants are numbers, conditions 0 or 1.

What Python means by a source and what is written here for it are the same, value by value: the check has
shown that no number leaves 64 bits and that no divisor is 0. An expression is written as its number or as
its truth, so that the compiler never meets one that is sometimes a number and sometimes a condition.

Of a rule that refuses, what may divide by 0 or shift too far is a line of its own. Where it would, `ok`
becomes 0, the rule goes on with 0 in its place, as the check has followed it too, and says in the end that
it could not.
"""

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from engine.rules.language.check import assigned_in, assignment
from engine.rules.language.expressions import may_fault
from engine.rules.language.intervals import SHIFT_MAX
from engine.rules.language.source import FAULT, UserRule
from engine.rules.vocabulary import CTX, PARAMS, PARAMS_MAX, P

INDENT = "    "
P_AT, CTX_AT = "p_at", "ctx_at"
"""Where the request, and what is known beside it, begin in their arrays."""
OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.USub: "-",
    ast.UAdd: "+",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.And: "and",
    ast.Or: "or",
}


def lowered(rule: UserRule, number: int) -> str:
    """Return a rule as `def rule_N(p, ctx, params, p_at, ctx_at)`, which returns 0, 1 or FAULT."""
    writer = _Writer(rule, number)
    begun = [f"{local(name)} = 0" for name in sorted(assigned_in(rule.function))]
    writer.block(rule.function.body)
    writer.leave("0")
    lines = [
        f"def rule_{number}({P}, {CTX}, {PARAMS}, {P_AT}, {CTX_AT}):  # {rule.name}",
        *(INDENT + line for line in (*begun, *writer.begun(), *writer.lines)),
    ]
    return "\n".join(lines)


def local(name: str) -> str:
    """Return a local's name in the code: none of ours begins like it."""
    return f"v_{name}"


class _Writer:
    """Writes the parts of one rule: an expression is returned, and what it needs ahead of it is a line."""

    def __init__(self, rule: UserRule, number: int) -> None:
        words = rule.vocabulary
        self.lines: list[str] = []
        self._rule = rule
        self._depth = 0
        self._watched = 0
        self._places = {
            words.subject: {name: f"{P}[{P_AT} + {place}]" for place, name in enumerate(words.fields)},
            CTX: {name: f"{CTX}[{CTX_AT} + {place}]" for place, name in enumerate(words.context)},
            PARAMS: {
                name: f"{PARAMS}[{number * PARAMS_MAX + place}]" for place, name in enumerate(rule.params)
            },
        }

    def begun(self) -> list[str]:
        """Return the lines that begin what operations that may fault use."""
        names = (f"{of}_{number}" for number in range(self._watched) for of in ("operand", "result"))
        return ["ok = 1", f"{' = '.join(names)} = 0"] if self._watched else []

    def leave(self, said: str) -> None:
        """Leave the rule, which says so much."""
        if self._watched:
            self._line(f"if ok == 0: return {FAULT}")
        self._line(f"return {said}")

    def block(self, statements: list[ast.stmt]) -> None:
        """Write statements."""
        for statement in statements:
            self._statement(statement)

    def _line(self, text: str) -> None:
        self.lines.append(INDENT * self._depth + text)

    @contextmanager
    def _within(self, head: str) -> Iterator[None]:
        """Write what belongs below a line that ends with a colon."""
        self._line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Return(value):
                self.leave("0" if value is None else f"(1 if {self.truth(value)} else 0)")
            case ast.If(test, body, orelse):
                with self._within(f"if {self.truth(test)}:"):
                    self.block(body)
                if orelse:
                    with self._within("else:"):
                        self.block(orelse)
            case ast.For(_, ast.Call(_, [rounds]), body):
                with self._within(f"for _ in range({self.number(rounds)}):"):
                    self.block(body)
            case ast.Assign() | ast.AugAssign():
                names, value = assignment(statement)
                self._line(f"{' = '.join(map(local, names))} = {self.number(value)}")
            case _:
                self._line("pass")

    def truth(self, node: ast.expr) -> str:
        """Return whether an expression counts as true."""
        if self._is_in_turn(node):
            return f"({self._in_turn(node)} != 0)"
        match node:
            case ast.Compare(left, operators, others):
                pairs = zip(operators, others, strict=True)
                rest = " ".join(f"{OPERATORS[type(each)]} {self.number(other)}" for each, other in pairs)
                return f"({self.number(left)} {rest})"
            case ast.BoolOp(operator, values):
                return f"({f' {OPERATORS[type(operator)]} '.join(map(self.truth, values))})"
            case ast.UnaryOp(ast.Not(), operand):
                return f"(not {self.truth(operand)})"
            case ast.IfExp(test, body, orelse):
                return f"({self.truth(body)} if {self.truth(test)} else {self.truth(orelse)})"
        return f"({self.number(node)} != 0)"

    def number(self, node: ast.expr) -> str:
        """Return an expression as an int64."""
        if self._is_in_turn(node):
            return self._in_turn(node)
        match node:
            case ast.Constant(value):
                assert isinstance(value, int)
                return str(int(value))
            case ast.Name(name):
                constants = self._rule.vocabulary.constants
                return f"({constants[name]})" if name in constants else local(name)
            case ast.Attribute(ast.Name(of), name):
                return self._places[of][name]
            case ast.BinOp(left, operator, right):
                if self._is_watched(node):
                    return self._guarded(left, operator, right)
                return f"({self.number(left)} {OPERATORS[type(operator)]} {self.number(right)})"
            case ast.UnaryOp(ast.USub() | ast.UAdd() as operator, operand):
                return f"({OPERATORS[type(operator)]}{self.number(operand)})"
            case ast.BoolOp(operator, values):
                return f"({f' {OPERATORS[type(operator)]} '.join(map(self.number, values))})"
            case ast.IfExp(test, body, orelse):
                return f"({self.number(body)} if {self.truth(test)} else {self.number(orelse)})"
            case ast.Call(ast.Name(name), operands):
                functions = self._rule.vocabulary.functions
                if name in functions:
                    (text,) = operands
                    assert isinstance(text, ast.Constant)
                    assert isinstance(text.value, str)
                    return f"({functions[name](text.value)})"
                return f"{name}({', '.join(map(self.number, operands))})"
        return f"(1 if {self.truth(node)} else 0)"

    def _is_watched(self, node: ast.AST) -> bool:
        """Tell whether a part is an operation that may fault."""
        words = self._rule.vocabulary
        return words.is_refusing and isinstance(node, ast.BinOp) and may_fault(node, words)

    def _is_in_turn(self, node: ast.expr) -> bool:
        """Tell whether parts of an expression that may fault are reached in some cases only."""
        match node:
            case ast.BoolOp(_, [_, *later]):
                pass
            case ast.IfExp(_, body, orelse):
                later = [body, orelse]
            case ast.Compare(_, [_, *_], [_, *later]):
                pass
            case _:
                return False
        return any(self._is_watched(part) for each in later for part in ast.walk(each))

    def _in_turn(self, node: ast.expr) -> str:
        """Write an expression out part by part, each where Python would reach it; return its number."""
        result, _ = self._names()
        match node:
            case ast.BoolOp(joining, values):
                self._line(f"{result} = {self.number(values[0])}")
                test = f"if {result} != 0:" if isinstance(joining, ast.And) else f"if {result} == 0:"
                self._nested(test, result, values[1:])
            case ast.IfExp(test_of, body, orelse):
                with self._within(f"if {self.truth(test_of)}:"):
                    self._line(f"{result} = {self.number(body)}")
                with self._within("else:"):
                    self._line(f"{result} = {self.number(orelse)}")
            case ast.Compare(left, operators, others):
                depth, before = self._depth, self.number(left)
                self._line(f"{result} = 0")
                for operator, other in zip(operators, others, strict=True):
                    _, operand = self._names()
                    self._line(f"{operand} = {self.number(other)}")
                    self._line(f"if {before} {OPERATORS[type(operator)]} {operand}:")
                    self._depth, before = self._depth + 1, operand
                self._line(f"{result} = 1")
                self._depth = depth
        return result

    def _nested(self, test: str, result: str, values: list[ast.expr]) -> None:
        depth = self._depth
        for value in values:
            self._line(test)
            self._depth += 1
            self._line(f"{result} = {self.number(value)}")
        self._depth = depth

    def _guarded(self, left: ast.expr, operator: ast.operator, right: ast.expr) -> str:
        """Write an operation that makes `ok` 0 where it cannot be done; return what it gives, then 0."""
        of, by = self.number(left), self.number(right)
        result, operand = self._names()
        self._line(f"{operand} = {by}")
        is_shift = isinstance(operator, ast.LShift | ast.RShift)
        can = f"0 <= {operand} <= {SHIFT_MAX}" if is_shift else f"{operand} != 0"
        with self._within(f"if {can}:"):
            self._line(f"{result} = {of} {OPERATORS[type(operator)]} {operand}")
        with self._within("else:"):
            self._line(f"{result} = 0")
            self._line("ok = 0")
        return result

    def _names(self) -> tuple[str, str]:
        """Return new names for what an operation gives and for its second operand."""
        self._watched += 1
        return f"result_{self._watched - 1}", f"operand_{self._watched - 1}"
