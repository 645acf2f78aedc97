"""How batches of commands are applied, whoever applies them: hints ahead, events taken in bursts.

    prepare(s, command, stage, place)   for the command (STAGES - stage) * STRIDE places ahead
    apply(s, command, ...)              appends the command's events to those waiting in `s.out`

`place` is a number below PLACES that is the command's alone until its turn, for what one stage of
hints leaves to the next. Commands are applied until more than BURST_EVENTS events wait; then these
are taken together and `s.out_count` is set to 0. So `s.out` has room for BURST_EVENTS events and
all that one command can make.
"""

from typing import Any

from ringbuf.kernel import kernel
from ringbuf.seqlock import close_version

STAGES = 3
STRIDE = 4
PLACES = 16
BURST_EVENTS = 8
"""Readers that spin on a ring's cursors cost its writer a cache miss at every store there, so few
stores are better; long bursts make the last command of each slow."""

assert PLACES > STAGES * STRIDE
assert PLACES & (PLACES - 1) == 0


@kernel
def close_versions(s: Any, seq: int) -> None:
    """Close the versions of records that the application opened (protocol rule 8)."""
    left = s.opened_count
    while left > 0:  # numba's range costs twice as much
        left -= 1
        close_version(s.version, s.opened[left], seq)
    s.opened_count = 0
