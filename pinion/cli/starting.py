"""What a start needs of an application: its configuration, its doors, what is defined at the beginning.

pinion/cli/instance/start.py starts any application whose row of the registry has this.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from functools import partial
from pathlib import Path
from typing import Any

from engine.runtime.supervision.children import DoorSpec
from engine.runtime.supervision.configure import Definition, FirstCommands
from engine.settings.config import DoorSettings, InstanceSettings, KeySettings, door_keys, socket_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A door of an application: one of its processes, which listens where a section of the settings says."""

    name: str
    """The process is called so, and its lock, its heartbeat and its command ring."""
    section: str
    """The field of the settings with its SocketSettings, `outer.inner` for one within another; the door is
    there where that is not None. instance.json tells its address by this name."""
    option: str
    """The option of the command line that says its port."""
    purpose: str
    """What it is for, in a few words for the help of that option."""
    module: str
    """The module that has run(DoorSettings)."""
    has_ring: bool = True
    """Whether it sends commands."""
    scheme: str = "http"
    """What its URL begins with."""
    counts: Sequence[str] = ()
    """What it counts beside what is counted of every ring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A process of an application that listens nowhere."""

    name: str
    """As of a Door."""
    section: str
    """The section of the settings that it follows."""
    module: str
    """The module that has run(DoorSettings)."""
    is_wanted: Callable[[Any], bool]
    """Tell whether the settings want it."""
    has_ring: bool = False
    """Whether it sends commands."""
    counts: tuple[str, ...] = ()
    """What it counts, for metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """How an application is started."""

    demo: Callable[[], InstanceSettings]
    """Make the configuration that serves without a file, but for its keys."""
    demo_keys: Callable[[Path], Sequence[KeySettings]]
    """Return the demo's keys of a data folder, which is owned; they are made at its first start."""
    has_demo_key: bool = False
    """Whether a configuration without keys has those of the demo; else it is refused."""
    roles: type[IntFlag]
    """The roles that keys name, in capitals."""
    doors: Sequence[Door] = ()
    companions: Sequence[Companion] = ()
    pages: str = ""
    """The section of the door whose pages may speak to every door; empty: no door has pages."""
    definitions: Callable[[Any], Sequence[Definition]]
    """Return the commands that bring a fresh engine to what its settings say; ConfigError."""
    missing: Callable[[Sequence[Definition], Any], Sequence[Definition]]
    """Return those of the definitions that a state does not know yet."""
    set_up: Callable[[Any, Path, Path | None], FirstCommands] | None = None
    """Return what else is sent first: of the settings, of a data folder, which is owned, and of a file."""
    door_application: Callable[[Any, Path], dict[str, Any]] = lambda settings, data_dir: {}
    """Return what of the settings, and of the data folder, the application's own doors are told."""

    @property
    def lean(self) -> "Starting":
        """The same without the doors that only read; companions stay, for they change what is decided."""
        return replace(self, doors=tuple(door for door in self.doors if door.has_ring), pages="")

    @property
    def process_names(self) -> tuple[str, ...]:
        """The names of the application's own processes."""
        return (*(door.name for door in self.doors), *(each.name for each in self.companions))

    def first_commands(
        self, definitions: Sequence[Definition], settings: InstanceSettings, data_dir: Path, file: Path | None
    ) -> FirstCommands:
        """Return what is sent before the doors open; ConfigError."""
        defined = partial(self.missing, definitions)
        if self.set_up is None:
            return FirstCommands(missing=defined)
        more = self.set_up(settings, data_dir, file)
        return replace(more, missing=lambda state: [*defined(state), *more.missing(state)])

    def door_specs(self, settings: InstanceSettings, data_dir: Path) -> tuple[DoorSpec, ...]:
        """Return the doors, and the companions behind them, as the supervisor starts them."""
        keys = door_keys(settings.keys, self.roles)
        application = self.door_application(settings, data_dir)
        doors = tuple(
            DoorSpec(
                DoorSettings(
                    data_dir=data_dir,
                    name=door.name,
                    ring_name=door.name if door.has_ring else "",
                    section=door.section,
                    option=door.option,
                    scheme=door.scheme,
                    host=socket.host,
                    port=socket.port,
                    hosts=socket.hosts,
                    origins=socket.origins,
                    pages=self.pages,
                    pages_port=_port_of(settings, self.pages),
                    limits=settings.doors,
                    keys=keys,
                    application=application,
                ),
                door.module,
                tuple(door.counts),
            )
            for door in self.doors
            for socket in [socket_of(settings, door.section)]
            if socket is not None
        )
        return doors + tuple(
            DoorSpec(
                DoorSettings(
                    data_dir=data_dir,
                    name=each.name,
                    ring_name=each.name if each.has_ring else "",
                    section=each.section,
                    limits=settings.doors,
                    application=application,
                ),
                each.module,
                each.counts,
            )
            for each in self.companions
            if each.is_wanted(settings)
        )


def _port_of(settings: InstanceSettings, section: str) -> int:
    found = socket_of(settings, section)
    return 0 if found is None else found.port
