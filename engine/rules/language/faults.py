"""What is wrong with a rule, as its author is told it: where, and how to mend it."""

import ast

from engine.contract.errors import ToldError


class RuleFault(ToldError):  # noqa: N818  a fault of its author's, no error of ours
    """A rule that is not taken.

    rule : its name; "" where the fault lies outside every rule, or before its name is known
    line : in its file, from 1
    """

    def __init__(self, rule: str, line: int, reason: str, file_name: str = "") -> None:
        of = f"rule {rule}: " if rule else ""
        super().__init__(f"{file_name}:{line}: {of}{reason}")
        self.rule = rule
        self.line = line
        self.reason = reason
        self.file_name = file_name


SHOWN_CHARACTERS_MAX = 60


def shown(node: ast.AST) -> str:
    """Return a part of a source as a fault quotes it."""
    try:
        text = ast.unparse(node).partition("\n")[0]
    except ValueError:  # Python does not write out a number of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]}.."


class NotAllowedError(Exception):
    """A part of a source that a rule may not have; whoever knows rule and file makes it a RuleFault."""

    def __init__(self, node: ast.AST, reason: str) -> None:
        super().__init__(reason)
        self.line: int = getattr(node, "lineno", 1)
        self.reason = reason
