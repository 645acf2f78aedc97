"""When processes that ended start again: soon at first, ever later while they keep ending."""

import time

from engine.runtime.children import Child

BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 5.0
SETTLED_S = 30.0
"""A process that ran for so long is taken for sound: its next restart is soon again."""


class Restarts:
    """The processes that are to start again; `name in restarts` tells whether one of this name is."""

    def __init__(self) -> None:
        self._due_at: dict[str, float] = {}
        self._backoff_s: dict[str, float] = {}

    def plan(self, child: Child) -> float:
        """Plan the restart of a process that ended; return in how many seconds it is due."""
        if time.monotonic() - child.started > SETTLED_S:
            self._backoff_s.pop(child.name, None)
        delay_s = self._backoff_s.get(child.name, BACKOFF_FIRST_S)
        self._backoff_s[child.name] = min(2 * delay_s, BACKOFF_MAX_S)
        self._due_at[child.name] = time.monotonic() + delay_s
        return delay_s

    def take_due(self) -> list[str]:
        """Return the names whose time has come, once."""
        now = time.monotonic()
        due = [name for name, at in self._due_at.items() if at <= now]
        for name in due:
            del self._due_at[name]
        return due

    def __contains__(self, name: str) -> bool:
        return name in self._due_at
