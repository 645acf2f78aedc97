"""What a door and the process that makes user rules ready for it tell each other, as JSON."""

from collections.abc import Mapping

import msgspec


class RuleOrder(msgspec.Struct, frozen=True):
    """Files that shall be one set of rules, name -> text."""

    files: Mapping[str, str]


class Finished(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of an order: the hash of what was stored, or what is wrong with it.

    field : the rule at fault, or "files"
    """

    source: str = ""
    field: str = ""
    fault: str = ""
