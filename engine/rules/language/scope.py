"""What the names in a rule mean while it is checked: its words, its params, and its locals so far."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from engine.rules.language.faults import NotAllowedError, shown
from engine.rules.vocabulary import CTX, PARAMS, Range, Vocabulary

DECORATOR = "rule"
BUILT_IN = frozenset({"abs", "max", "min", "range"})
"""What a rule may call without an import."""

Locals = dict[str, Range]


@dataclass(frozen=True, slots=True)
class Scope:
    """Names and their ranges at one place of a rule.

    imported : of the vocabulary's names those that the file imports
    params : their ranges
    assigned : all names that the rule gives a value to anywhere
    locals : those that surely have one here, and between which numbers it lies
    """

    vocabulary: Vocabulary
    imported: frozenset[str]
    params: Mapping[str, Range]
    assigned: frozenset[str]
    locals: Locals

    def at(self, locals_here: Locals) -> "Scope":
        """Return the scope of another place of the rule."""
        return replace(self, locals=locals_here)

    def name(self, node: ast.Name) -> Range:
        """Return the range of a local or a constant."""
        if node.id in self.locals:
            return self.locals[node.id]
        if node.id in self.assigned:
            raise NotAllowedError(
                node,
                f"{node.id} is not set on every path that leads here; give it a value before the branches",
            )
        value = self.constant(node)
        return Range(value, value)

    def constant(self, node: ast.Name) -> int:
        """Return the number of a constant."""
        vocabulary = self.vocabulary
        if node.id in vocabulary.constants:
            if node.id in self.imported:
                return vocabulary.constants[node.id]
            raise NotAllowedError(
                node, f"{node.id} is not imported; write `from {vocabulary.module} import {node.id}`"
            )
        if node.id in vocabulary.arguments:
            raise NotAllowedError(node, f"{node.id} is no number; name what you mean, as `{node.id}.NAME`")
        if node.id in (*vocabulary.functions, *vocabulary.actions, *BUILT_IN):
            raise NotAllowedError(node, f"{node.id} is no number here")
        near = hint(node.id, (*self.locals, *vocabulary.constants))
        raise NotAllowedError(
            node,
            f"{node.id} is no local of the rule and no constant of {vocabulary.module}{near}; "
            f"a rule reads no globals: put the number into the rule, or into its params",
        )

    def attribute(self, node: ast.Attribute) -> Range:
        """Return the range of a field of `ctx` or of what is asked, or of a param."""
        of = node.value.id if isinstance(node.value, ast.Name) else ""
        words = self.vocabulary
        known = {words.subject: words.fields, CTX: words.context, PARAMS: self.params}.get(of)
        if known is None:
            raise NotAllowedError(
                node, f"{shown(node)}: only {words.subject}, ctx and params have attributes in a rule"
            )
        if node.attr not in known:
            raise NotAllowedError(
                node,
                f"{of} has no {node.attr}{hint(node.attr, known)}; it has {', '.join(known) or 'none'}",
            )
        return known[node.attr]


def hint(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """Return the nearest known name as a question, "" where none is near."""
    near = get_close_matches(name, list(known), 1)
    return f" (did you mean {near[0]}?)" if near else ""
