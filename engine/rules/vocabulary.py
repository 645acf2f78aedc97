"""What a rule may speak of: the numbers that it is given, in their order, and the names that it imports.

A rule is a function `(p, ctx, params)` of integers. `p` is what is asked, `ctx` what the engine knows beside
it, `params` what its author may change without touching the rule. An application says which there are.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
RULES_MAX = 64
"""Rules of a set: what they found is one bit each of an int64."""
NAME_CHARACTERS_MAX = 48
IS_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{NAME_CHARACTERS_MAX - 1}}}")
"""What a rule, and a param of one, is called."""
IS_REASON = re.compile(rf"[A-Z][A-Z0-9_]{{0,{NAME_CHARACTERS_MAX - 1}}}")
"""What a rule that refuses gives as its own reason."""
PARAMS_MAX = 8
"""Params of a rule."""
TEXT_CHARACTERS_MAX = 256 * 1024
"""Characters of a file of rules."""


class Range(NamedTuple):
    """The least and the most that a number can be, both included."""

    least: int
    most: int


P, CTX, PARAMS = "p", "ctx", "params"
INT64 = Range(INT64_MIN, INT64_MAX)
BIT = Range(0, 1)
PARAM = Range(-(10**12), 10**12)
"""Every param lies in here: as large as an amount can be, so that hours times 3,600,000 still fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words of an application's rules.

    fields, context : of `p` and `ctx`, in the order in which they lie in the arrays that a rule is given
    constants : names that stand for a number
    functions : names that make a number of a text when the rule is read; ValueError where they cannot
    actions : what a rule can ask for where it matches, and the number of that
    codes : action -> the code that goes with it
    taken : names that no rule may have
    module : what all these names are imported from
    subject : what the first argument of a rule is called
    is_refusing : a rule has a reason of its own in place of code and action, and the first one that matches
        refuses. What one cannot compute, for it divides by 0 or shifts too far, refuses too, as its fault
    """

    fields: Mapping[str, Range]
    context: Mapping[str, Range]
    constants: Mapping[str, int]
    functions: Mapping[str, Callable[[str], int]]
    actions: Mapping[str, int]
    codes: Mapping[str, str]
    taken: frozenset[str] = frozenset()
    module: str = "pinion"
    subject: str = P
    is_refusing: bool = False

    def __post_init__(self) -> None:
        """Assert that every number fits into 64 bits and every action has a code."""
        for least, most in (*self.fields.values(), *self.context.values()):
            assert INT64_MIN <= least <= most <= INT64_MAX
        assert all(INT64_MIN <= number <= INT64_MAX for number in self.constants.values())
        assert self.actions.keys() == self.codes.keys()

    @property
    def arguments(self) -> tuple[str, str, str]:
        """What the arguments of a rule are called."""
        return self.subject, CTX, PARAMS

    @property
    def names(self) -> frozenset[str]:
        """What a file of rules may import, but for the decorator."""
        return frozenset((*self.constants, *self.functions, *self.actions))
