"""The files of tests/rule_sets/: offered to the engine of this process, as plain functions to the oracle."""

from functools import cache
from importlib import import_module
from pathlib import Path

from engine.rules.language.source import UserRule, read
from engine.rules.loader import offer
from engine.trading.rules.vocabulary import VOCABULARY
from tests.oracle_rules import PLAIN_SETS, PlainRule

FOLDER = Path(__file__).parent / "rule_sets"


def text_of(name: str) -> str:
    """Return the text of a file."""
    return (FOLDER / f"{name}.py").read_text()


@cache
def rules_named(name: str) -> tuple[UserRule, ...]:
    """Return the rules of a file as the engine reads them."""
    return read(text_of(name), VOCABULARY, f"{name}.py")


@cache
def source_named(name: str) -> str:
    """Return the hash of a file, once both sides know it.

    The oracle runs the very functions that stand in the file, imported as Python does.
    """
    rules = rules_named(name)
    source = offer(rules).hex()
    module = import_module(f"tests.rule_sets.{name}")
    PLAIN_SETS[source] = [
        PlainRule(rule.name, rule.code, dict(rule.params), getattr(module, rule.name)) for rule in rules
    ]
    return source


def offer_all() -> dict[str, str]:
    """Return the hash of every file, once both sides know it."""
    names = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    return {name: source_named(name) for name in names}
