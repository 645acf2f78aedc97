"""What the supervisor keeps of each process."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module

from engine.contract.instance import counter_name
from engine.settings.config import DoorSettings


@dataclass(frozen=True, slots=True)
class DoorSpec:
    """A door and the module of its process.

    module : has run(DoorSettings); named only, so that an engine need not wait for its import
    counts : names of counters of its own
    """

    settings: DoorSettings
    module: str
    counts: tuple[str, ...] = ()
    """What it counts beyond what every door does."""

    @property
    def counters(self) -> tuple[str, ...]:
        """The names of those counters."""
        return tuple(counter_name(self.settings.name, what) for what in self.counts)

    def load(self) -> Callable[[DoorSettings], None]:
        """Import the module; return its `run`."""
        run: Callable[[DoorSettings], None] = import_module(self.module).run
        return run

    def url(self, port: int) -> str:
        """Return the address of the door on this port."""
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"{self.settings.scheme}://{host}:{port}"


@dataclass(slots=True)
class Child:
    """A process that runs."""

    name: str
    pid: int
    started: float = field(default_factory=time.monotonic)
    bound_port: int = 0
    has_reported: bool = False
    """Whether its port is the one that it reported."""
    killed_because: str = ""
    """Why the supervisor itself killed it."""
    is_asked: bool = False
    """Whether the supervisor has asked it to end."""

    def ask(self) -> None:
        """Ask it to end."""
        self.is_asked = True
        os.kill(self.pid, signal.SIGTERM)

    def has_obeyed(self, status: int) -> bool:
        """Tell by its wait status whether it ended well, or of our asking before it could heed that."""
        asked_early = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGTERM
        return status == 0 or (self.is_asked and asked_early)


def ended(children: dict[str, Child]) -> Iterator[tuple[Child, int]]:
    """Yield the processes that ended since the last call, with wait status; forget them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        for name, child in list(children.items()):
            if child.pid == pid:
                del children[name]
                yield child, status
