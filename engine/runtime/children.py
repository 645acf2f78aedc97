"""What the supervisor keeps of each process."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

from engine.config import DoorSettings


@dataclass(frozen=True, slots=True)
class DoorSpec:
    """A door and the module of its process.

    module : has run(DoorSettings); named only, so that an engine need not wait for its import
    """

    settings: DoorSettings
    module: str

    def load(self) -> Callable[[DoorSettings], None]:
        """Import the module; return its `run`."""
        run: Callable[[DoorSettings], None] = import_module(self.module).run
        return run


@dataclass(slots=True)
class Child:
    """A process that runs."""

    name: str
    pid: int
    started: float = field(default_factory=time.monotonic)
    bound_port: int = 0


def in_url(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
