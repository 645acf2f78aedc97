"""Rules for an engine of this process: files offered to its kernels, and what offered rules are called."""

from collections.abc import Mapping

from engine.rules.language.source import read_set
from engine.rules.loader import offer, offered
from engine.trading.rules.vocabulary import VOCABULARY


def offer_rules(files: Mapping[str, str]) -> bytes:
    """Let commands of this process name a set of rules; return its hash, as RULES_REGISTER carries it.

    files : name -> text
    Raises the first RuleFault of a file that is not taken.

    Example
    -------
    >>> import numpy as np, pinion
    >>> text = '''from pinion import rule
    ... @rule("max_clip", reason="MAX_CLIP")
    ... def max_clip(order, ctx, params):
    ...     return order.qty > 500
    ... '''
    >>> source = pinion.offer_rules({"clip.py": text})
    >>> commands = np.zeros(2, pinion.COMMAND)
    >>> commands["op"] = pinion.Op.RULES_REGISTER, pinion.Op.RULES_ACTIVATE
    >>> commands["version"], commands["roles"] = 1, pinion.Role.ALL
    >>> commands["px"], commands["qty"] = np.frombuffer(source, "<i8")
    >>> [pinion.EventKind(kind).name for kind in pinion.simulate(commands)["kind"]]
    ['RULES', 'RULES']
    """
    return offer(read_set(files, VOCABULARY))


def labels_of_offered(source: bytes) -> tuple[tuple[str, str], ...]:
    """Return name and reason of each rule of an offered set, by its hash; none where it was not offered."""
    return tuple((rule.name, rule.code) for rule in offered(source))
