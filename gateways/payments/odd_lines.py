"""What is odd about lines of set-up that are taken: values, and params of user rules that nobody has."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from engine.payments.records import RULES
from engine.rules.stored import params_of_all
from gateways.payments.setup_lines import SetupLine
from gateways.payments.values import may_hold_pan

BASE_RULE = (
    "is a base rule: its limit stands in [payments.rules], and it has no params; these count for nothing"
)
UNKNOWN_RULE = "no set that was registered has a rule of this name; it counts once one that governs has"


class SetupWarning(NamedTuple):
    """What is odd about a line that is taken: its number, the field, and what that means."""

    line: int
    field: str
    detail: str


def odd_lines(lines: Sequence[SetupLine], folder: Path) -> list[SetupWarning]:
    """Return what is odd, line by line; folder : of the sets that are stored.

    A merchant may be set up before the rules are, so a line with params that no set has is taken: they count
    once one has them.
    """
    known = params_of_all(folder) if any(line.params for line in lines) else {}
    return [
        SetupWarning(line.number, "params.(not shown)" if may_hold_pan(field) else field, detail)
        for line in lines
        for field, detail in chain(line.odd, _odd_params(line.params, known))
    ]


def _odd_params(
    params: Mapping[str, Sequence[str]], known: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, str]]:
    """Yield what is odd of the params of a line."""
    for rule, names in params.items():
        yield from _odd_of_rule(rule, names, known)


def _odd_of_rule(
    rule: str, params: Sequence[str], known: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, str]]:
    """Yield what is odd of the params of one rule: the field, and what that means."""
    if rule in RULES:
        yield f"params.{rule}", BASE_RULE
    elif rule not in known:
        yield f"params.{rule}", UNKNOWN_RULE
    else:
        has = ", ".join(sorted(known[rule])) or "none"
        for param in params:
            if param not in known[rule]:
                yield f"params.{rule}.{param}", f"{rule} has no such param in any set; it has {has}"
