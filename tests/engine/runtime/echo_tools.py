"""The echo application for the command line: its capacities as settings, and its row of the registry."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.contract.records import Operation
from engine.settings import config
from engine.settings.config import Count, EngineSettings, InstanceSettings
from engine.settings.sections import Section
from pinion.cli.applications import APPLICATIONS, Applications, ApplicationTools
from tests.engine.runtime.echo import ACCOUNTS, ADD, NAME, application


class EchoCapacities(Section, frozen=True, kw_only=True):
    """[engine.capacities]"""

    accounts: Count = ACCOUNTS


class EchoEngineSettings(EngineSettings, frozen=True, kw_only=True):
    """[engine], with the capacity of the state."""

    capacities: EchoCapacities = EchoCapacities()


class EchoSettings(InstanceSettings, frozen=True, kw_only=True):
    """The whole file of an echo instance."""

    engine: EchoEngineSettings = EchoEngineSettings()


def _configured(path: Path) -> EchoCapacities:
    return config.load(path, EchoSettings).engine.capacities


def _too_small(state: Any, capacities: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    given, used = capacities["accounts"], int(state[0]["accounts_used"])
    return {"accounts": (given, used)} if given < used else {}


TOOLS = ApplicationTools(
    make=lambda capacities: application(**capacities),
    capacities=EchoCapacities,
    configured=_configured,
    too_small=_too_small,
    operations={**{int(each): each.name.lower() for each in Operation}, ADD: "add"},
)
BOTH: Applications = MappingProxyType({**APPLICATIONS, NAME: lambda: TOOLS})
"""The registry of the program with the echo application beside trading."""
