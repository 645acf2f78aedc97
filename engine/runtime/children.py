"""What the supervisor keeps of each process."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.config import DoorSettings


@dataclass(frozen=True, slots=True)
class DoorSpec:
    """A door and the entry point of its process."""

    settings: DoorSettings
    run: Callable[[DoorSettings], None]


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
