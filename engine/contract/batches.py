"""How batches of commands are applied, whoever applies them: hints ahead, events taken in bursts.

    prepare(s, command, stage, place)   for the commands FIRST_AHEAD (stage 0), SECOND_AHEAD (1) and
                                        THIRD_AHEAD (2) places ahead
    apply(s, command, ...)              appends the command's events, in slots, to those waiting in `s.out`

`place` is the command's seq modulo PLACES: until its turn the place is the command's alone, for what one
stage of hints leaves to the next. `apply` may look there first for what it would have to find, and must
see in the state itself that it is the right thing: notes decide nothing, they may be of another command.
Commands are applied until their events take more than BURST_SLOTS slots (engine/contract/spread.py); then
these are moved together, hashed (engine/contract/event_hash.py) and forgotten. So `s.out` has room for
BURST_SLOTS slots and for all that one command can make.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from ringbuf.kernel import bind, inlined, kernel
from ringbuf.seqlock import close_version

FIRST_AHEAD, SECOND_AHEAD, THIRD_AHEAD = 12, 8, 4
PLACES = 16
BURST_SLOTS = 8
"""Readers that spin on a ring's cursors cost its writer a cache miss at every store there, so few
stores are better; long bursts make the last command of each slow."""

assert PLACES > FIRST_AHEAD
assert PLACES & (PLACES - 1) == 0

prepare: Callable[..., None]
"""What an application brings: `build_hint` binds it to a copy of `_hint`."""


def _hint(s: Any, entries: Any, at: int, end: int, mask: int) -> None:
    """Give the hints that are due when the command of entries[at] is the next to be applied.

    Parameters
    ----------
    entries : array of journal entries, the commands' records
    at, end : int64, the commands known lie there and behind it, before `end`
    mask : int64, of the entries' ring; -1: they are no ring
    """
    if at + FIRST_AHEAD < end:
        entry = entries[(at + FIRST_AHEAD) & mask]
        prepare(s, entry.command, 0, entry.seq & (PLACES - 1))  # noqa: F821  bound by build_hint
    if at + SECOND_AHEAD < end:
        entry = entries[(at + SECOND_AHEAD) & mask]
        prepare(s, entry.command, 1, entry.seq & (PLACES - 1))  # noqa: F821  bound by build_hint
    if at + THIRD_AHEAD < end:
        entry = entries[(at + THIRD_AHEAD) & mask]
        prepare(s, entry.command, 2, entry.seq & (PLACES - 1))  # noqa: F821  bound by build_hint


@cache
def build_hint(name: str, prepare: Any) -> Any:
    """Return `_hint` for one application: its name, under which the kernel is cached, and its `prepare`."""
    return bind(_hint, f"hint_{name}", {"prepare": prepare}, inlined)


@kernel
def close_versions(s: Any, seq: int) -> None:
    """Close the versions of records that the application opened (protocol rule 8)."""
    left = s.opened_count
    while left > 0:  # numba's range costs twice as much
        left -= 1
        close_version(s.version, s.opened[left], seq)
    s.opened_count = 0
