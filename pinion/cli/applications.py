"""The registry of applications: what the tools need of each, one row an application.

The name of a row is what stands in DATA/journal/layout.json. A row is loaded when a data folder or a
command names it, so that nobody waits for an application that is not asked for. Who calls the command
line from Python may give it other rows (main.py).
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from engine.payments.name import PAYMENTS
from engine.trading.name import TRADING

if TYPE_CHECKING:  # numpy and what reads settings: `pinion --help` needs neither
    from engine.contract.application import Application
    from engine.settings.config import InstanceSettings
    from engine.settings.sections import Section
    from pinion.cli.starting import Starting


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationTools:
    """What the tools need of an application beyond what the runtime needs."""

    make: Callable[[Mapping[str, int]], "Application"]
    """Make it with these capacities, all of them."""
    capacities: type["Section"]
    """Its capacities by name, each a whole number with its bounds and its default."""
    settings: type["InstanceSettings"]
    """Its whole configuration file."""
    too_small: Callable[[Any, Mapping[str, int]], dict[str, tuple[int, int]]]
    """Of a state and other capacities: those that cannot hold it, name -> (what is set, what is used)."""
    capacities_of: Callable[[Any], dict[str, int]]
    """The capacities that a state has, also one of an earlier layout."""
    operations: Mapping[int, str]
    """The names of its operations, those of the runtime among them."""
    as_given: Callable[[dict[str, Any]], dict[str, Any]] = lambda fields: fields
    """Return the fields of a dumped command with what people gave as they gave it."""
    warm_up: Callable[["Application"], None] = lambda application: None
    """Compile, or load, what its doors need besides loop, replay and history."""
    counts: Callable[[Any], Mapping[str, int | str]] = lambda state: {}
    """What `pinion status` shows of its state, by name."""
    used: Callable[[Any], dict[str, int]] = lambda state: {}
    """How much of its capacities a state uses, by the names of those where `pinion status` shows that."""
    command: str = "pinion up"
    """What starts it."""
    starting: "Starting"
    """How it is started."""


Applications = Mapping[str, Callable[[], ApplicationTools]]
"""Name -> what loads the row."""

APPLICATIONS: Applications = MappingProxyType(
    {
        TRADING: lambda: importlib.import_module("pinion.cli.trading.tools").TOOLS,
        PAYMENTS: lambda: importlib.import_module("pinion.cli.payments.tools").TOOLS,
    }
)


def known(applications: Applications) -> str:
    """Return the names of the rows, for people."""
    return ", ".join(repr(name) for name in sorted(applications))
