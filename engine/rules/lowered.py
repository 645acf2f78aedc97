"""A checked rule as plain int64 code: fields are items of arrays, constants are numbers, conditions 0 or 1.

What Python means by a source and what is written here for it are the same, value by value: the check has
shown that no number leaves 64 bits and that no divisor is 0. An expression is written as its number or as
its truth, so that the compiler never meets one that is sometimes a number and sometimes a condition.
"""

import ast
from collections.abc import Iterator, Mapping

from engine.rules.language.check import assigned_in, assignment
from engine.rules.language.scope import CTX, PARAMS, P
from engine.rules.language.source import UserRule
from engine.rules.vocabulary import PARAMS_MAX

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
    """Return a rule as `def rule_N(p, ctx, params, p_at, ctx_at)`, which returns 0 or 1; N: its number."""
    writer = _Writer(rule, number)
    begun = [f"{local(name)} = 0" for name in sorted(assigned_in(rule.function))]
    lines = [
        f"def rule_{number}({P}, {CTX}, {PARAMS}, {P_AT}, {CTX_AT}):  # {rule.name}",
        *(INDENT + line for line in (*begun, *writer.block(rule.function.body), "return 0")),
    ]
    return "\n".join(lines)


def local(name: str) -> str:
    """Return a local's name in the code: none of ours begins like it."""
    return f"v_{name}"


class _Writer:
    """Writes the parts of one rule."""

    def __init__(self, rule: UserRule, number: int) -> None:
        words = rule.vocabulary
        self._rule = rule
        self._places = {
            P: {name: f"{P}[{P_AT} + {place}]" for place, name in enumerate(words.fields)},
            CTX: {name: f"{CTX}[{CTX_AT} + {place}]" for place, name in enumerate(words.context)},
            PARAMS: {
                name: f"{PARAMS}[{number * PARAMS_MAX + place}]" for place, name in enumerate(rule.params)
            },
        }

    def block(self, statements: list[ast.stmt]) -> Iterator[str]:
        """Yield the lines of statements."""
        for statement in statements:
            yield from self._statement(statement)

    def _statement(self, statement: ast.stmt) -> Iterator[str]:
        match statement:
            case ast.Return(value):
                yield f"return {'0' if value is None else f'(1 if {self.truth(value)} else 0)'}"
            case ast.If(test, body, orelse):
                yield f"if {self.truth(test)}:"
                yield from (INDENT + line for line in self.block(body))
                yield from ("else:", *(INDENT + line for line in self.block(orelse))) if orelse else ()
            case ast.For(_, ast.Call(_, [rounds]), body):
                yield f"for _ in range({self.number(rounds)}):"
                yield from (INDENT + line for line in self.block(body))
            case ast.Assign() | ast.AugAssign():
                names, value = assignment(statement)
                yield f"{' = '.join(map(local, names))} = {self.number(value)}"
            case _:
                yield "pass"

    def truth(self, node: ast.expr) -> str:
        """Return whether an expression counts as true."""
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
