"""Poisonous commands: one that kills the worker is noticed at the second death, and not applied forever.

The state's `seq` is set when a command begins, the loop's `applied` when it is done. A worker
that died between the two died at that command; a worker that was killed while idle did not.
"""

from typing import Any


class Deaths:
    """The worker's deaths in a row at one seq."""

    def __init__(self) -> None:
        self._last = 0

    def note(self, s: Any, loop: Any) -> int | None:
        """Note a death of the worker; return the seq at which it was the second in a row, else None.

        s, loop : the state record and the loop's record as the dead worker left them
        """
        seq = int(s["seq"])
        is_within = seq > int(loop["applied"])
        is_second = is_within and seq == self._last
        self._last = seq if is_within else 0
        return seq if is_second else None
