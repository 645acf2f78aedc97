"""A rule run by plain Python on numbers that watch themselves: what leaves 64 bits fails.

It knows nothing of ranges: it is what the check of a rule is held against.
"""

import ast
import copy
from collections.abc import Callable
from typing import Any

from engine.rules.language.source import UserRule
from engine.rules.vocabulary import INT64_MAX, INT64_MIN

OPERATIONS = ("add", "sub", "mul", "floordiv", "mod", "pow", "lshift", "rshift", "and", "or", "xor")


class Watched(int):
    """A whole number whose operations give such numbers again, within 64 bits."""

    def __new__(cls, value: int) -> "Watched":
        assert INT64_MIN <= value <= INT64_MAX, f"{value} leaves 64 bits"
        return super().__new__(cls, value)


def _watching(name: str) -> Callable[..., Watched]:
    operation = getattr(int, name)

    def watching(self: int, *others: int) -> Watched:
        result = operation(self, *map(int, others))
        assert type(result) is int, f"{name} gave {result!r}"
        return Watched(result)

    return watching


for _name in (*OPERATIONS, *(f"r{each}" for each in OPERATIONS), "neg", "pos", "abs"):
    setattr(Watched, f"__{_name}__", _watching(f"__{_name}__"))


class _Wrapped(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, int):
            return node
        return ast.Call(ast.Name("Watched", ast.Load()), [ast.Constant(int(node.value))], [])

    def visit_For(self, node: ast.For) -> ast.AST:
        node.body = [self.visit(each) for each in node.body]  # how often it runs is no number of the rule
        return node


def watched(rule: UserRule) -> Callable[[Any, Any, Any], bool]:
    """Return a rule as a function of objects with attributes that are Watched; its literals are too."""
    function = _Wrapped().visit(copy.deepcopy(rule.function))
    words = rule.vocabulary
    names: dict[str, Any] = {
        "Watched": Watched,
        **{name: Watched(each) for name, each in words.constants.items()},
    }
    names |= {name: lambda text, of=of: Watched(of(text)) for name, of in words.functions.items()}
    exec(compile(ast.fix_missing_locations(ast.Module([function], [])), rule.file_name, "exec"), names)
    return lambda p, ctx, params: bool(names[rule.function.name](p, ctx, params))
