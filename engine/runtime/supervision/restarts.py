"""Processes that ended: why, and when they start again, soon at first, later while they keep ending."""

import time
from collections.abc import Container, Iterator

from engine.contract.instance import Ending, Process
from engine.runtime.supervision.children import Child

BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 5.0
SETTLED_S = 30.0
"""A process that ran for so long is taken for sound: its next restart is soon again."""


class Restarts:
    """The processes that are to start again; `name in restarts` tells whether one of this name is."""

    def __init__(self) -> None:
        self._due_at: dict[str, float] = {}
        self._backoff_s: dict[str, float] = {}
        self._causes: dict[str, str] = {}
        self.endings: dict[str, Ending] = {}
        """The last one of each process that ended by itself."""

    def note(self, child: Child, cause: str) -> None:
        """Remember that a process ended, for whoever asks how the instance is."""
        before = self.endings.get(child.name)
        count = 1 if before is None else before.count + 1
        self.endings[child.name] = Ending(child.name, child.pid, time.time_ns(), cause, count)

    def awaited(self, running: Container[str]) -> Iterator[Process]:
        """Yield the processes that ended and do not run again, each as it was."""
        for name, ending in self.endings.items():
            if name not in running:
                yield Process(name, ending.pid)

    def plan(self, child: Child) -> float:
        """Plan the restart of a process that ended; return in how many seconds it is due."""
        if time.monotonic() - child.started > SETTLED_S:
            self._backoff_s.pop(child.name, None)
            self._causes.pop(child.name, None)
        delay_s = self._backoff_s.get(child.name, BACKOFF_FIRST_S)
        self._backoff_s[child.name] = min(2 * delay_s, BACKOFF_MAX_S)
        self._due_at[child.name] = time.monotonic() + delay_s
        return delay_s

    def is_news(self, child: Child, cause: str) -> bool:
        """Tell whether a process that has not settled since ends for another cause than the last time."""
        before = self._causes.get(child.name)
        self._causes[child.name] = cause
        return cause != before

    def take_due(self) -> list[str]:
        """Return the names whose time has come, once."""
        now = time.monotonic()
        due = [name for name, at in self._due_at.items() if at <= now]
        for name in due:
            del self._due_at[name]
        return due

    def __contains__(self, name: str) -> bool:
        return name in self._due_at
