"""The query of an address: every parameter is named, given once, and has a value, or it is refused.

A filter that nobody reads as its writer meant it widens what is asked for: `?owner=5&kind=`
would reach what is of any kind. All doors read their queries here and nowhere else.
"""

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote_to_bytes

QUERY = "query"
"""What a fault names that is about no single parameter."""
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class QueryFault(ValueError):  # noqa: N818 - an answer, not a fault of ours
    """A query that cannot be taken as written: the parameter, what it says, and the mend."""

    def __init__(self, parameter: str, value: str, detail: str) -> None:
        super().__init__(f"{parameter} {value[:64]!r}: {detail}")
        self.parameter = parameter
        self.value = value
        self.detail = detail


def parameters(query: str) -> dict[str, str]:
    """Return the parameters of a query as sent, percent-encoded; raise QueryFault where one is no value."""
    found: dict[str, str] = {}
    for part in query.split("&") if query else ():
        raw_name, _, raw_value = part.partition("=")
        name = _decoded(raw_name, QUERY)
        if not name:
            raise QueryFault(QUERY, part, "a parameter without a name; give NAME=VALUE, with & between two")
        value = _decoded(raw_value, name)
        if name in found:
            raise QueryFault(name, value, "is given more than once; give it once")
        if not value:
            raise QueryFault(name, value, "is empty; give it a value, or leave it out")
        found[name] = value
    return found


def refuse_unknown(given: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse the first parameter that nobody reads: a misspelt filter must not widen an answer."""
    for name, value in given.items():
        if name not in known:
            listed = ", ".join(known) or "none"
            raise QueryFault(name[:64], value, f"unknown parameter; known here: {listed}")


def _decoded(raw: str, parameter: str) -> str:
    if _BROKEN_ESCAPE.search(raw):
        raise QueryFault(parameter, raw, "has a % that two hexadecimal digits do not follow; write %25 for %")
    try:
        return unquote_to_bytes(raw.replace("+", " ")).decode()
    except UnicodeError:
        raise QueryFault(parameter, raw.encode(errors="replace").decode(), "is not UTF-8") from None
