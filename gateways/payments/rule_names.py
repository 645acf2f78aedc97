"""The names of user rules, which records have as numbers: of a set, by its id."""

import logging
from collections.abc import Callable
from pathlib import Path

from engine.payments.records import RULES, USER_RULE_FIRST, Rule
from engine.payments.view.rules_view import RulesView
from engine.rules.stored import SourceFileError, names_in

log = logging.getLogger(__name__)
Names = tuple[str, ...]
UserNames = Callable[[int], Names]
"""Returns the names of the user rules of a set."""


def no_user_rules(ruleset: int) -> Names:
    """Return the names of a set where no set has user rules."""
    return ()


class StoredNames:
    """Names out of the sources in a data folder; ids are never given twice, so what was read stays.

    folder : of sources
    rules : the sets that the state keeps; a set that gave way before its names were wanted has none
    """

    def __init__(self, folder: Path, rules: Callable[[], RulesView]) -> None:
        self._folder = folder
        self._rules = rules
        self._known: dict[int, Names] = {}

    def __call__(self, ruleset: int) -> Names:
        """Return the names of a set."""
        known = self._known.get(ruleset)
        return self._read(ruleset) if known is None else known

    def _read(self, ruleset: int) -> Names:
        found = self._rules().find(ruleset)
        if found is None:
            return ()
        names: Names = ()
        if found.source:
            try:
                names = names_in(self._folder, bytes.fromhex(found.source))
            except SourceFileError as error:
                log.error("%s; numbers stand for the names of its rules", error)
        self._known[ruleset] = names
        return names


def rule_name(rule: int, names: Callable[[], Names]) -> str | None:
    """Return the name of a rule by its number; names : of the user rules of its set, where it is one."""
    if rule < USER_RULE_FIRST:
        return RULES[rule - 1] if rule > 0 else None
    return user_rule_name(rule - USER_RULE_FIRST, names())


def matched_names(matched: int, user_matched: int, names: Callable[[], Names]) -> Names:
    """Return the names of rules of which a bit each is set, in the order of the table."""
    found = [RULES[rule - 1] for rule in Rule if matched >> rule & 1]
    if user_matched:
        known, bits = names(), user_matched & (2**64 - 1)
        users = [user_rule_name(number, known) for number in range(bits.bit_length()) if bits >> number & 1]
        at = len(found) - (found[-1:] == [RULES[-1]])  # the balance is judged last
        found[at:at] = users
    return tuple(found)


def user_rule_name(number: int, names: Names) -> str:
    """Return the name of a user rule by its place in its set, the place where nobody knows the name."""
    return names[number] if number < len(names) else f"user_rule_{number}"
