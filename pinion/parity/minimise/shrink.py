"""Delta debugging: what of a sequence is not needed for its last item to show what it shows.

Pieces are left out, large ones first, until no single item can be. Zeller and Hildebrandt, "Simplifying and
Isolating Failure-Inducing Input" (2002), without their tries of one piece alone, which rarely suffices here.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def shrunk(items: Sequence[Item], shows: Callable[[list[Item]], bool]) -> list[Item]:
    """Return a part of a sequence that shows it still, from which no item before the last can be left out.

    shows : tells whether a part shows it; the whole does
    """
    *rest, last = items
    size = len(rest)
    while size:
        begin, was = 0, len(rest)
        while begin < len(rest):
            fewer = rest[:begin] + rest[begin + size :]
            if shows([*fewer, last]):
                rest = fewer
            else:
                begin += size
        if size > 1:
            size = min(size // 2, max(len(rest), 1))
        elif len(rest) == was:
            break
    return [*rest, last]
