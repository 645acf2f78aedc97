"""Mutants: copies of a module in which one comparison, number, sign or flag is another one.

A mutant is named by what it changes, not by a line, so that its name stays when other code moves.
"""

import ast
import copy
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from ringbuf.kernel_cache import ROOT

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
"""Each comparison and its neighbour."""
SIGNS: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
Change = Callable[[Any], None]
"""What changes a node of a tree."""


class Mutant(NamedTuple):
    """One change of a module."""

    module: str  # as engine.payments.rules.card
    place: str  # a function, or what the module assigns outside of them
    before: str
    after: str
    occurrence: int  # of the same change in the function, from 0

    def __str__(self) -> str:
        more = f" ({self.occurrence + 1})" if self.occurrence else ""
        return f"{self.module}:{self.place}: {self.before} -> {self.after}{more}"


class _Site(NamedTuple):
    """Where a tree is changed: the number of the node in `ast.walk`, and which change of it."""

    node: int
    change: int


def tree_of(module: str) -> ast.Module:
    """Return the syntax tree of a module of ours."""
    return ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())


def mutants_of(module: str, only: Sequence[str] = (), without: Sequence[str] = ()) -> list[Mutant]:
    """Return the mutants of a module; only : in these places, left empty in all; without : not in these."""
    found = (mutant for mutant, _ in _mutants_and_sites(module))
    return [each for each in found if (not only or each.place in only) and each.place not in without]


def code_of(mutant: Mutant) -> CodeType:
    """Return the changed module, compiled."""
    site = next(site for each, site in _mutants_and_sites(mutant.module) if each == mutant)
    tree = tree_of(mutant.module)
    node = list(ast.walk(tree))[site.node]
    _changes(node)[site.change][1](node)
    return compile(ast.fix_missing_locations(tree), f"<{mutant}>", "exec")


def _mutants_and_sites(module: str) -> Iterator[tuple[Mutant, _Site]]:
    tree = tree_of(module)
    places = dict(_places(tree))
    skipped = set(_skipped(tree))
    seen: Counter[tuple[str, str, str]] = Counter()
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in skipped or id(node) not in places:
            continue
        for change, (after, _) in enumerate(_changes(node)):
            key = (places[id(node)], ast.unparse(node), after)
            yield Mutant(module, *key, seen[key]), _Site(number, change)
            seen[key] += 1


def _places(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield of every node the function, or the method, or the name outside of both, that it belongs to."""
    for statement in ast.walk(tree):
        name = None
        if isinstance(statement, ast.FunctionDef):
            name = statement.name
        elif statement in tree.body and isinstance(statement, ast.Assign | ast.AnnAssign):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            name = ast.unparse(target)
        if name is not None:
            for node in ast.walk(statement):
                yield id(node), name


def _skipped(tree: ast.Module) -> Iterator[int]:
    """Yield the nodes that decide nothing: assertions, and types."""
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Assert):
            parts = [node]
        elif isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            parts = [node.returns, *node.decorator_list]
        for part in parts:
            yield from (id(each) for each in ast.walk(part))


def _changes(node: ast.AST) -> list[tuple[str, Change]]:
    """Return the changes of one node: how it reads then, and what makes it so."""
    changes: list[Change] = []
    if isinstance(node, ast.Compare):
        ops = [(at, COMPARISONS.get(type(op))) for at, op in enumerate(node.ops)]
        changes = [partial(_compare_by, at, op) for at, op in ops if op is not None]
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        changes = [partial(_give, "value", node.value + step) for step in (1, -1)]
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        changes = [partial(_give, "value", not node.value)]
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SIGNS:
        changes = [partial(_give, "op", SIGNS[type(node.op)]())]
    return [(_as_changed(node, change), change) for change in changes]


def _compare_by(at: int, op: type[ast.cmpop], node: ast.Compare) -> None:
    node.ops[at] = op()


def _give(name: str, value: Any, node: ast.AST) -> None:
    setattr(node, name, value)


def _as_changed(node: ast.AST, change: Change) -> str:
    changed = copy.deepcopy(node)
    change(changed)
    return ast.unparse(changed)


class MutantFinder(MetaPathFinder, Loader):
    """Imports one module as a mutant: put it in front of `sys.meta_path` before anybody imports it."""

    def __init__(self, mutant: Mutant) -> None:
        assert mutant.module not in sys.modules, f"{mutant.module} is loaded already"
        self._module = mutant.module
        self._code = code_of(mutant)

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return how to load the mutant."""
        if name != self._module:
            return None
        origin = str(Path(ROOT, *name.split(".")).with_suffix(".py"))
        return ModuleSpec(name, self, origin=origin)

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed module."""
        module.__file__ = module.__spec__.origin if module.__spec__ else None
        exec(self._code, module.__dict__)  # a module of ours, with one change
