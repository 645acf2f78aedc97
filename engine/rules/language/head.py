"""The head of a rule: what `@rule(..)` says, and the shape of the function below it."""

import ast
import keyword
from collections.abc import Mapping
from dataclasses import dataclass

from engine.rules.language.expressions import is_constant, range_of
from engine.rules.language.faults import NotAllowedError, shown
from engine.rules.language.scope import DECORATOR, Scope, hint
from engine.rules.vocabulary import IS_NAME, IS_REASON, NAME_CHARACTERS_MAX, PARAM, PARAMS_MAX, Vocabulary

WORDS = ("code", "action", "params")
WORDS_OF_REFUSAL = ("reason", "params")
EXAMPLE = '@rule("name", code="CODE", action=ACTION, params={"limit": 1})'
EXAMPLE_OF_REFUSAL = '@rule("name", reason="REASON", params={"limit": 1})'


def _example(scope: Scope) -> str:
    return EXAMPLE_OF_REFUSAL if scope.vocabulary.is_refusing else EXAMPLE


def _shape(vocabulary: Vocabulary) -> str:
    return f"def name({', '.join(vocabulary.arguments)}):"


@dataclass(frozen=True, slots=True)
class RuleHead:
    """What a rule says of itself.

    code : of a rule that refuses its reason; action : of such a one ""
    params : name -> what it is where nobody says another
    """

    name: str
    code: str
    action: str
    params: Mapping[str, int]


def head_of(function: ast.FunctionDef, scope: Scope) -> RuleHead:
    """Return the head of a rule; scope : of the file, without locals and params."""
    call = _decorator(function, scope)
    _require_shape(function, scope.vocabulary)
    is_refusing = scope.vocabulary.is_refusing
    words = WORDS_OF_REFUSAL if is_refusing else WORDS
    given = {each.arg or "**": each.value for each in call.keywords}
    for word, value in given.items():
        if word not in words:
            raise NotAllowedError(value, f"@rule has no {word}{hint(word, words)}; write {_example(scope)}")
    if len(call.args) != 1 or not set(words[:-1]) <= given.keys():
        said = "its name and reason" if is_refusing else "its name, code and action"
        raise NotAllowedError(call, f"@rule says {said}; write {_example(scope)}")
    name = _name(call.args[0], scope)
    action = "" if is_refusing else _action(given["action"], scope)
    code = _reason(given["reason"]) if is_refusing else _code(given["code"], action, scope)
    return RuleHead(name, code, action, _params(given["params"], scope) if "params" in given else {})


def name_of(function: ast.FunctionDef) -> str:
    """Return by what name a fault tells a rule: what its head says, else that of its function."""
    for each in function.decorator_list:
        for value in each.args[:1] if isinstance(each, ast.Call) else ():
            name = value.value if isinstance(value, ast.Constant) else None
            if isinstance(name, str) and IS_NAME.fullmatch(name):
                return name
    return function.name


def _decorator(function: ast.FunctionDef, scope: Scope) -> ast.Call:
    if len(function.decorator_list) != 1:
        raise NotAllowedError(
            function, f"every function in a file of rules has one decorator, {_example(scope)}"
        )
    (call,) = function.decorator_list
    is_rule = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == DECORATOR
    if not isinstance(call, ast.Call) or not is_rule:
        raise NotAllowedError(call, f"@{shown(call)}: the one decorator is {_example(scope)}")
    if DECORATOR not in scope.imported:
        module = scope.vocabulary.module
        raise NotAllowedError(call, f"rule is not imported; write `from {module} import {DECORATOR}` above")
    return call


def _require_shape(function: ast.FunctionDef, vocabulary: Vocabulary) -> None:
    """Raise NotAllowedError where a function does not take what a rule is given."""
    of = function.args
    names = tuple(each.arg for each in of.args)
    others = (*of.posonlyargs, *of.kwonlyargs, *of.defaults, *of.kw_defaults, of.vararg, of.kwarg)
    if names != vocabulary.arguments or any(each is not None for each in others):
        raise NotAllowedError(
            function,
            f"a rule takes {', '.join(vocabulary.arguments)} and no defaults; write `{_shape(vocabulary)}`",
        )
    if getattr(function, "type_params", None):
        raise NotAllowedError(function, f"a rule has no type parameters; write `{_shape(vocabulary)}`")


def _name(node: ast.expr, scope: Scope) -> str:
    name = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(name, str) or not IS_NAME.fullmatch(name):
        raise NotAllowedError(
            node,
            f"{shown(node)}: the name of a rule is a text of a to z, 0 to 9 and _, a letter first, "
            f"{NAME_CHARACTERS_MAX} characters at most",
        )
    if name in scope.vocabulary.taken:
        raise NotAllowedError(node, f"{name} is the name of a rule that is built in; use another one")
    return name


def _action(node: ast.expr, scope: Scope) -> str:
    vocabulary = scope.vocabulary
    there_are = ", ".join(vocabulary.actions)
    if not isinstance(node, ast.Name) or node.id not in vocabulary.actions:
        raise NotAllowedError(node, f"action {shown(node)}: there are {there_are}, written without quotes")
    if node.id not in scope.imported:
        raise NotAllowedError(
            node, f"{node.id} is not imported; write `from {vocabulary.module} import {node.id}`"
        )
    return node.id


def _code(node: ast.expr, action: str, scope: Scope) -> str:
    wanted = scope.vocabulary.codes[action]
    if not isinstance(node, ast.Constant) or node.value != wanted:
        raise NotAllowedError(
            node, f'code {shown(node)}: the code of {action} is {wanted}; write code="{wanted}"'
        )
    return wanted


def _reason(node: ast.expr) -> str:
    reason = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(reason, str) or not IS_REASON.fullmatch(reason):
        raise NotAllowedError(
            node,
            f"reason {shown(node)}: a reason is a text of A to Z, 0 to 9 and _, a letter first, "
            f"{NAME_CHARACTERS_MAX} characters at most",
        )
    return reason


def _params(node: ast.expr, scope: Scope) -> Mapping[str, int]:
    if not isinstance(node, ast.Dict):
        raise NotAllowedError(node, 'params are a dict of names and whole numbers, as {"limit": 1}')
    params: dict[str, int] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name = key.value if isinstance(key, ast.Constant) else None
        if not isinstance(name, str) or not IS_NAME.fullmatch(name) or keyword.iskeyword(name):
            told = "**" if key is None else shown(key)
            raise NotAllowedError(
                key or value, f"param {told}: its name is a text of a to z, 0 to 9 and _, a letter first"
            )
        if name in params:
            raise NotAllowedError(key or value, f"param {name} is given twice; leave one out")
        params[name] = _default(name, value, scope)
    if len(params) > PARAMS_MAX:
        raise NotAllowedError(
            node, f"has {len(params)} params; {PARAMS_MAX} at most, so make two rules of it"
        )
    return params


def _default(name: str, node: ast.expr, scope: Scope) -> int:
    """Return what a param is where nobody says another: a number that is written out."""
    found = range_of(node, scope)
    if not is_constant(node, scope) or not PARAM.least <= found.least == found.most <= PARAM.most:
        raise NotAllowedError(
            node,
            f"param {name} = {shown(node)}: give a whole number from {PARAM.least} to {PARAM.most}",
        )
    return found.least
